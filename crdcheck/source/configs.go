package source

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// atOnce is how many clusters are read at the same time.
const atOnce = 8

// readConfigs reads every remote cluster of a supervisor. One that cannot be read is a set that
// says so: it takes nothing from the others.
func readConfigs(ctx context.Context, namespace string, options Options) ([]Set, error) {
	config, name, err := Contexts(options.Kubeconfig, "")
	if err != nil {
		return nil, err
	}
	supervisor, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	options.progress("asking %s for its KubevirtConfigs", name)
	remotes, err := Remotes(ctx, supervisor, namespace)
	if err != nil {
		return nil, err
	}
	var (
		sets  = make([]Set, len(remotes))
		slots = make(chan struct{}, atOnce)
		reads sync.WaitGroup
		done  atomic.Int32
	)
	for i, remote := range remotes {
		reads.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			sets[i] = remote.set(ctx, options.Names)
			options.progress("%d of %d clusters", done.Add(1), len(remotes))
		})
	}
	reads.Wait()
	return sets, nil
}

// Remote is one remote cluster, or why there is no way to it.
type Remote struct {
	// Name is the KubevirtConfig's.
	Name string
	// Config reaches the cluster; nil where Err is not.
	Config *rest.Config
	// Err says what is wrong with the KubevirtConfig or its kubeconfig, without a value of it.
	Err error
}

func (r Remote) set(ctx context.Context, names []string) Set {
	if r.Err != nil {
		return unknown(r.Name, r.Err)
	}
	cluster, err := NewCluster(r.Config)
	if err != nil {
		return unknown(r.Name, errors.New("the kubeconfig is not valid")) // err may quote it
	}
	return cluster.Set(ctx, r.Name, sortedNames(names))
}

// Remotes returns the remote clusters that the supervisor's KubevirtConfigs name, sorted by name.
// namespace is where the configs are; of cluster-scoped ones, where their Secrets are if they do
// not say it.
func Remotes(ctx context.Context, supervisor dynamic.Interface, namespace string) ([]Remote, error) {
	group := schema.GroupVersion{Group: "vitistack.io", Version: "v1alpha1"}
	list, err := supervisor.Resource(group.WithResource("kubevirtconfigs")).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("listing KubevirtConfigs: %w", err)
	}
	secrets := supervisor.Resource(schema.GroupVersionResource{Version: "v1", Resource: "secrets"})
	var remotes []Remote
	for i := range list.Items {
		item := &list.Items[i]
		if item.GetNamespace() != "" && item.GetNamespace() != namespace {
			continue
		}
		r := Remote{Name: item.GetName()}
		r.Config, r.Err = configOf(ctx, secrets, item, namespace)
		remotes = append(remotes, r)
	}
	if len(remotes) == 0 {
		return nil, fmt.Errorf("no KubevirtConfigs in namespace %q", namespace)
	}
	slices.SortFunc(remotes, func(a, b Remote) int { return cmp.Compare(a.Name, b.Name) })
	return remotes, nil
}

func configOf(
	ctx context.Context, secrets dynamic.NamespaceableResourceInterface, item *unstructured.Unstructured, namespace string,
) (*rest.Config, error) {
	name, _, _ := unstructured.NestedString(item.Object, "spec", "kubeconfigSecretRef")
	own, _, _ := unstructured.NestedString(item.Object, "spec", "secretNamespace")
	if name == "" {
		return nil, errors.New("spec.kubeconfigSecretRef is not set")
	}
	secret, err := secrets.Namespace(cmp.Or(own, item.GetNamespace(), namespace)).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	encoded, _, _ := unstructured.NestedString(secret.Object, "data", "kubeconfig")
	return parse(encoded)
}

// parse takes from a kubeconfig what does nothing by itself: it is not trusted, and may not make
// this program run another one, read a file, or believe a server without a certificate. Errors name
// fields, never values.
func parse(encoded string) (*rest.Config, error) {
	content, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(content) == 0 {
		return nil, errors.New("the Secret has no key kubeconfig")
	}
	file, err := clientcmd.Load(content)
	if err != nil {
		return nil, errors.New("not a kubeconfig") // err may quote it
	}
	if file.CurrentContext == "" && len(file.Contexts) == 1 {
		for name := range file.Contexts {
			file.CurrentContext = name
		}
	}
	current := file.Contexts[file.CurrentContext]
	if current == nil || file.Clusters[current.Cluster] == nil || file.AuthInfos[current.AuthInfo] == nil {
		return nil, errors.New("current-context: does not name a context with a cluster and a user")
	}
	cluster, user := file.Clusters[current.Cluster], file.AuthInfos[current.AuthInfo]
	for _, field := range []struct {
		name string
		used bool
	}{
		{"exec", user.Exec != nil},
		{"auth-provider", user.AuthProvider != nil},
		{"client-certificate", user.ClientCertificate != ""},
		{"client-key", user.ClientKey != ""},
		{"tokenFile", user.TokenFile != ""},
		{"as", user.Impersonate != "" || len(user.ImpersonateGroups) > 0},
		{"certificate-authority", cluster.CertificateAuthority != ""},
		{"insecure-skip-tls-verify", cluster.InsecureSkipTLSVerify},
		{"proxy-url", cluster.ProxyURL != ""},
		{"server: http", !strings.HasPrefix(cluster.Server, "https://")},
	} {
		if field.used {
			return nil, fmt.Errorf("%s: is not accepted in the kubeconfig of a remote cluster", field.name)
		}
	}
	return &rest.Config{
		Host: cluster.Server, BearerToken: user.Token, Username: user.Username, Password: user.Password,
		TLSClientConfig: rest.TLSClientConfig{
			ServerName: cluster.TLSServerName, CAData: cluster.CertificateAuthorityData,
			CertData: user.ClientCertificateData, KeyData: user.ClientKeyData,
		},
	}, nil
}
