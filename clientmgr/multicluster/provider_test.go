package multicluster_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	mcbuilder "sigs.k8s.io/multicluster-runtime/pkg/builder"
	mcmanager "sigs.k8s.io/multicluster-runtime/pkg/manager"
	mc "sigs.k8s.io/multicluster-runtime/pkg/multicluster"
	mcreconcile "sigs.k8s.io/multicluster-runtime/pkg/reconcile"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/api/crds"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
	multicluster "github.com/vitistack/kubevirt-multicluster/clientmgr/multicluster"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// world is a multicluster manager with one controller of ConfigMaps, over two remote clusters; west
// is the supervisor itself.
type world struct {
	t        *testing.T
	clusters *clientmgr.KubevirtClientManager
	manager  mcmanager.Manager
	west     client.Client
	east     client.Client
	proxy    *faults.Proxy

	locked struct {
		sync.Mutex
		seen map[string]string // "cluster/name" of a ConfigMap, and what it held
	}
}

var seen = labels.Set{"seen": "true"}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t}
	w.locked.seen = map[string]string{}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, vitistackv1alpha1.AddToScheme} {
		w.must(add(scheme))
	}
	supervisor, east := controlplane.New(t, controlplane.Options{Name: "west"}),
		controlplane.New(t, controlplane.Options{Name: "east"})
	var definition apiextensionsv1.CustomResourceDefinition
	w.must(yaml.Unmarshal(crds.YAML()["kubevirtconfigs.vitistack.io"], &definition))
	_, err := envtest.InstallCRDs(supervisor.Config(),
		envtest.CRDInstallOptions{CRDs: []*apiextensionsv1.CustomResourceDefinition{&definition}})
	w.must(err)
	w.west, err = client.New(supervisor.Config(), client.Options{Scheme: scheme})
	w.must(err)
	w.east, err = client.New(east.Config(), client.Options{Scheme: scheme})
	w.must(err)
	w.proxy, err = faults.Start(faults.Options{Target: east.Addr()})
	w.must(err)
	t.Cleanup(func() { w.must(w.proxy.Close()) })

	local, err := ctrl.NewManager(supervisor.Config(), ctrl.Options{
		Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"},
		Cache: cache.Options{ByObject: clientmgr.SupervisorCache(true, "default")},
	})
	w.must(err)
	w.clusters, err = clientmgr.NewKubevirtClientManager(local.GetClient(), local.GetCache(), clientmgr.Options{
		Options: clusters.Options{
			Kinds: map[client.Object]cache.ByObject{&corev1.ConfigMap{}: {Label: labels.SelectorFromSet(seen)}},
			Connection: clusters.Connection{
				Probe: clusters.Probe{Interval: time.Second, Timeout: 2 * time.Second}, BackoffMax: time.Second,
			},
			Registerer: prometheus.NewRegistry(),
		},
	})
	w.must(err)
	w.must(local.Add(w.clusters))
	provider := multicluster.New(w.clusters, multicluster.Options{})
	w.manager, err = mcmanager.WithMultiCluster(local, provider)
	w.must(err)
	w.must(provider.IndexField(t.Context(), &corev1.ConfigMap{}, "data.colour", func(o client.Object) []string {
		return []string{o.(*corev1.ConfigMap).Data["colour"]}
	}))
	w.must(mcbuilder.ControllerManagedBy(w.manager).Named("configmaps").For(&corev1.ConfigMap{}).Complete(
		mcreconcile.Func(w.reconcile)))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.manager.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		w.must(<-ended)
	})
	w.config("west", supervisor, supervisor.Addr())
	w.config("east", east, w.proxy.Addr())
	return w
}

func (w *world) config(name string, of *controlplane.Cluster, addr string) {
	w.t.Helper()
	pair, err := of.ClientCertificate(controlplane.User{Name: "operator", Groups: []string{"system:masters"}})
	w.must(err)
	kubeconfig, err := controlplane.Kubeconfig{Cluster: name, User: "operator", Server: "https://" + addr,
		CA: of.ServingCA(), Client: pair}.Bytes()
	w.must(err)
	meta := metav1.ObjectMeta{Namespace: "default", Name: name}
	w.must(w.west.Create(w.t.Context(),
		&corev1.Secret{ObjectMeta: meta, Data: map[string][]byte{"kubeconfig": kubeconfig}}))
	w.must(w.west.Create(w.t.Context(), &vitistackv1alpha1.KubevirtConfig{ObjectMeta: meta,
		Spec: vitistackv1alpha1.KubevirtConfigSpec{Name: name, KubeconfigSecretRef: name}}))
}

