package source

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	clientset "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/vitistack/kubevirt-multicluster/crdcheck/observe"
)

// answerTimeout bounds each request to a cluster.
const answerTimeout = 30 * time.Second

// Cluster reads definitions from an API server; it is an observe.Reader. Its methods are safe for
// concurrent use.
type Cluster struct {
	metadata    metadata.Interface
	definitions clientset.Interface
}

var _ observe.Reader = (*Cluster)(nil)

// NewCluster returns the cluster behind a client configuration. It does no I/O.
func NewCluster(config *rest.Config) (*Cluster, error) {
	binary := rest.CopyConfig(config)
	binary.ContentType = runtime.ContentTypeProtobuf
	binary.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	if binary.Timeout == 0 {
		binary.Timeout = answerTimeout
	}
	binary.QPS = -1 // a handful of requests
	listed, err := metadata.NewForConfig(metadata.ConfigFor(binary))
	if err != nil {
		return nil, err
	}
	definitions, err := clientset.NewForConfig(binary)
	if err != nil {
		return nil, err
	}
	return &Cluster{metadata: listed, definitions: definitions}, nil
}

// Revisions implements observe.Reader with one LIST of metadata, answered from the API server's own
// cache.
func (c *Cluster) Revisions(ctx context.Context) (map[string]string, error) {
	resource := apiextensionsv1.SchemeGroupVersion.WithResource("customresourcedefinitions")
	list, err := c.metadata.Resource(resource).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return nil, err
	}
	revisions := make(map[string]string, len(list.Items))
	for i := range list.Items {
		revisions[list.Items[i].Name] = observe.Revision(string(list.Items[i].UID), list.Items[i].ResourceVersion)
	}
	return revisions, nil
}

// Definition implements observe.Reader.
func (c *Cluster) Definition(ctx context.Context, name string) (*apiextensionsv1.CustomResourceDefinition, error) {
	return c.definitions.ApiextensionsV1().CustomResourceDefinitions().Get(ctx, name, metav1.GetOptions{})
}

// Set reads the definitions of these names, or all where names is nil.
func (c *Cluster) Set(ctx context.Context, name string, names []string) Set {
	if names == nil {
		list, err := c.definitions.ApiextensionsV1().CustomResourceDefinitions().List(ctx, metav1.ListOptions{})
		if err != nil {
			return unknown(name, err)
		}
		return Set{Name: name, CRDs: list.Items}.sorted()
	}
	var (
		reads  sync.WaitGroup
		found  = make([]*apiextensionsv1.CustomResourceDefinition, len(names))
		failed = make([]error, len(names))
	)
	for i := range names {
		reads.Go(func() { found[i], failed[i] = c.Definition(ctx, names[i]) })
	}
	reads.Wait()
	s := Set{Name: name}
	for i, err := range failed {
		switch {
		case apierrors.IsNotFound(err):
		case err != nil:
			return unknown(name, fmt.Errorf("%s: %w", names[i], err))
		default:
			s.CRDs = append(s.CRDs, *found[i])
		}
	}
	return s.sorted()
}

// Contexts returns the client configuration of a context of the user's kubeconfig, "" for the
// current one, and the context's name.
func Contexts(kubeconfig, name string) (*rest.Config, string, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		rules, &clientcmd.ConfigOverrides{CurrentContext: name},
	)
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, "", err
	}
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, "", err
	}
	return config, cmp.Or(name, raw.CurrentContext), nil
}

func readContext(ctx context.Context, place, name string, options Options) (Set, error) {
	config, name, err := Contexts(options.Kubeconfig, name)
	if err != nil {
		return Set{}, fmt.Errorf("%s: %w", place, err)
	}
	cluster, err := NewCluster(config)
	if err != nil {
		return Set{}, fmt.Errorf("%s: %w", place, err)
	}
	options.progress("asking %s", name)
	return cluster.Set(ctx, cmp.Or(name, place), sortedNames(options.Names)), nil
}

func sortedNames(names []string) []string {
	if names == nil {
		return nil
	}
	return slices.Compact(slices.Sorted(slices.Values(names)))
}
