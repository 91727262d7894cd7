package machine_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

const (
	namespace     = "team-a"
	supervisorID  = "supervisor-uid"
	supervisor    = "supervisor" // its name among the clusters
	machineUID    = types.UID("6f1d1a5e-0000-4000-8000-000000000001")
	east, west    = "cluster-east", "cluster-west"
	vmName        = "vm-web"
	maxPasses     = 30
	anotherUID    = types.UID("6f1d1a5e-0000-4000-8000-0000000000ff")
	anyVM         = "VirtualMachine"
	anyMachine    = "Machine"
	annotationRef = vitistackv1alpha1.AnnotationKubevirtConfig
)

var webKey = types.NamespacedName{Namespace: namespace, Name: "web"}

// world is a supervisor and remote clusters on fake clients, which see every call before and after
// it is done.
type world struct {
	t       testing.TB
	clients map[string]client.Client
	manager *clientmgr.MockClientManager
	options []machine.Option

	mu    sync.Mutex
	calls []call
	// before and after are asked about every call; an error of before undoes the call, one of after
	// only its answer.
	before, after func(call) error
	dead          bool

	stale *vitistackv1alpha1.Machine // what a cache that is behind says of the Machine, nil for the truth
}

// call is one call to one cluster.
type call struct{ cluster, verb, kind string }

func (c call) String() string { return c.cluster + ": " + c.verb + " " + c.kind }

func (c call) writes() bool { return c.verb != "get" && c.verb != "list" }

// newWorld has the supervisor's objects, and remote clusters of the names, each with a namespace
// for the Machines.
func newWorld(t testing.TB, configs []string, objects ...client.Object) *world {
	t.Helper()
	w := &world{t: t, clients: map[string]client.Client{}, manager: clientmgr.NewMockClientManager()}
	w.clients[supervisor] = w.newCluster(supervisor, objects...)
	w.manager.SupervisorClient = w.clients[supervisor]
	for _, config := range configs {
		w.addRemote(config)
	}
	w.options = []machine.Option{machine.WithSettings(worldSettings())}
	return w
}

func worldSettings() machine.Settings {
	return machine.Settings{
		Desired:      desired.Options{SupervisorUID: supervisorID},
		VMNamePrefix: desired.DefaultVMNamePrefix, ConfigsNamespace: "kubevirt-configs",
	}
}

func (w *world) addRemote(config string) {
	w.clients[config] = w.newCluster(config, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}},
		defaultStorageClass())
	w.manager.AddMockedClient(config, w.clients[config])
}

func defaultStorageClass() *storagev1.StorageClass {
	return &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{Name: "fast",
			Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"}},
	}
}

func newScheme(t testing.TB) *runtime.Scheme {
	t.Helper()
	scheme, err := sharedScheme()
	if err != nil {
		t.Fatal(err)
	}
	return scheme
}

// sharedScheme is made once: it knows too many types to make one for each fake client.
var sharedScheme = sync.OnceValues(func() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	attachments := desired.NetworkAttachmentDefinitionKind
	scheme.AddKnownTypeWithName(attachments, &unstructured.Unstructured{})
	scheme.AddKnownTypeWithName(attachments.GroupVersion().WithKind(attachments.Kind+"List"),
		&unstructured.UnstructuredList{})
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, vitistackv1alpha1.AddToScheme, kubevirtv1.AddToScheme, cdiv1beta1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	return scheme, nil
})

// reconciler is a new one: it remembers nothing of what an earlier one did.
func (w *world) reconciler(options ...machine.Option) *machine.MachineReconciler {
	remote := w.clients[supervisor]
	return machine.NewMachineReconciler(remote, remote.Scheme(), w.manager, slices.Concat(w.options, options)...)
}

// reconcile makes one pass over the Machine web.
func (w *world) reconcile(options ...machine.Option) (ctrl.Result, error) {
	w.t.Helper()
	result, err := w.reconciler(options...).Reconcile(w.t.Context(), ctrl.Request{NamespacedName: webKey})
	if w.isDead() {
		return result, errCrash
	}
	return result, err
}

