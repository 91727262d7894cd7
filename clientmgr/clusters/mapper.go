package clusters

import (
	"net/http"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// mapper is the REST mapper of a connection. It keeps a mapping for each kind that was asked for
// with its version, as clients and caches do, and none for the hundreds of others that a server
// serves. Every other question goes to the library's mapper, which keeps the groups that it was
// asked for. It is safe for concurrent use.
type mapper struct {
	meta.RESTMapper

	config     *rest.Config
	httpClient *http.Client
	known      sync.Map // from schema.GroupVersionKind to *meta.RESTMapping
}

// newMapper does no I/O.
func newMapper(config *rest.Config, httpClient *http.Client) (*mapper, error) {
	byGroup, err := apiutil.NewDynamicRESTMapper(config, withoutAggregation(httpClient))
	if err != nil {
		return nil, err
	}
	return &mapper{RESTMapper: byGroup, config: config, httpClient: httpClient}, nil
}

// withoutAggregation asks for discovery group by group. Left to itself, the library's mapper takes
// the answer that has every kind of the server, and keeps about 450 KiB of it.
func withoutAggregation(httpClient *http.Client) *http.Client {
	plain := *httpClient
	plain.Transport = roundTripFunc(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		req.Header.Set("Accept", "application/json")
		return httpClient.Transport.RoundTrip(req)
	})
	return &plain
}

// RESTMapping returns the mapping of a kind. A kind that is not known yet, or was not served when
// it was last asked for, is asked for at the server.
func (m *mapper) RESTMapping(kind schema.GroupKind, versions ...string) (*meta.RESTMapping, error) {
	if len(versions) != 1 || versions[0] == "" {
		return m.RESTMapper.RESTMapping(kind, versions...)
	}
	gvk := kind.WithVersion(versions[0])
	if mapping, found := m.known.Load(gvk); found {
		return mapping.(*meta.RESTMapping), nil
	}
	mapping, err := m.ask(gvk)
	if err != nil {
		return nil, err
	}
	m.known.Store(gvk, mapping)
	return mapping, nil
}

// ask asks the server for a kind. A kind that is not served is a *meta.NoKindMatchError.
func (m *mapper) ask(gvk schema.GroupVersionKind) (*meta.RESTMapping, error) {
	server, err := discovery.NewDiscoveryClientForConfigAndClient(m.config, m.httpClient)
	if err != nil {
		return nil, err
	}
	list, err := server.ServerResourcesForGroupVersion(gvk.GroupVersion().String())
	if apierrors.IsNotFound(err) {
		list, err = &metav1.APIResourceList{}, nil
	}
	if err != nil {
		return nil, err
	}
	version := metav1.GroupVersionForDiscovery{GroupVersion: gvk.GroupVersion().String(), Version: gvk.Version}
	return restmapper.NewDiscoveryRESTMapper([]*restmapper.APIGroupResources{{
		Group:              metav1.APIGroup{Name: gvk.Group, Versions: []metav1.GroupVersionForDiscovery{version}},
		VersionedResources: map[string][]metav1.APIResource{gvk.Version: list.APIResources},
	}}).RESTMapping(gvk.GroupKind(), gvk.Version)
}
