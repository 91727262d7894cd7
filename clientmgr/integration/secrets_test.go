package integration

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/secrets"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// TestSecretsOfAllNamespaces: a cluster is then named "namespace/name", and is used as any other.
func TestSecretsOfAllNamespaces(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.stop()
	options := secrets.Options{Label: f.label}
	c, err := cache.New(supervisor.Config(), cache.Options{Scheme: scheme, HTTPClient: supervisor.http,
		ByObject: secrets.Cache(options)})
	f.must(err)
	manager, err := clusters.New(clusters.Options{
		Scheme: scheme, Registerer: prometheus.NewRegistry(),
		Kinds: map[client.Object]cache.ByObject{&corev1.ConfigMap{}: {}},
	})
	f.must(err)
	t.Cleanup(f.run(c.Start, manager.Start, secrets.New(c, manager, options).Start))

	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: "east.example", Labels: map[string]string{f.label: "true"}},
		Data:       map[string][]byte{secrets.Key: f.admin(east, east.Addr())},
	}
	f.must(supervisor.admin.Create(t.Context(), secret))
	name := f.namespace + "/east.example"
	var cluster clusters.Cluster
	eventually.Eventually(t, 30*time.Second, "the cluster is connected", func(context.Context) (err error) {
		cluster, err = manager.Get(name)
		return err
	})
	f.must(cluster.Client().Create(t.Context(), f.configMap("there")))
	f.must(cluster.Client().Get(t.Context(), f.key("there"), &corev1.ConfigMap{}))
	f.must(cluster.Live().Get(t.Context(), f.key("there"), &corev1.ConfigMap{}))
	f.must(supervisor.admin.Delete(t.Context(), secret))
	eventually.Eventually(t, 30*time.Second, "the cluster is gone", func(context.Context) error {
		if _, err := manager.Get(name); !errors.Is(err, clusters.ErrUnknown) {
			return fmt.Errorf("want ErrUnknown, got %w", err)
		}
		return nil
	})
}
