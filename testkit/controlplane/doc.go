// Package controlplane starts real Kubernetes control planes for tests, benchmarks and demos: etcd,
// kube-apiserver with RBAC, and kube-controller-manager (garbage, namespaces, service accounts and
// their tokens, the root certificate, Deployments), all built from their Go modules.
//
//	cluster, err := controlplane.Start(ctx, controlplane.Options{Name: "cluster-east"})
//	if err != nil { … }
//	defer cluster.Stop()
//	c, err := client.New(cluster.Config(), client.Options{})
//
// In a test, New does all of that and fails the test where Start would return an error.
//
// Each cluster can be frozen, killed and started again with its data, and its etcd saved and
// restored, alone. It has a folder of its own, and nothing of it survives this process, however
// that ends. The binaries come from KUBEBUILDER_ASSETS, else from the cache that `make tools`
// fills; a missing one is an error.
package controlplane