// create makes the two passes of one process that a new Machine needs: one creates, the next keeps
// the books.
func (w *world) create(options ...machine.Option) error {
	w.t.Helper()
	r := w.reconciler(options...)
	for range 2 {
		if _, err := r.Reconcile(w.t.Context(), ctrl.Request{NamespacedName: webKey}); err != nil {
			return err
		}
		if w.isDead() {
			return errCrash
		}
	}
	return nil
}

// reconcileNamed makes one pass over another Machine.
func (w *world) reconcileNamed(name string) error {
	w.t.Helper()
	request := ctrl.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}
	_, err := w.reconciler().Reconcile(w.t.Context(), request)
	return err
}

// settle makes passes, each by a new reconciler, until one writes nothing.
func (w *world) settle(options ...machine.Option) (ctrl.Result, error) {
	w.t.Helper()
	for range maxPasses {
		w.forget()
		if result, err := w.reconcile(options...); len(w.written()) == 0 {
			return result, err
		}
	}
	w.t.Fatalf("after %d passes there is still something to write: %v", maxPasses, w.written())
	return ctrl.Result{}, nil
}

// mustSettle settles without an error in the last pass.
func (w *world) mustSettle(options ...machine.Option) ctrl.Result {
	w.t.Helper()
	result, err := w.settle(options...)
	if err != nil {
		w.t.Fatal(err)
	}
	return result
}

func (w *world) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = nil
}

// written are the writes since the last forget.
func (w *world) written() []string { return w.called(call.writes) }

func (w *world) called(which func(call) bool) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, c := range w.calls {
		if which(c) {
			all = append(all, c.String())
		}
	}
	return all
}

// do runs a call with the faults around it.
func (w *world) do(c call, run func() error) error {
	w.mu.Lock()
	w.calls = append(w.calls, c)
	before, after := w.before, w.after
	w.mu.Unlock()
	if w.isDead() {
		return errCrash
	}
	if before != nil {
		if err := before(c); err != nil {
			return w.dies(err)
		}
	}
	err := run()
	if err == nil && after != nil {
		return w.dies(after(c))
	}
	return err
}

// dies remembers that the process ended: until before and after are taken away, it makes no further
// call.
func (w *world) dies(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = w.dead || errors.Is(err, errCrash)
	return err
}

// isDead reports whether the process has ended.
func (w *world) isDead() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.before == nil && w.after == nil {
		w.dead = false
	}
	return w.dead
}

// silence makes every call to a cluster fail as one that nobody answers.
func (w *world) silence(config string) { w.silenceAs(config, config) }

// silenceAs is silence for a cluster under another KubevirtConfig's name.
func (w *world) silenceAs(config, cluster string) {
	w.manager.AddMockedClient(config, nil)
	w.manager.SetState(clientmgr.State{Config: config, Phase: clientmgr.Disconnected, Reason: clientmgr.ReasonUnreachable,
		ClusterUID: cluster})
}

// wake undoes silence.
func (w *world) wake(config string) { w.wakeAs(config, config) }

// wakeAs is wake for a cluster under another KubevirtConfig's name.
func (w *world) wakeAs(config, cluster string) {
	w.manager.SetState(clientmgr.State{
		Config: config, Phase: clientmgr.Connected, Reason: clientmgr.ReasonConnected, ClusterUID: cluster,
		IdentityVerified: metav1.ConditionTrue,
	})
	w.manager.AddMockedClient(config, w.clients[cluster])
}

// put creates an object, with a UID where it has none.
func (w *world) put(cluster string, object client.Object) {
	w.t.Helper()
	if err := w.clients[cluster].Create(w.t.Context(), object); err != nil {
		w.t.Fatal(err)
	}
}

// edit reads an object, changes it and writes it back.
func edit[T client.Object](w *world, cluster string, key types.NamespacedName, object T, change func(T)) {
	w.t.Helper()
	if err := w.clients[cluster].Get(w.t.Context(), key, object); err != nil {
		w.t.Fatal(err)
	}
	change(object)
	if err := w.clients[cluster].Update(w.t.Context(), object); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) editMachine(change func(*vitistackv1alpha1.Machine)) {
	w.t.Helper()
	edit(w, supervisor, webKey, &vitistackv1alpha1.Machine{}, change)
}
