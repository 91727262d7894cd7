package clusterstatus

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	kubevirtv1 "kubevirt.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// world is a supervisor with KubevirtConfigs, and clusters that a MockClientManager plays.
type world struct {
	t          *testing.T
	supervisor client.Client
	remotes    *clientmgr.MockClientManager
	remote     *reader
	clock      *clocktesting.FakePassiveClock
	events     *events.FakeRecorder
	reconciler *Reconciler
	// patches are the bodies of patches since the last call of took.
	patches []string
	// onPatch, where it is set, is asked before each patch.
	onPatch func(object client.Object) error
	// prune, where it is set, is what a definition of others does to a status that it stores.
	prune func(*vitistackv1alpha1.KubevirtConfigStatus)
	// lag, where it is set, is what the cache shows.
	lag *vitistackv1alpha1.KubevirtConfig
	// blind is a cache that shows no Machines but cached, which need no API server.
	blind  bool
	cached []vitistackv1alpha1.Machine
	// listedAll counts the lists of all Machines, of every cluster.
	listedAll int
}

// reader is a remote cluster with a KubeVirt that works. It counts the lists.
type reader struct {
	client.Reader
	lists int
	err   error
}

func (r *reader) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	r.lists++
	kv := kubevirtv1.KubeVirt{ObjectMeta: metav1.ObjectMeta{Namespace: "kubevirt", Name: "kubevirt"}}
	kv.Status.Phase, kv.Status.ObservedKubeVirtVersion = kubevirtv1.KubeVirtPhaseDeployed, "v1.8.2"
	list.(*kubevirtv1.KubeVirtList).Items = []kubevirtv1.KubeVirt{kv}
	return r.err
}

func (r *reader) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return r.err
}

func schemeOf(t *testing.T) *runtime.Scheme {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		vitistackv1alpha1.AddToScheme, metav1.AddMetaToScheme, corev1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	return scheme
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()
	scheme := schemeOf(t)
	w := &world{t: t, remotes: clientmgr.NewMockClientManager(), clock: clocktesting.NewFakePassiveClock(noon),
		events: events.NewFakeRecorder(100)}
	w.remote = &reader{}
	w.remotes.LiveFunc = func(string) (client.Reader, error) { return w.remote, nil }
	store := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithStatusSubresource(&vitistackv1alpha1.KubevirtConfig{}).
		WithIndex(&vitistackv1alpha1.Machine{}, clientmgr.IndexConfig, clientmgr.ByConfig).Build()
	w.supervisor = interceptor.NewClient(store, interceptor.Funcs{
		Get: w.get, List: w.list, Patch: w.patch, SubResourcePatch: w.patchStatus,
		Update: func(context.Context, client.WithWatch, client.Object, ...client.UpdateOption) error {
			t.Error("an Update: it erases what we do not know")
			return nil
		},
	})
	w.reconciler = NewReconciler(w.supervisor, w.remotes, Options{
		ConfigsNamespace: "configs", Live: store, Events: w.events, Clock: w.clock, Registerer: prometheus.NewRegistry(),
	})
	return w
}

func (w *world) get(
	ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption,
) error {
	if config, ok := object.(*vitistackv1alpha1.KubevirtConfig); ok && w.lag != nil {
		w.lag.DeepCopyInto(config)
		return nil
	}
	return c.Get(ctx, key, object, options...)
}

func (w *world) list(
	ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption,
) error {
	machines, ok := list.(*vitistackv1alpha1.MachineList)
	if chosen := (&client.ListOptions{}).ApplyOptions(options); ok && chosen.FieldSelector == nil {
		w.listedAll++
	}
	if ok && w.blind {
		machines.Items = w.cached
		return nil
	}
	return c.List(ctx, list, options...)
}

func (w *world) noted(object client.Object, patch client.Patch) error {
	body, err := patch.Data(object)
	if err != nil {
		return err
	}
	w.patches = append(w.patches, string(body))
	if w.onPatch != nil {
		return w.onPatch(object)
	}
	return nil
}

func (w *world) patch(
	ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption,
) error {
	if err := w.noted(object, patch); err != nil {
		return err
	}
	return c.Patch(ctx, object, patch, options...)
}

