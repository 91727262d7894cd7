package machine

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/brake"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/metrics"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness/assess"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness/gather"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/removal"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/shards"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/survey"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// MachineReconciler reconciles Machines. Its methods are safe for concurrent use; its fields are
// not to be changed once it runs.
type MachineReconciler struct {
	// Client of the supervisor cluster. Its reads of Machines and of what belongs to them may come
	// from a cache.
	client.Client
	// Scheme knows the types of both sides.
	Scheme *runtime.Scheme
	// KubevirtClientMgr gives the remote clusters.
	KubevirtClientMgr clientmgr.RemoteClusters

	live     client.Reader // of the supervisor, past the cache
	placer   Placer
	judge    judge
	recorder events.EventRecorder
	clock    clock.PassiveClock
	fresh    Freshness
	metrics  *metrics.Machines
	settings Settings
	memory   memory
	payer    *removal.Payer
	assessor *assess.Assessor
	cache    client.Reader // of the supervisor, for what client.Client does not cache
	brake    *brake.Brake
	bites    *metrics.Bites
	share    *shards.Share
	patience time.Duration // with one cluster that is asked whether a Machine can run there
}

// memory is what the reconciler remembers between two reconciles. All of it can be lost without
// harm.
type memory struct {
	facts     survey.Facts
	rest      wake.Rest
	streaks   wake.Streaks
	unwritten wake.Streaks // of statuses that the supervisor refused
	pace      wake.Pace
	rush      wake.Rush
	copies    wake.Copies
	arrivals  wake.Arrivals
	tellings  tellings
	handovers handovers
	// unanswered are the Machines that wait for clusters.
	unanswered unanswered
}

// judge has the last word on a strategy's choice. Production always uses custody.Case.Place; tests
// replace it to show the damage that it prevents.
type judge func(custody.Case, custody.Choice) custody.Finding

// Settings are the operator's. The zero value works.
type Settings struct {
	// Desired are the settings of what is made. Its SupervisorUID tells our objects from another
	// supervisor's. Default: "supervisor", which is right only where no other supervisor uses the
	// same clusters.
	Desired desired.Options
	// Observed are the settings of what is shown.
	Observed observed.Options
	// VMNamePrefix is put before a Machine's name to name its VirtualMachine (VM_NAME_PREFIX). ""
	// is none.
	VMNamePrefix string
	// DefaultConfig is the KubevirtConfig for Machines that name none (DEFAULT_KUBEVIRT_CONFIG). ""
	// is none.
	DefaultConfig string
	// ConfigsNamespace is the namespace of the KubevirtConfigs (KUBEVIRT_CONFIGS_NAMESPACE). Debts
	// are written there.
	ConfigsNamespace string
	// AllowUnverifiedIdentity lets Machines be placed in a cluster that never let its identity be
	// read.
	AllowUnverifiedIdentity bool
	// StrictUniqueness lets no Machine be placed before every cluster has answered, not even a
	// fresh one (--uniqueness=Strict).
	StrictUniqueness bool
	// LegacySupervisorPVCs deletes a Machine's PVCs in the supervisor too
	// (--legacy-supervisor-claims).
	LegacySupervisorPVCs bool
	// Brake says how many deletions may go at once (--deletion-brake). The zero value lets all go.
	Brake brake.Rule
}

// Freshness knows which Machines cannot have a VirtualMachine yet.
type Freshness interface {
	// Fresh reports whether this process saw the Machine being created, and never saw it placed. It
	// does no I/O.
	Fresh(machine *vitistackv1alpha1.Machine) bool
	// Placed remembers that the Machine was placed, and the ledger that it carries.
	Placed(machine *vitistackv1alpha1.Machine)
	// Recorded reports whether the Machine carries the ledger that Placed has seen last, while nothing
	// that happened to Machines since can have been missed. It does no I/O.
	Recorded(machine *vitistackv1alpha1.Machine) bool
}

// Option changes what NewMachineReconciler builds.
type Option func(*MachineReconciler)

