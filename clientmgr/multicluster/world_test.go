package multicluster_test

import (
	"context"
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
	provider *multicluster.Provider
	manager  mcmanager.Manager
	west     client.Client
	east     client.Client
	eastern  *controlplane.Cluster
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
	w.eastern = east
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
	w.provider = multicluster.New(w.clusters, multicluster.Options{})
	w.manager, err = mcmanager.WithMultiCluster(local, w.provider)
	w.must(err)
	w.must(w.manager.GetFieldIndexer().IndexField(t.Context(), &corev1.ConfigMap{}, "data.colour", func(o client.Object) []string {
		return []string{o.(*corev1.ConfigMap).Data["colour"]}
	}))
	w.must(mcbuilder.ControllerManagedBy(w.manager).Named("configmaps-" + t.Name()).For(&corev1.ConfigMap{}).Complete(
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

// kubeconfig is an administrator's of a cluster that is reached at an address.
func (w *world) kubeconfig(of *controlplane.Cluster, addr string) []byte {
	w.t.Helper()
	pair, err := of.ClientCertificate(controlplane.User{Name: "operator", Groups: []string{"system:masters"}})
	w.must(err)
	kubeconfig, err := controlplane.Kubeconfig{Cluster: of.Name(), User: "operator", Server: "https://" + addr,
		CA: of.ServingCA(), Client: pair}.Bytes()
	w.must(err)
	return kubeconfig
}

// config makes a KubevirtConfig with its Secret.
func (w *world) config(name string, of *controlplane.Cluster, addr string) {
	w.t.Helper()
	meta := metav1.ObjectMeta{Namespace: "default", Name: name}
	w.must(w.west.Create(w.t.Context(),
		&corev1.Secret{ObjectMeta: meta, Data: map[string][]byte{"kubeconfig": w.kubeconfig(of, addr)}}))
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
	w.locked.seen[string(request.ClusterName)+"/"+request.Name] = fmt.Sprintf("%s %d", object.Data["colour"], len(alike.Items))
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