// reconcile reads a ConfigMap from the cache of its cluster, by name and by index.
func (w *world) reconcile(ctx context.Context, request mcreconcile.Request) (ctrl.Result, error) {
	of, err := w.manager.GetCluster(ctx, request.ClusterName)
	if err != nil {
		return ctrl.Result{}, err
	}
	var object corev1.ConfigMap
	if err := of.GetClient().Get(ctx, request.NamespacedName, &object); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	var alike corev1.ConfigMapList
	if err := of.GetCache().List(ctx, &alike, client.MatchingFields{"data.colour": object.Data["colour"]}); err != nil {
		return ctrl.Result{}, err
	}
	w.locked.Lock()
	defer w.locked.Unlock()
	w.locked.seen[request.ClusterName+"/"+request.Name] = fmt.Sprintf("%s %d", object.Data["colour"], len(alike.Items))
	return ctrl.Result{}, nil
}

func (w *world) create(in client.Client, name, colour string) {
	w.t.Helper()
	w.must(in.Create(w.t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: seen},
		Data:       map[string]string{"colour": colour}}))
}

func (w *world) sees(key, want string) {
	w.t.Helper()
	eventually.Eventually(w.t, time.Minute, "the controller sees the object", func(context.Context) error {
		w.locked.Lock()
		defer w.locked.Unlock()
		if got := w.locked.seen[key]; got != want {
			return fmt.Errorf("%s: want %q, got %q", key, want, got)
		}
		return nil
	})
}

func TestProvider(t *testing.T) {
	w := newWorld(t)
	w.create(w.east, "before", "red")
	w.create(w.west, "before", "blue")
	w.sees("east/before", "red 1")
	w.sees("west/before", "blue 1")
	first, err := w.manager.GetCluster(t.Context(), "east")
	w.must(err)
	w.notCached(first.GetCache())

	w.must(w.proxy.Set(faults.Fault{Kind: faults.Blackhole}))
	eventually.Eventually(w.t, time.Minute, "the black-holed cluster is not trusted", func(context.Context) error {
		if _, err := w.manager.GetCluster(t.Context(), "east"); !errors.Is(err, clientmgr.ErrNotConnected) ||
			errors.Is(err, mc.ErrClusterNotFound) {
			return fmt.Errorf("a black-holed cluster: want ErrNotConnected, got %w", err)
		}
		return nil
	})
	w.create(w.west, "meanwhile", "blue")
	w.sees("west/meanwhile", "blue 2")
	w.create(w.east, "meanwhile", "green")
	w.must(w.proxy.Set(faults.Fault{}))
	w.sees("east/meanwhile", "green 1")
	if again, err := w.manager.GetCluster(t.Context(), "east"); err != nil || again != first {
		t.Errorf("loss of contact has made another cluster of it: %v", err)
	}

	w.clusters.InvalidateClient("east")
	eventually.Eventually(w.t, time.Minute, "the cluster is connected anew", func(context.Context) error {
		if again, err := w.manager.GetCluster(t.Context(), "east"); err != nil || again == first {
			return fmt.Errorf("not connected anew: %w", err)
		}
		return nil
	})
	w.create(w.east, "anew", "red")
	w.sees("east/anew", "red 2")

	w.must(w.west.Delete(t.Context(),
		&vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "east"}}))
	eventually.Eventually(w.t, time.Minute, "the cluster is gone", func(context.Context) error {
		if _, err := w.manager.GetCluster(t.Context(), "east"); !errors.Is(err, mc.ErrClusterNotFound) {
			return fmt.Errorf("want ErrClusterNotFound, got %w", err)
		}
		return nil
	})
	w.create(w.west, "after", "yellow")
	w.sees("west/after", "yellow 1")
}

// notCached checks that nothing starts or stops an informer that others did not ask for.
func (w *world) notCached(shared cache.Cache) {
	w.t.Helper()
	var missing *cache.ErrResourceNotCached
	if err := shared.Get(w.t.Context(), client.ObjectKey{Namespace: "default", Name: "x"}, &corev1.Pod{}); !errors.As(err,
		&missing) {
		w.t.Errorf("a read of an undeclared kind: %v", err)
	}
	if _, err := shared.GetInformer(w.t.Context(), &corev1.Pod{}); !errors.As(err, &missing) {
		w.t.Errorf("an informer of an undeclared kind: %v", err)
	}
	if _, err := shared.GetInformerForKind(w.t.Context(), corev1.SchemeGroupVersion.WithKind("Pod")); !errors.As(err,
		&missing) {
		w.t.Errorf("an informer of an undeclared kind: %v", err)
	}
	if err := shared.RemoveInformer(w.t.Context(), &corev1.ConfigMap{}); err == nil {
		w.t.Error("others' informer was removed")
	}
}