// WithPlacement sets who places Machines: a placement.Chain, or a plugin host. Without it only
// placement.Explicit decides.
func WithPlacement(placer Placer) Option {
	return func(r *MachineReconciler) { r.placer = placer }
}

// WithSettings sets the operator's settings.
func WithSettings(settings Settings) Option {
	return func(r *MachineReconciler) { r.settings = settings }
}

// WithLiveReader sets the reader that asks the supervisor's API server itself. Without it the
// client is used.
func WithLiveReader(reader client.Reader) Option {
	return func(r *MachineReconciler) { r.live = reader }
}

// WithEvents sets who takes the Events. Without it there are none.
func WithEvents(recorder events.EventRecorder) Option {
	return func(r *MachineReconciler) { r.recorder = recorder }
}

// WithFreshness sets who knows which Machines are new. Without it none is, so that placing needs an
// answer from every cluster.
func WithFreshness(fresh Freshness) Option {
	return func(r *MachineReconciler) { r.fresh = fresh }
}

// WithPatience sets how long one cluster is asked whether a Machine can run there. Without it that
// is gather.DefaultTimeout.
func WithPatience(patience time.Duration) Option {
	return func(r *MachineReconciler) { r.patience = patience }
}

// WithCache sets the reader of the supervisor's cache, for the metadata of namespaces, which the client
// does not read from it. Without it the client is used.
func WithCache(cache client.Reader) Option {
	return func(r *MachineReconciler) { r.cache = cache }
}

// WithBites sets who counts how often the brake bites. Without it nobody does.
func WithBites(bites *metrics.Bites) Option {
	return func(r *MachineReconciler) { r.bites = bites }
}

// WithShare sets which Machines are looked after. Without it all are.
func WithShare(share *shards.Share) Option {
	return func(r *MachineReconciler) { r.share = share }
}

// WithMetrics sets who takes down times and failures. Without it nobody does.
func WithMetrics(machines *metrics.Machines) Option {
	return func(r *MachineReconciler) { r.metrics = machines }
}

// WithClock sets the time. Without it, it is the real one.
func WithClock(now clock.PassiveClock) Option {
	return func(r *MachineReconciler) { r.clock = now }
}

// NewMachineReconciler returns a reconciler for the Machines of a supervisor cluster. It does no
// I/O.
func NewMachineReconciler(
	supervisor client.Client, scheme *runtime.Scheme, clientManager clientmgr.RemoteClusters, options ...Option,
) *MachineReconciler {
	r := &MachineReconciler{
		Client: supervisor, Scheme: scheme, KubevirtClientMgr: clientManager,
		live:     supervisor,
		cache:    supervisor,
		placer:   placement.Chain{{Strategy: placement.Explicit{}}},
		judge:    custody.Case.Place,
		clock:    clock.RealClock{},
		settings: Settings{VMNamePrefix: desired.DefaultVMNamePrefix},
	}
	for _, option := range options {
		option(r)
	}
	if r.settings.Desired.SupervisorUID == "" {
		r.settings.Desired.SupervisorUID = loneSupervisor
	}
	book := removal.Book{Writer: r.Client, Server: r.live, Namespace: r.settings.ConfigsNamespace}
	r.brake = brake.New(brake.Options{
		Rule: r.settings.Brake, Cache: r.cache, Clock: r.clock,
		Book: brake.Book{Writer: r.Client, Server: r.live, Namespace: r.settings.ConfigsNamespace},
	})
	r.payer = removal.NewPayer(book, clientManager, side.SupervisorServer{Reader: r.live}, r.settings.Desired)
	r.payer.Clock = r.clock
	r.assessor = assess.New(clientManager, assess.Options{
		Supervisor: side.SupervisorCache{Reader: r.Client}, Live: side.SupervisorServer{Reader: r.live},
		Desired: r.settings.Desired, VMNamePrefix: r.settings.VMNamePrefix,
		Gather: gather.Options{Timeout: r.patience, Clock: r.clock},
	})
	return r
}