func (w *world) patchStatus(
	ctx context.Context, c client.Client, sub string, object client.Object, patch client.Patch,
	options ...client.SubResourcePatchOption,
) error {
	if err := w.noted(object, patch); err != nil {
		return err
	}
	if err := c.SubResource(sub).Patch(ctx, object, patch, options...); err != nil || w.prune == nil {
		return err
	}
	w.prune(&object.(*vitistackv1alpha1.KubevirtConfig).Status)
	pruned := object.DeepCopyObject().(client.Object)
	if err := c.SubResource(sub).Update(ctx, pruned); err != nil {
		return err
	}
	object.SetResourceVersion(pruned.GetResourceVersion())
	return nil
}

// reconcile runs one reconcile of east and returns when it wants the next.
func (w *world) reconcile() time.Duration {
	w.t.Helper()
	return w.reconcileKey(client.ObjectKey{Namespace: "configs", Name: "east"})
}

func (w *world) reconcileKey(key client.ObjectKey) time.Duration {
	w.t.Helper()
	result, err := w.reconciler.Reconcile(w.t.Context(), ctrl.Request{NamespacedName: key})
	if err != nil {
		w.t.Fatal(err)
	}
	return result.RequeueAfter
}

// took returns the number of patches since it was called last.
func (w *world) took() int {
	defer func() { w.patches = nil }()
	return len(w.patches)
}

func (w *world) wantPatches(reason string, want int) {
	w.t.Helper()
	if patches := strings.Join(w.patches, "\n"); w.took() != want {
		w.t.Errorf("%s: want %d patches, got:\n%s", reason, want, patches)
	}
}

// east is the KubevirtConfig as the API server has it; nil where it is gone.
func (w *world) east() *vitistackv1alpha1.KubevirtConfig {
	w.t.Helper()
	config := &vitistackv1alpha1.KubevirtConfig{}
	err := w.reconciler.options.Live.Get(w.t.Context(), client.ObjectKey{Namespace: "configs", Name: "east"}, config)
	if client.IgnoreNotFound(err) != nil {
		w.t.Fatal(err)
	}
	if err != nil {
		return nil
	}
	return config
}

func (w *world) create(objects ...client.Object) {
	w.t.Helper()
	for _, object := range objects {
		if err := w.supervisor.Create(w.t.Context(), object); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) remove(objects ...client.Object) {
	w.t.Helper()
	for _, object := range objects {
		if err := w.supervisor.Delete(w.t.Context(), object); err != nil {
			w.t.Fatal(err)
		}
	}
}

// wantEvents compares the Events since the last call.
func (w *world) wantEvents(want ...string) {
	w.t.Helper()
	var got []string
	for len(w.events.Events) > 0 {
		got = append(got, <-w.events.Events)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("events: -want +got:\n%s", diff)
	}
}

// placedIn is a Machine with a ledger.
func placedIn(config, name string) *vitistackv1alpha1.Machine {
	ledger := vitistackv1alpha1.Ledger{Config: config, ClusterUID: "uid-east", Namespace: "tenants", VMName: "vm-" + name,
		Nonce: "nonce"}
	return &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{
		Namespace: "tenants", Name: name,
		Annotations: map[string]string{vitistackv1alpha1.AnnotationPlacement: ledger.String()},
	}}
}

// merged is a JSON merge patch (RFC 7386) applied to a document, as an API server does it.
func merged(t *testing.T, document, patch string) map[string]any {
	t.Helper()
	var target, change map[string]any
	for text, into := range map[string]*map[string]any{document: &target, patch: &change} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	merge(target, change)
	return target
}

func merge(target, change map[string]any) {
	for key, value := range change {
		inner, isObject := value.(map[string]any)
		former, wasObject := target[key].(map[string]any)
		switch {
		case value == nil:
			delete(target, key)
		case isObject && wasObject:
			merge(former, inner)
		default:
			target[key] = value
		}
	}
}

func text(document map[string]any) (string, error) {
	content, err := json.Marshal(document)
	return string(content), err
}

func requestFor(object client.Object) ctrl.Request {
	return ctrl.Request{NamespacedName: client.ObjectKeyFromObject(object)}
}
