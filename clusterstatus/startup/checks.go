package startup

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Remotes gives access to the remote clusters by the names of their KubevirtConfigs. Each call returns when its context ends;
// clientmgr.KubevirtClientManager is one.
type Remotes interface {
	// ListKubevirtConfigs returns all KubevirtConfigs. An error means that it is not known yet which ones there are.
	ListKubevirtConfigs(ctx context.Context) ([]vitistackv1alpha1.KubevirtConfig, error)
	// ValidateConnection asks the cluster for a sign of life.
	ValidateConnection(ctx context.Context, kubevirtConfigName string) error
	// Live returns a reader that asks the cluster itself, not a cache. NotFound from it is the server's own word. It does no I/O.
	Live(kubevirtConfigName string) (client.Reader, error)
}

// Options tune the checks. The zero value works.
type Options struct {
	// Elected (manager.Elected) is closed when the remote clusters are about to be connected: a replica that does not lead connects
	// none unless it is a warm standby, and would
	// report all of them as unreachable. nil means at once. The supervisor is checked without waiting for it.
	Elected <-chan struct{}
	// Timeout bounds the check of one cluster, connecting to it included. Default 30 s.
	Timeout time.Duration
	// Interval is the time between two attempts to reach a cluster that is not connected yet. Default 1 s.
	Interval time.Duration
	// Logger takes the lines. Default: controller-runtime's, named "startup".
	Logger logr.Logger
}

func (o Options) withDefaults() Options {
	if o.Elected == nil {
		elected := make(chan struct{})
		close(elected)
		o.Elected = elected
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Interval == 0 {
		o.Interval = time.Second
	}
	if o.Logger.GetSink() == nil {
		o.Logger = log.Log.WithName("startup")
	}
	return o
}

// AddToScheme registers the kinds that the checks read. The schemes of the supervisor's reader and of the remote ones need them.
func AddToScheme(scheme *runtime.Scheme) error {
	if err := apiextensionsv1.AddToScheme(scheme); err != nil {
		return err
	}
	return kubevirtv1.AddToScheme(scheme)
}

// Checks are the start-up checks of one process.
type Checks struct {
	supervisor client.Reader
	remotes    Remotes
	options    Options

	ran    chan struct{}                       // closed after the first run
	told   atomic.Pointer[map[Result]struct{}] // what was said last, and is not said again
	locked lockedResults
}

// lockedResults are the latest results.
type lockedResults struct {
	sync.Mutex
	supervisor, compared []Result
	answers              map[string]answer // by config
	subjects             map[string]subject
}

// sorted are the answers by config.
func (l *lockedResults) sorted() []answer {
	var answers []answer
	for _, config := range slices.Sorted(maps.Keys(l.answers)) {
		answers = append(answers, l.answers[config])
	}
	return answers
}

var _ manager.LeaderElectionRunnable = (*Checks)(nil)

// New returns the checks. The supervisor's reader must not be a cache, which would watch what is read once. It does no I/O.
func New(supervisor client.Reader, remotes Remotes, options Options) *Checks {
	c := &Checks{supervisor: supervisor, remotes: remotes, options: options.withDefaults(), ran: make(chan struct{})}
	c.locked.answers, c.locked.subjects = map[string]answer{}, map[string]subject{}
	return c
}

// Start implements manager.Runnable: it runs the checks once, and lets Follow begin. It is called once, and never returns an error, so that it never ends the manager.
func (c *Checks) Start(ctx context.Context) error {
	c.Run(ctx)
	close(c.ran)
	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: every replica checks the supervisor when it starts, and the remote
// clusters when Options.Elected says so.
func (c *Checks) NeedLeaderElection() bool { return false }

// Run runs the checks, logs each result as soon as there is one, and returns them all. It takes at most Options.Timeout to list the
// KubevirtConfigs and Options.Timeout for all clusters, from Options.Elected on. When ctx ends it stops at once, without a line about
// what it could not finish.
func (c *Checks) Run(ctx context.Context) Report {
	var (
		parts               sync.WaitGroup
		supervisor, remotes []Result
	)
	parts.Go(func() { supervisor = c.checkSupervisor(ctx) })
	parts.Go(func() { remotes = c.checkRemotes(ctx) })
	parts.Wait()
	c.locked.Lock()
	defer c.locked.Unlock()
	c.locked.supervisor = supervisor
	c.remember()
	return newReport(supervisor, remotes)
}
