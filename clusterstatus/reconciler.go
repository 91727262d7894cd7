package clusterstatus

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/startup"
)

// Remotes is what is needed of a client manager. clientmgr.KubevirtClientManager and
// clientmgr.MockClientManager are both.
type Remotes interface {
	clientmgr.LiveGetter
	clientmgr.StateReporter
	clientmgr.EventSource
	// GetClientForConfig is clientmgr.ClientManager's.
	GetClientForConfig(ctx context.Context, kubevirtConfigName string) (client.Client, error)
}

// Options tune a Reconciler. The zero value works.
type Options struct {
	// ConfigsNamespace is the namespace of the KubevirtConfigs that count
	// (KUBEVIRT_CONFIGS_NAMESPACE). "" means all; cluster-scoped ones always count.
	ConfigsNamespace string
	// AllowUnverifiedIdentity says that Machines are placed also in clusters whose identity may not be
	// read.
	AllowUnverifiedIdentity bool
	// Machines has all Machines of the supervisor, under the index clientmgr.IndexConfig. Default: the
	// manager's cache, which is right unless that selects some.
	Machines cache.Cache
	// Live reads the supervisor past its cache. Default: the client.
	Live client.Reader
	// Schemas checks the clusters' definitions, when one is connected and from time to time. nil means
	// that nobody does.
	Schemas SchemaChecker
	// StartUp tells what is found first of each cluster in the log. nil means that nobody does.
	StartUp *startup.Lines
	// Events takes the Events. nil means that there are none.
	Events events.EventRecorder
	// MaxConcurrentReconciles is the number of KubevirtConfigs worked on at once, so that a slow
	// cluster delays no other. Default 8.
	MaxConcurrentReconciles int
	// LookInterval is the time between two looks at a cluster's KubeVirt, at its definitions, and for
	// virtual machines without a Machine; such a one must be seen in two looks. Default 10 minutes.
	LookInterval time.Duration
	// Serves says whose status is written, by the KubevirtConfig's name. nil means all of them.
	Serves func(kubevirtConfigName string) bool
	// Clock is the time. Default: the real one.
	Clock clock.PassiveClock
	// Registerer takes the metrics. Default: controller-runtime's registry.
	Registerer prometheus.Registerer
}

// countInterval is the least time between a write and one that has nothing to tell but another
// number of Machines.
const countInterval = 5 * time.Second

// gatherTime is how long a change of the number of Machines waits for others.
const gatherTime = time.Second

// Reconciler writes the status of KubevirtConfigs. It is safe for concurrent use, but for two
// reconciles of one KubevirtConfig at once.
type Reconciler struct {
	supervisor client.Client
	remotes    Remotes
	options    Options
	machines   client.Reader
	records    records
	metrics    *metrics
	met        met
}

// NewReconciler returns a reconciler for the KubevirtConfigs of a supervisor cluster. It does no
// I/O.
func NewReconciler(supervisor client.Client, remotes Remotes, options Options) *Reconciler {
	if options.Live == nil {
		options.Live = supervisor
	}
	if options.MaxConcurrentReconciles == 0 {
		options.MaxConcurrentReconciles = 8
	}
	if options.LookInterval == 0 {
		options.LookInterval = lookInterval
	}
	if options.Clock == nil {
		options.Clock = clock.RealClock{}
	}
	if options.Registerer == nil {
		options.Registerer = ctrlmetrics.Registry
	}
	r := &Reconciler{supervisor: supervisor, remotes: remotes, options: options, machines: supervisor,
		metrics: newMetrics()}
	if options.Machines != nil {
		r.machines = options.Machines
	}
	return r
}

// Collector has the metrics of the KubevirtConfigs. SetupWithManager registers it.
func (r *Reconciler) Collector() prometheus.Collector { return r.metrics }

// Reconcile brings the status, the identity and the finalizer of one KubevirtConfig up to date.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	config := &vitistackv1alpha1.KubevirtConfig{}
	if err := r.supervisor.Get(ctx, request.NamespacedName, config); err != nil {
		if apierrors.IsNotFound(err) {
			r.forget(request.NamespacedName)
			r.tellConfigs(ctx)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if r.met.meets(request.NamespacedName) {
		r.tellConfigs(ctx)
	}
	if r.options.Serves != nil && !r.options.Serves(config.Name) {
		return ctrl.Result{}, nil
	}
	p := &pass{Reconciler: r, record: r.records.of(config), now: r.options.Clock.Now()}
	p.config = p.record.newest(config)
	for _, step := range []func(context.Context) error{p.observe, p.claim, p.release, p.report} {
		if err := step(ctx); err != nil {
			return outcome(err)
		}
	}
	return ctrl.Result{RequeueAfter: p.again}, nil
}

// forget drops what is remembered of a KubevirtConfig that is gone.
func (r *Reconciler) forget(key client.ObjectKey) {
	r.records.forget(key)
	r.met.forget(key)
	r.metrics.remove(key.Name)
	r.options.StartUp.Forget(key.Name)
	if r.options.Schemas != nil {
		r.options.Schemas.Forget(key.Name)
	}
}

// outcome turns an error into what happens next. A conflict means that the cache is behind: its
// event wakes us, and if not, the time.
func outcome(err error) (ctrl.Result, error) {
	switch {
	case apierrors.IsConflict(err):
		return ctrl.Result{RequeueAfter: time.Second}, nil
	case apierrors.IsNotFound(err): // it went meanwhile
		return ctrl.Result{}, nil
	default:
		return ctrl.Result{}, err
	}
}

// pass is one reconcile.
type pass struct {
	*Reconciler
	record *record
	config *vitistackv1alpha1.KubevirtConfig // the newest known; replaced by each patch
	now    time.Time
	state  clientmgr.State
	usage  Usage
	debts  Usage
	again  time.Duration // when to look again at the latest; 0 means when something happens
}

// wake asks for another reconcile after d.
func (p *pass) wake(d time.Duration) {
	if d > 0 && (p.again == 0 || d < p.again) {
		p.again = d
	}
}

// observe collects the facts: what the client manager knows, what KubeVirt is doing, and who is
// placed in the cluster.
func (p *pass) observe(ctx context.Context) error {
	state := p.stateOf()
	p.state = state
	if state.Ready() {
		if p.record.sight.due(state, p.now, p.options.LookInterval) == 0 {
			p.record.sight = sight{kubevirt: look(ctx, p.remotes, p.config.Name), at: p.now, clusterUID: state.ClusterUID,
				since: state.Since}
			if checker := p.options.Schemas; checker != nil {
				answer := checkSchema(ctx, checker, p.remotes, p.config.Name)
				p.record.sight.schema = &answer
			}
		}
		p.wake(p.record.sight.due(state, p.now, p.options.LookInterval))
		p.seekOrphans(ctx)
	}
	names, err := p.placed(ctx)
	if err != nil {
		return fmt.Errorf("listing the machines of %s: %w", p.config.Name, err)
	}
	p.usage = usageOf(names)
	return nil
}

// stateOf is what the client manager knows of this very KubevirtConfig. It goes by names, and may
// not have heard yet that another object of the name was deleted: what it knows of that one would
// be written down as the identity of this one.
func (p *pass) stateOf() clientmgr.State {
	state, _ := p.remotes.State(p.config.Name)
	if state.ConfigUID != "" && state.ConfigUID != p.config.UID {
		p.wake(time.Second)
		return clientmgr.State{}
	}
	return state
}
