package clientmgr

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// valueKey is the key that some tools write a kubeconfig under;
// vitistackv1alpha1.KubeconfigSecretKey comes first.
const valueKey = "value"

// SupervisorCache returns cache options for KubevirtConfigs and Secrets, to be merged into the
// supervisor cache's ByObject: the Secrets of configsNamespace (and of more namespaces, where
// cluster-scoped configs name them) without what is not a kubeconfig, and nobody else's.
// Options.Secrets is for Secrets elsewhere. namespaced is the scope of the KubevirtConfig
// definition that is installed.
func SupervisorCache(namespaced bool, configsNamespace string, more ...string) map[client.Object]cache.ByObject {
	secrets := map[string]cache.Config{configsNamespace: {}}
	for _, namespace := range more {
		secrets[namespace] = cache.Config{}
	}
	configs := cache.ByObject{Transform: cache.TransformStripManagedFields()}
	if namespaced {
		configs.Namespaces = map[string]cache.Config{configsNamespace: {}}
	}
	return map[client.Object]cache.ByObject{
		&corev1.Secret{}:                    {Namespaces: secrets, Transform: onlyKubeconfig},
		&vitistackv1alpha1.KubevirtConfig{}: configs,
	}
}

// onlyKubeconfig drops from a Secret what is of no use here, so that it is not kept in memory.
func onlyKubeconfig(object any) (any, error) {
	secret, isSecret := object.(*corev1.Secret)
	if !isSecret {
		return object, nil
	}
	secret.ManagedFields, secret.Annotations = nil, nil
	maps.DeleteFunc(secret.Data, func(key string, _ []byte) bool {
		return key != vitistackv1alpha1.KubeconfigSecretKey && key != valueKey
	})
	return secret, nil
}

// changes collects what changed in the supervisor until it is looked at.
type changes struct {
	signal chan struct{} // room for one
	locked struct {
		sync.Mutex
		configs map[string]struct{}
		secrets map[types.NamespacedName]struct{}
	}
}

func newChanges() *changes {
	c := &changes{signal: make(chan struct{}, 1)}
	c.take()
	return c
}

// take returns what changed since the last time.
func (c *changes) take() (configs map[string]struct{}, secrets map[types.NamespacedName]struct{}) {
	c.locked.Lock()
	defer c.locked.Unlock()
	configs, secrets = c.locked.configs, c.locked.secrets
	c.locked.configs, c.locked.secrets = map[string]struct{}{}, map[types.NamespacedName]struct{}{}
	return configs, secrets
}

// note is the handler of both informers.
func (c *changes) note(object any) {
	if gone, isTombstone := object.(toolscache.DeletedFinalStateUnknown); isTombstone {
		object = gone.Obj
	}
	c.locked.Lock()
	switch o := object.(type) {
	case *vitistackv1alpha1.KubevirtConfig:
		c.locked.configs[o.Name] = struct{}{}
	case *corev1.Secret:
		c.locked.secrets[client.ObjectKeyFromObject(o)] = struct{}{}
	}
	c.locked.Unlock()
	select {
	case c.signal <- struct{}{}:
	default:
	}
}

