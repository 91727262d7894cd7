package clusters

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	ctrlcluster "sigs.k8s.io/controller-runtime/pkg/cluster"
)

// errShared: what others use as well is not one user's to remove.
var errShared = errors.New("the informers of a cluster are shared and stay as long as its connection")

// remoteCluster is a connection in the shape of a cluster.Cluster.
type remoteCluster struct {
	ctrlcluster.Cluster
	live client.Reader
}

// GetAPIReader returns the reader that tells silence from absence.
func (c *remoteCluster) GetAPIReader() client.Reader { return c.live }

func (c *connection) makeCluster() (ctrlcluster.Cluster, error) {
	made, err := ctrlcluster.New(c.restConfig(), func(o *ctrlcluster.Options) {
		o.Scheme, o.HTTPClient = c.options.Scheme, &http.Client{Transport: c.calls}
		o.MapperProvider = func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return c.direct.RESTMapper(), nil }
		o.NewClient = func(*rest.Config, client.Options) (client.Client, error) { return c.remote, nil }
		o.NewCache = func(*rest.Config, cache.Options) (cache.Cache, error) {
			return &sharedCache{of: c, Cache: c.cache.cache}, nil
		}
	})
	if err != nil {
		return nil, fmt.Errorf("making a cluster: %w", err)
	}
	return &remoteCluster{Cluster: made, live: c.live}, nil
}

// sharedCache is a connection's cache in the hands of somebody who thinks that it is theirs.
type sharedCache struct {
	cache.Cache
	of *connection
}

// Start waits until the connection ends: the cache runs already.
func (s *sharedCache) Start(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-s.of.life.Done():
	}
	return nil
}

// Get reads from the cache while the connection is to be trusted.
func (s *sharedCache) Get(
	ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption,
) error {
	return s.of.remote.do(func() error { return s.Cache.Get(ctx, key, object, opts...) })
}

// List reads from the cache while the connection is to be trusted.
func (s *sharedCache) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	return s.of.remote.do(func() error { return s.Cache.List(ctx, list, opts...) })
}

// GetInformer returns the informer of a declared kind.
func (s *sharedCache) GetInformer(
	ctx context.Context, object client.Object, opts ...cache.InformerGetOption,
) (cache.Informer, error) {
	if err := s.declared(object); err != nil {
		return nil, err
	}
	informer, err := s.Cache.GetInformer(ctx, object, opts...)
	if err != nil {
		return nil, err
	}
	return wholeInformer{informer}, nil
}

// GetInformerForKind returns the informer of a kind that is declared by a typed object.
func (s *sharedCache) GetInformerForKind(
	ctx context.Context, gvk schema.GroupVersionKind, opts ...cache.InformerGetOption,
) (cache.Informer, error) {
	if _, found := s.of.cache.declared[declaration{kind: gvk, form: typed}]; !found {
		return nil, &cache.ErrResourceNotCached{GVK: gvk}
	}
	informer, err := s.Cache.GetInformerForKind(ctx, gvk, opts...)
	if err != nil {
		return nil, err
	}
	return wholeInformer{informer}, nil
}

// RemoveInformer refuses: others use it.
func (s *sharedCache) RemoveInformer(context.Context, client.Object) error { return errShared }

// IndexField adds an index to the informer of a declared kind. It ends with the connection.
func (s *sharedCache) IndexField(
	ctx context.Context, object client.Object, field string, extract client.IndexerFunc,
) error {
	if err := s.declared(object); err != nil {
		return err
	}
	return s.Cache.IndexField(ctx, object, field, func(held client.Object) []string {
		return extract(whole(held).(client.Object)) //nolint:forcetypeassert // a packed object is one of its kind
	})
}

func (s *sharedCache) declared(object runtime.Object) error {
	gvk, err := apiutil.GVKForObject(object, s.of.options.Scheme)
	if err != nil {
		return err
	}
	if _, found := s.of.cache.declared[declaration{kind: gvk, form: formOf(object)}]; !found {
		return &cache.ErrResourceNotCached{GVK: gvk}
	}
	return nil
}