// loneSupervisor is the identity of a supervisor that has none. It tells nothing apart where two
// supervisors share a cluster.
const loneSupervisor = "supervisor"

// Payer pays what is owed to clusters that gave no answer when their Machines were let go.
func (r *MachineReconciler) Payer() *removal.Payer { return r.payer }

// Reconcile brings one Machine and its VirtualMachine together, as far as that is possible now.
func (r *MachineReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	machine := &vitistackv1alpha1.Machine{}
	if err := r.Get(ctx, req.NamespacedName, machine); err != nil {
		r.forget(req.NamespacedName)
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !IsOurs(machine) {
		return ctrl.Result{}, nil
	}
	if !r.share.Owns(machine) { // another shard's
		r.forget(req.NamespacedName)
		return ctrl.Result{}, nil
	}
	now := r.clock.Now()
	if wait := r.handedOver(machine, now); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	if later := r.memory.rush.Remaining(machine.UID, now); later > 0 && machine.DeletionTimestamp.IsZero() {
		return ctrl.Result{RequeueAfter: later}, nil
	}
	if after, skip := r.memory.rest.Skip(ctx, req.NamespacedName, r.restNow(ctx, machine, now)); skip &&
		!r.memory.copies.Changed(machine.UID) {
		r.memory.arrivals.Take(req.NamespacedName) // the status shows it
		return ctrl.Result{RequeueAfter: after}, nil
	}
	return r.finish(ctx, r.pass(ctx, machine, now))
}

// pass goes the steps that a Machine needs: those of one that is wanted, or those of one that is
// being deleted.
func (r *MachineReconciler) pass(ctx context.Context, machine *vitistackv1alpha1.Machine, now time.Time) report {
	view := report{before: machine, Input: observed.Input{Machine: machine, Options: r.settings.Observed, Now: now},
		reads: &wake.Reads{}, news: r.memory.arrivals.Take(client.ObjectKeyFromObject(machine))}
	switch {
	case machine.Annotations[vitistackv1alpha1.AnnotationPaused] == "true":
		return r.paused(view)
	case !machine.DeletionTimestamp.IsZero():
		return r.gone(ctx, view)
	default:
		return r.wanted(ctx, view)
	}
}

// forget drops what is remembered of a Machine that is gone.
func (r *MachineReconciler) forget(key types.NamespacedName) {
	r.memory.rest.Forget(key)
	r.memory.streaks.End(key)
	r.memory.unwritten.End(key)
	r.memory.unanswered.forget(key)
	r.memory.handovers.forget(key)
	r.memory.tellings.forget(key)
	r.memory.arrivals.Take(key)
	for _, kind := range []brake.Kind{brake.Deletion, brake.Change} {
		r.brake.Withdraw(kind, key)
	}
}

// restNow is what the Machine's last reads are compared with.
func (r *MachineReconciler) restNow(ctx context.Context, machine *vitistackv1alpha1.Machine, now time.Time) wake.Now {
	return wake.Now{
		Machine: machine.ResourceVersion, Supervisor: r.Client, Time: now,
		Remote: func(config string) (client.Reader, time.Time, error) {
			state, _ := r.KubevirtClientMgr.State(config)
			remote, err := r.KubevirtClientMgr.GetClientForConfig(ctx, config)
			return remote, state.Since, err
		},
	}
}

// IsOurs reports whether a Machine is for this operator. A Machine that carries the operator's
// finalizer is, whatever its provider says now: the operator has to take that off again.
func IsOurs(machine *vitistackv1alpha1.Machine) bool {
	if controllerutil.ContainsFinalizer(machine, vitistackv1alpha1.FinalizerMachine) {
		return true
	}
	provider := machine.Spec.Provider
	if provider == "" {
		provider = machine.Spec.ProviderConfig.Name
	}
	return provider == "" || provider == vitistackv1alpha1.ProviderKubevirt
}
