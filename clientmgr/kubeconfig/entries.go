package kubeconfig

import clientcmdv1 "k8s.io/client-go/tools/clientcmd/api/v1"

func selectEntries(file clientcmdv1.Config) (clientcmdv1.Cluster, clientcmdv1.AuthInfo, error) {
	none := func(field, problem string) (clientcmdv1.Cluster, clientcmdv1.AuthInfo, error) {
		return clientcmdv1.Cluster{}, clientcmdv1.AuthInfo{}, refuse(field, problem)
	}
	current := file.CurrentContext
	if current == "" {
		if len(file.Contexts) != 1 {
			return none("current-context", "is not set, and there is not exactly one context")
		}
		current = file.Contexts[0].Name
	}
	context, found := only(file.Contexts, func(c clientcmdv1.NamedContext) bool { return c.Name == current })
	if !found {
		return none("current-context", "does not name exactly one context")
	}
	cluster, found := only(file.Clusters, func(c clientcmdv1.NamedCluster) bool {
		return c.Name == context.Context.Cluster
	})
	if !found {
		return none("contexts[].context.cluster", "does not name exactly one cluster")
	}
	user, found := only(file.AuthInfos, func(u clientcmdv1.NamedAuthInfo) bool {
		return u.Name == context.Context.AuthInfo
	})
	if !found {
		return none("contexts[].context.user", "does not name exactly one user")
	}
	return cluster.Cluster, user.AuthInfo, nil
}

// only returns the one entry that matches. Two of a name are refused: tools differ in which of them
// they take.
func only[T any](entries []T, matches func(T) bool) (entry T, found bool) {
	for _, e := range entries {
		if !matches(e) {
			continue
		}
		if found {
			return entry, false
		}
		entry, found = e, true
	}
	return entry, found
}
