package integration

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/api/crds"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// TestClusterScopedConfig uses east as a supervisor with the public, cluster-scoped definition,
// which is installed late.
func TestClusterScopedConfig(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil) // for its namespaces and users
	f.stop()
	c, err := cache.New(east.Config(),
		cache.Options{Scheme: scheme, HTTPClient: east.http, ByObject: clientmgr.SupervisorCache(false, f.namespace)})
	if err == nil {
		t.Fatal("a cache can be limited to a kind that is not defined: the test is about nothing")
	}
	f.must(defineClusterScoped(t.Context()))
	t.Cleanup(func() {
		f.must(east.admin.Delete(context.WithoutCancel(t.Context()), &apiextensionsv1.CustomResourceDefinition{
			ObjectMeta: metav1.ObjectMeta{Name: "kubevirtconfigs.vitistack.io"}}))
	})
	eventually.Eventually(t, 20*time.Second, "the definition is served", func(context.Context) error {
		c, err = cache.New(east.Config(),
			cache.Options{Scheme: scheme, HTTPClient: east.http, ByObject: clientmgr.SupervisorCache(false, f.namespace)})
		return err
	})
	manager, err := clientmgr.NewKubevirtClientManager(east.admin, c, clientmgr.Options{
		Options: clusters.Options{
			Scheme: scheme, Registerer: prometheus.NewRegistry(),
			Connection: clusters.Connection{Probe: clusters.Probe{Interval: time.Second}},
		},
		Secrets: east.admin, SecretInterval: 200 * time.Millisecond,
	})
	f.must(err)
	if _, err := manager.GetClientForConfig(t.Context(), "west"); !errors.Is(err, clientmgr.ErrSupervisorNotSynced) {
		t.Errorf("before the start: want ErrSupervisorNotSynced, got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- c.Start(ctx) }()
	go func() { ended <- manager.Start(ctx) }()
	defer func() {
		cancel()
		f.must(errors.Join(<-ended, <-ended))
	}()

	config := &vitistackv1alpha1.KubevirtConfig{
		ObjectMeta: metav1.ObjectMeta{Name: "west"},
		Spec:       vitistackv1alpha1.KubevirtConfigSpec{Name: "west", KubeconfigSecretRef: "west"},
	}
	f.must(east.admin.Create(t.Context(), config))
	says := func(want string) {
		t.Helper()
		eventually.Eventually(t, 20*time.Second, "the error of the look-up changes", func(context.Context) error {
			_, err := manager.GetClientForConfig(t.Context(), "west")
			if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
				return fmt.Errorf("-want +got:\n%s", diff)
			}
			return nil
		})
	}
	says("KubevirtConfig west has no secretNamespace")
	config.Spec.SecretNamespace = f.namespace
	f.must(east.admin.Update(t.Context(), config))
	says("KubevirtConfig west: failed to get kubeconfig secret " + f.namespace + "/west")
	secret := f.secret("west", nil)
	secret.Data = map[string][]byte{"value": f.admin(west, west.Addr())}
	f.must(east.admin.Create(t.Context(), secret))
	says("<nil>")

	elsewhere := f.namespace + "-elsewhere" // no cache holds it
	config.Spec.SecretNamespace = elsewhere
	f.must(east.admin.Update(t.Context(), config))
	says("KubevirtConfig west: failed to get kubeconfig secret " + elsewhere + "/west")
	f.must(east.admin.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: elsewhere}}))
	unwatched := f.secret("west", []byte("garbage: [hunter2"))
	unwatched.Namespace = elsewhere
	f.must(east.admin.Create(t.Context(), unwatched))
	says("KubevirtConfig west: failed to create REST config from kubeconfig: is neither YAML nor JSON, near line 1")
	unwatched.Data = map[string][]byte{vitistackv1alpha1.KubeconfigSecretKey: f.admin(west, west.Addr())}
	f.must(east.admin.Update(t.Context(), unwatched))
	says("<nil>")
	remote, err := manager.GetClientForConfig(t.Context(), "west")
	f.must(err)
	f.must(remote.Create(t.Context(), f.configMap("from-cluster-scoped")))
	_, err = manager.GetClientForConfig(t.Context(), "nowhere")
	if diff := cmp.Diff("KubevirtConfig nowhere not found", fmt.Sprint(err)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func defineClusterScoped(ctx context.Context) error {
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(crds.YAML()["kubevirtconfigs.vitistack.io"], &definition); err != nil {
		return err
	}
	definition.Spec.Scope = apiextensionsv1.ClusterScoped
	return east.admin.Create(ctx, &definition)
}
