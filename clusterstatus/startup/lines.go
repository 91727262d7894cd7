package startup

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/compatibility"
)

// Options tune the lines. The zero value works.
type Options struct {
	// Timeout bounds the check of the supervisor. Default 30 s.
	Timeout time.Duration
	// Logger takes the lines. Default: controller-runtime's, named "startup".
	Logger logr.Logger
}

// Lines tells what a start found. It is safe for concurrent use. A nil *Lines tells nothing.
type Lines struct {
	supervisor client.Reader
	options    Options
	locked     lockedLines
}

// lockedLines is what was found and told.
type lockedLines struct {
	sync.Mutex
	supervisor, configs []Result
	count               int // of KubevirtConfigs; -1 before they were counted
	remotes             map[string]*remote
}

// remote is what was found and told of one cluster.
type remote struct {
	uid        types.UID
	clusterUID string
	results    []Result
	told       map[Result]struct{}
	well       map[matter]struct{}
}

// matter is what a result is about. Once it was well it is told no more.
type matter struct {
	check         Check
	crd, baseline string
}

var _ manager.LeaderElectionRunnable = (*Lines)(nil)

// New returns lines that tell nothing yet. The supervisor's reader must not be a cache, which would
// watch what is read once. It does no I/O.
func New(supervisor client.Reader, options Options) *Lines {
	if options.Timeout == 0 {
		options.Timeout = 30 * time.Second
	}
	if options.Logger.GetSink() == nil {
		options.Logger = log.Log.WithName("startup")
	}
	l := &Lines{supervisor: supervisor, options: options}
	l.locked.count, l.locked.remotes = -1, map[string]*remote{}
	return l
}

// SetupWithManager registers the metric, and lets mgr check the supervisor when it starts.
func (l *Lines) SetupWithManager(mgr ctrl.Manager) error {
	if err := ctrlmetrics.Registry.Register(l); err != nil {
		return fmt.Errorf("registering the metric: %w", err)
	}
	return mgr.Add(l)
}

// Start implements manager.Runnable: it checks the supervisor once. It never returns an error, so
// that it never ends the manager.
func (l *Lines) Start(ctx context.Context) error {
	results := l.checkSupervisor(ctx)
	l.locked.Lock()
	defer l.locked.Unlock()
	l.locked.supervisor = results
	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: every replica checks the supervisor
// when it starts.
func (l *Lines) NeedLeaderElection() bool { return false }

// Configs tells how many KubevirtConfigs there are, where that is another number than before. It
// does no I/O.
func (l *Lines) Configs(ctx context.Context, count int) {
	if l == nil {
		return
	}
	l.locked.Lock()
	defer l.locked.Unlock()
	if count == l.locked.count {
		return
	}
	l.locked.count, l.locked.configs = count, []Result{available(count)}
	l.say(ctx, l.locked.configs[0])
}

// available is the result of a number of KubevirtConfigs.
func available(count int) Result {
	if count == 0 {
		return Result{
			Check: KubevirtConfigs, Verdict: Warn, Message: "No KubevirtConfigs are available",
			Reason: "create at least one: Machines cannot be placed",
		}
	}
	return Result{Check: KubevirtConfigs, Message: "KubevirtConfigs are available", Count: count}
}

// Tell tells what is new at this start in the status of a KubevirtConfig, and in what was found in
// the cluster's definitions. The status must be one of this process, not one that an earlier
// process left behind. It does no I/O.
func (l *Lines) Tell(
	ctx context.Context, config *vitistackv1alpha1.KubevirtConfig,
	status vitistackv1alpha1.KubevirtConfigStatus, definitions []compatibility.Definition,
) {
	if l == nil {
		return
	}
	l.locked.Lock()
	defer l.locked.Unlock()
	known := l.remoteOf(config, status.ClusterUID)
	known.results = Of(config.Name, status, definitions)
	for _, result := range known.results {
		about := matter{result.Check, result.CRD, result.Baseline}
		_, wasWell := known.well[about]
		_, again := known.told[result]
		if result.Verdict == OK {
			known.well[about] = struct{}{}
		}
		if wasWell || again {
			continue
		}
		known.told[result] = struct{}{}
		l.say(ctx, result)
	}
}

// remoteOf is what is remembered of a cluster: nothing, where the KubevirtConfig is another object
// or stands for another cluster. The lock is held.
func (l *Lines) remoteOf(config *vitistackv1alpha1.KubevirtConfig, clusterUID string) *remote {
	known := l.locked.remotes[config.Name]
	if known != nil && known.uid == config.UID && (known.clusterUID == "" || known.clusterUID == clusterUID) {
		known.clusterUID = clusterUID
		return known
	}
	known = &remote{uid: config.UID, clusterUID: clusterUID, told: map[Result]struct{}{}, well: map[matter]struct{}{}}
	l.locked.remotes[config.Name] = known
	return known
}

// Forget drops what is remembered of a KubevirtConfig that is gone. It does no I/O.
func (l *Lines) Forget(config string) {
	if l == nil {
		return
	}
	l.locked.Lock()
	defer l.locked.Unlock()
	delete(l.locked.remotes, config)
}

// say logs results. Nothing is said once ctx, that of the process, has ended: it is the operator
// that stops, not a cluster that fails.
func (l *Lines) say(ctx context.Context, results ...Result) []Result {
	if ctx.Err() != nil {
		return results
	}
	for _, r := range results {
		l.options.Logger.Info(r.line(), r.values()...)
	}
	return results
}

// all are the present results. The lock is held.
func (l *Lines) all() []Result {
	results := slices.Concat(l.locked.supervisor, l.locked.configs)
	for _, each := range l.locked.remotes {
		results = append(results, each.results...)
	}
	return results
}
