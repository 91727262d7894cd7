package machine

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	kubevirtv1 "kubevirt.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/capacity"
	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// MachineReconciler reconciles Machines. Its methods are safe for concurrent use; its fields are not to be changed once it runs.
type MachineReconciler struct {
	// Client of the supervisor cluster. Its reads of Machines and of what belongs to them may come from a cache.
	client.Client
	// Scheme knows the types of both sides.
	Scheme *runtime.Scheme
	// KubevirtClientMgr gives the remote clusters.
	KubevirtClientMgr clientmgr.RemoteClusters

	live     client.Reader // of the supervisor, past the cache
	placer   Placer
	verdict  verdict
	seen     *seen
	recorder events.EventRecorder
	clock    clock.PassiveClock
	fresh    Freshness
	settings Settings
	pace     *pace
	rest     *rest
	indebted chan string // KubevirtConfigs in whose clusters something is owed since now
}

// seen is what was seen of remote clusters a moment ago.
type seen struct {
	room       recent[capacity.Room]              // by config
	classes    recent[[]string]                   // of storage, by cluster
	made       recent[*kubevirtv1.VirtualMachine] // by the Machine's UID
	namespaces recent[struct{}]                   // by cluster and name
}

// Settings are the operator's. The zero value works.
type Settings struct {
	// Desired are the settings of what is made. Its SupervisorUID tells our objects from another supervisor's.
	Desired desired.Options
	// Observed are the settings of what is shown.
	Observed observed.Options
	// VMNamePrefix is put before a Machine's name to name its VirtualMachine (VM_NAME_PREFIX).
	VMNamePrefix string
	// DefaultConfig is the KubevirtConfig for Machines that name none (DEFAULT_KUBEVIRT_CONFIG). "" is none.
	DefaultConfig string
	// ConfigsNamespace is the namespace of the KubevirtConfigs (KUBEVIRT_CONFIGS_NAMESPACE). It is for messages.
	ConfigsNamespace string
	// AllowUnverifiedIdentity lets Machines be placed in a cluster that does not let its identity be read.
	AllowUnverifiedIdentity bool
	// StrictUniqueness lets no Machine be placed before every cluster has answered, not even a fresh one (--uniqueness=Strict).
	StrictUniqueness bool
}

// Freshness knows which Machines cannot have a VirtualMachine yet.
type Freshness interface {
	// Fresh reports whether this process saw the Machine being created, and never saw it placed. It does no I/O.
	Fresh(machine *vitistackv1alpha1.Machine) bool
	// Placed remembers that the Machine was placed.
	Placed(machine *vitistackv1alpha1.Machine)
}

// Option changes what NewMachineReconciler builds.
type Option func(*MachineReconciler)

// WithPlacement sets who places Machines: a placement.Chain, or a plugin host. Without it only placement.Explicit decides.
func WithPlacement(placer Placer) Option {
	return func(r *MachineReconciler) { r.placer = placer }
}

// WithSettings sets the operator's settings.
func WithSettings(settings Settings) Option {
	return func(r *MachineReconciler) { r.settings = settings }
}

// WithLiveReader sets the reader that asks the supervisor's API server itself. Without it the client is used.
func WithLiveReader(reader client.Reader) Option {
	return func(r *MachineReconciler) { r.live = reader }
}

// WithEvents sets who takes the Events. Without it there are none.
func WithEvents(recorder events.EventRecorder) Option {
	return func(r *MachineReconciler) { r.recorder = recorder }
}

// WithFreshness sets who knows which Machines are new. Without it none is, so that placing needs an answer from every cluster.
func WithFreshness(fresh Freshness) Option {
	return func(r *MachineReconciler) { r.fresh = fresh }
}

// WithClock sets the time. Without it, it is the real one.
func WithClock(now clock.PassiveClock) Option {
	return func(r *MachineReconciler) { r.clock = now }
}

// NewMachineReconciler returns a reconciler for the Machines of a supervisor cluster. It does no I/O.
func NewMachineReconciler(supervisor client.Client, scheme *runtime.Scheme, clientManager clientmgr.RemoteClusters, options ...Option) *MachineReconciler {
	r := &MachineReconciler{
		Client: supervisor, Scheme: scheme, KubevirtClientMgr: clientManager,
		live:     supervisor,
		placer:   placement.Chain{{Strategy: placement.Explicit{}}},
		verdict:  (*pass).guard,
		seen:     &seen{},
		clock:    clock.RealClock{},
		settings: Settings{VMNamePrefix: desired.DefaultVMNamePrefix},
		pace:     &pace{},
		rest:     newRest(),
		indebted: make(chan string, 64),
	}
	for _, option := range options {
		option(r)
	}
	return r
}

// Reconcile brings one Machine and its VirtualMachine together, as far as that is possible now.
func (r *MachineReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	machine := &vitistackv1alpha1.Machine{}
	if err := r.Get(ctx, req.NamespacedName, machine); err != nil {
		r.rest.forget(req.NamespacedName)
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !isOurs(machine) {
		return ctrl.Result{}, nil
	}
	p := r.newPass(machine)
	if p.isResting(ctx) {
		return ctrl.Result{}, nil
	}
	return p.finish(ctx, p.run(ctx))
}

// isOurs tells whether a Machine is for this operator. One that it has begun with stays its own whatever its provider says now: somebody
// has to take the finalizer off.
func isOurs(machine *vitistackv1alpha1.Machine) bool {
	if controllerutil.ContainsFinalizer(machine, vitistackv1alpha1.FinalizerMachine) {
		return true
	}
	provider := machine.Spec.Provider
	if provider == "" {
		provider = machine.Spec.ProviderConfig.Name
	}
	return provider == "" || provider == vitistackv1alpha1.ProviderKubevirt
}

// uncached goes with writes of kinds that the supervisor's cache does not hold: a client that lets reads see earlier writes would else watch
// all objects of the kind, and block for ever where it has no right to.
const uncached = client.DisableReadYourWritesConsistency

// remoteTimeout bounds the live look at one remote cluster.
const remoteTimeout = 2 * time.Second
