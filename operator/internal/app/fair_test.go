package app

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/clock"
	kubevirtv1 "kubevirt.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/vitistack/kubevirt-multicluster/api/crds"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

const (
	hotMachines, coldMachines = 16, 16
	maxStarvingPasses         = 20 * (hotMachines + coldMachines)
)

// pestered is the supervisor with somebody who changes each hot Machine whenever it is looked at,
// as one would be who answers every pass.
type pestered struct {
	client.Client
	t *testing.T

	mu     sync.Mutex
	passes int
	cold   map[string]bool // that were looked at
	over   chan struct{}   // closed when all of them were, or after too many passes
}

func newPestered(t *testing.T, c client.Client) *pestered {
	return &pestered{Client: c, t: t, cold: map[string]bool{}, over: make(chan struct{})}
}

// Get implements client.Reader.
func (p *pestered) Get(
	ctx context.Context, key client.ObjectKey, object client.Object, options ...client.GetOption,
) error {
	m, ok := object.(*vitistackv1alpha1.Machine)
	if ok && p.note(key.Name) && strings.HasPrefix(key.Name, "a-hot") {
		m.Namespace, m.Name = key.Namespace, key.Name
		patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"example.com/touched":"%d"}}}`, time.Now().UnixNano())
		if err := p.Patch(ctx, m, client.RawPatch(types.MergePatchType, patch)); err != nil {
			return err
		}
	}
	return p.Client.Get(ctx, key, object, options...)
}

// List implements client.Reader. Copies of all Machines for each event of something else would be
// dear in a fleet of thousands.
func (p *pestered) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	if _, ok := list.(*vitistackv1alpha1.MachineList); ok {
		asked := (&client.ListOptions{}).ApplyOptions(options)
		all := asked.FieldSelector == nil && asked.Namespace == ""
		if all || asked.UnsafeDisableDeepCopy == nil || !*asked.UnsafeDisableDeepCopy {
			p.t.Errorf("Machines are listed without an index, or copied: %+v", asked)
		}
	}
	return p.Client.List(ctx, list, options...)
}

// note counts a pass, and says whether the matter is still open.
func (p *pestered) note(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isOver() {
		return false
	}
	p.passes++
	if strings.HasPrefix(name, "b-cold") {
		p.cold[name] = true
	}
	if p.isOver() {
		close(p.over)
	}
	return true
}

func (p *pestered) isOver() bool { return len(p.cold) == coldMachines || p.passes >= maxStarvingPasses }

// starved waits for the end of the matter, and returns how many cold Machines nobody has looked at,
// after how many passes.
func (p *pestered) starved() (starved, passes int) {
	p.t.Helper()
	select {
	case <-p.over:
	case <-time.After(2 * time.Minute):
		p.t.Error("neither were all Machines looked at, nor one too often")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return coldMachines - len(p.cold), p.passes
}

// TestHotMachinesStarveNobody starts on Machines that are there already, half of which are changed
// again whenever they are looked at. After a start the others waited for ever: in
// controller-runtime's default queue what changes goes before what was listed first (D9).
func TestHotMachinesStarveNobody(t *testing.T) {
	t.Parallel()
	cluster := newSupervisor(t, "fair")
	scheme, err := NewScheme()
	must(t, err)
	direct, err := client.New(cluster.Config(), client.Options{Scheme: scheme})
	must(t, err)
	ctrl.SetLogger(logr.Discard())
	for i := range hotMachines {
		create(t, direct, fmt.Sprintf("a-hot-%02d", i))
	}
	for i := range coldMachines {
		create(t, direct, fmt.Sprintf("b-cold-%02d", i))
	}

	t.Run("TheDefaultQueue", func(t *testing.T) {
		mgr := newFairManager(t, cluster)
		supervisor := newPestered(t, mgr.GetClient())
		reconciler := newFairReconciler(t, mgr, supervisor)
		must(t, ctrl.NewControllerManagedBy(mgr).Named("starving").For(&vitistackv1alpha1.Machine{}).
			WithOptions(controller.Options{MaxConcurrentReconciles: 1, UsePriorityQueue: new(true)}).Complete(reconciler))
		start(t, mgr)
		starved, passes := supervisor.starved()
		t.Logf("%d of %d Machines were never looked at in %d passes", starved, coldMachines, passes)
		if starved == 0 {
			t.Error("nobody starves where somebody should: the test below proves nothing")
		}
	})
	t.Run("Ours", func(t *testing.T) {
		mgr := newFairManager(t, cluster)
		supervisor := newPestered(t, mgr.GetClient())
		reconciler := newFairReconciler(t, mgr, supervisor)
		must(t, reconciler.SetupWithManager(mgr, machine.ControllerOptions{MaxConcurrentReconciles: 1}))
		start(t, mgr)
		starved, passes := supervisor.starved()
		t.Logf("%d of %d Machines were never looked at in %d passes", starved, coldMachines, passes)
		if starved > 0 {
			t.Error("Machines that change starve those that do not")
		}
	})
}

// TestDefaultClassWakes: a Machine without a class whose default one could not be used lay there
// when that was repaired.
func TestDefaultClassWakes(t *testing.T) {
	t.Parallel()
	cluster := newSupervisor(t, "classes")
	mgr := newFairManager(t, cluster)
	reconciler := newFairReconciler(t, mgr, newPestered(t, mgr.GetClient()))
	must(t, reconciler.SetupWithManager(mgr, machine.ControllerOptions{}))
	start(t, mgr)
	// The cache may not yet show what was just written.
	supervisor, live := mgr.GetClient(), mgr.GetAPIReader()
	class := &vitistackv1alpha1.MachineClass{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
	class.Spec.Default, class.Spec.CPU.Cores, class.Spec.Memory.Quantity = true, 3, resource.MustParse("1")
	must(t, supervisor.Create(t.Context(), class))
	m := create(t, supervisor, "classless")
	until(t, func() string {
		must(t, live.Get(t.Context(), client.ObjectKeyFromObject(m), m))
		if m.Status.FailureReason != vitistackv1alpha1.ReasonInvalidSpec {
			return "a class of one byte is taken: " + m.Status.Message
		}
		return ""
	})
	before := class.DeepCopy()
	class.Spec.Memory.Quantity = resource.MustParse("1Gi")
	must(t, supervisor.Patch(t.Context(), class, client.MergeFrom(before)))
	until(t, func() string {
		vm := &kubevirtv1.VirtualMachine{}
		remote, err := reconciler.KubevirtClientMgr.GetClientForConfig(t.Context(), "east")
		must(t, err)
		if err := remote.Get(t.Context(), client.ObjectKey{Namespace: m.Namespace, Name: m.Name}, vm); err != nil {
			return err.Error()
		}
		if cores := vm.Spec.Template.Spec.Domain.CPU.Cores; cores != 3 {
			return fmt.Sprintf("%d cores are not those of the class", cores)
		}
		return ""
	})
}

func create(t *testing.T, c client.Client, name string) *vitistackv1alpha1.Machine {
	t.Helper()
	m := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{
		Namespace: "default", Name: name, Annotations: map[string]string{vitistackv1alpha1.AnnotationKubevirtConfig: "east"},
	}}
	must(t, c.Create(t.Context(), m))
	return m
}

func newSupervisor(t *testing.T, name string) *controlplane.Cluster {
	t.Helper()
	cluster := controlplane.New(t, controlplane.Options{Name: name})
	definitions, err := decodeDefinitions(crds.YAML())
	must(t, err)
	_, err = envtest.InstallCRDs(cluster.Config(), envtest.CRDInstallOptions{CRDs: definitions})
	must(t, err)
	return cluster
}

// nameless is a manager of which there may be several in one process.
type nameless struct{ ctrl.Manager }

// GetControllerOptions implements ctrl.Manager.
func (nameless) GetControllerOptions() config.Controller {
	return config.Controller{SkipNameValidation: new(true)}
}

func newFairManager(t *testing.T, cluster *controlplane.Cluster) ctrl.Manager {
	t.Helper()
	options := Options{MetricsAddress: "0", ProbeAddress: "0", WatchSelector: labels.Everything()}
	options.Machine.ConfigsNamespace = "default"
	newCache := watched(wake.NewWatcher(clock.RealClock{}, logr.Discard()), clientmgr.NewContinuity())
	mgr, err := NewManager(cluster.Config(), options, newCache)
	must(t, err)
	return nameless{mgr}
}

// newFairReconciler has a remote cluster that is a fake: it is the supervisor's side that counts
// here.
func newFairReconciler(t *testing.T, mgr ctrl.Manager, supervisor client.Client) *machine.MachineReconciler {
	t.Helper()
	remote := fake.NewClientBuilder().WithScheme(mgr.GetScheme()).WithObjects(
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default"}},
		&storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{
			Name: "fast", Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"},
		}},
	).Build()
	manager := clientmgr.NewMockClientManager()
	manager.SupervisorClient = supervisor
	manager.AddMockedClient("east", remote)
	settings := machine.Settings{ConfigsNamespace: "default"}
	settings.Desired.SupervisorUID = "supervisor-uid"
	return machine.NewMachineReconciler(supervisor, mgr.GetScheme(), manager,
		machine.WithSettings(settings), machine.WithLiveReader(mgr.GetAPIReader()))
}

func start(t *testing.T, mgr ctrl.Manager) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		must(t, <-ended)
	})
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		t.Fatal("the cache does not fill")
	}
}

func until(t *testing.T, what func() string) {
	t.Helper()
	last := ""
	said := func(context.Context) (bool, error) {
		last = what()
		return last == "", nil
	}
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, time.Minute, true, said)
	if err != nil {
		t.Fatal(last)
	}
}