// follow keeps the clusters as the supervisor says, until ctx ends.
func (m *KubevirtClientManager) follow(ctx context.Context) error {
	var reading sync.WaitGroup
	defer reading.Wait() // ctx has ended, or it is by then
	seen := newChanges()
	if m.options.Secrets != nil {
		m.unwatched = &unwatched{
			reader: m.options.Secrets, interval: m.options.SecretInterval, timeout: m.options.Probe.Timeout,
			clock: m.options.Clock, changed: seen.note, asked: make(chan struct{}, 1),
		}
		reading.Go(func() { m.unwatched.run(ctx) })
	}
	var registrations []toolscache.ResourceEventHandlerRegistration
	for _, object := range []client.Object{&vitistackv1alpha1.KubevirtConfig{}, &corev1.Secret{}} {
		informer, err := m.informer(ctx, object)
		if err != nil {
			return nil //nolint:nilerr // ctx has ended
		}
		registration, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
			AddFunc: seen.note, DeleteFunc: seen.note, UpdateFunc: func(_, now any) { seen.note(now) },
		})
		if err != nil {
			return fmt.Errorf("watching %T: %w", object, err)
		}
		defer func() { _ = informer.RemoveEventHandler(registration) }() // fails only where the informer has ended
		registrations = append(registrations, registration)
	}
	index := secretIndex{}
	if toolscache.WaitForCacheSync(ctx.Done(), registrations[0].HasSynced, registrations[1].HasSynced) {
		m.apply(ctx, seen, index)
		m.synced.Store(true)
	}
	for {
		select {
		case <-ctx.Done():
			m.synced.Store(false)
			return nil
		case <-seen.signal:
			m.apply(ctx, seen, index)
		}
	}
}

// informer returns the supervisor's informer of a kind, and waits for its definition where that is
// missing.
func (m *KubevirtClientManager) informer(ctx context.Context, object client.Object) (cache.Informer, error) {
	for attempt := 0; ; attempt++ {
		informer, err := m.tryInformer(ctx, object)
		if err == nil {
			return informer, nil
		}
		m.options.Logger.Error(err, "Supervisor cannot be watched yet", "kind", fmt.Sprintf("%T", object))
		timer := m.options.Clock.NewTimer(min(m.options.BackoffMax, time.Second<<min(attempt, 16)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C():
		}
	}
}

func (m *KubevirtClientManager) tryInformer(ctx context.Context, object client.Object) (cache.Informer, error) {
	if _, isConfig := object.(*vitistackv1alpha1.KubevirtConfig); isConfig {
		namespaced, err := m.supervisor.IsObjectNamespaced(object)
		if err != nil {
			return nil, fmt.Errorf("looking for the scope: %w", err)
		}
		m.clusterScoped.Store(!namespaced)
	}
	return m.cache.GetInformer(ctx, object, cache.BlockUntilSynced(false))
}

func (m *KubevirtClientManager) namespaced() bool { return !m.clusterScoped.Load() }

// namespace is where KubevirtConfigs are, "" where they are cluster-scoped.
func (m *KubevirtClientManager) namespace() string {
	if m.namespaced() {
		return m.options.ConfigsNamespace
	}
	return ""
}

func (m *KubevirtClientManager) key(config string) client.ObjectKey {
	return client.ObjectKey{Namespace: m.namespace(), Name: config}
}

// apply brings what changed to the clusters concerned.
func (m *KubevirtClientManager) apply(ctx context.Context, seen *changes, index secretIndex) {
	configs, secrets := seen.take()
	for secret := range secrets {
		maps.Copy(configs, index[secret])
	}
	for _, name := range slices.Sorted(maps.Keys(configs)) {
		var config vitistackv1alpha1.KubevirtConfig
		err := m.cache.Get(ctx, m.key(name), &config)
		switch {
		case apierrors.IsNotFound(err):
			index.set(name, types.NamespacedName{})
			m.clusters.Remove(name)
		case err == nil:
			w, secret := m.wishOf(ctx, &config)
			index.set(name, secret)
			m.clusters.Put(name, w)
		}
	}
	if m.unwatched != nil {
		m.unwatched.keep(index)
	}
}

// secretIndex tells which configs use a Secret.
type secretIndex map[types.NamespacedName]map[string]struct{}

// set makes secret the one that config uses; the zero name is none.
func (x secretIndex) set(config string, secret types.NamespacedName) {
	for key, users := range x {
		if delete(users, config); len(users) == 0 {
			delete(x, key)
		}
	}
	if secret.Name == "" {
		return
	}
	if x[secret] == nil {
		x[secret] = map[string]struct{}{}
	}
	x[secret][config] = struct{}{}
}
