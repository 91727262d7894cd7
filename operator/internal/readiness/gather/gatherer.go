package gather

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/admit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/survey"
)

const (
	// DefaultTimeout bounds all questions to one cluster.
	DefaultTimeout = 5 * time.Second
	// atOnce is the number of clusters that are asked at the same time.
	atOnce = 32
)

// Clusters are the connections to remote clusters. clientmgr.RemoteClusters is one.
type Clusters interface {
	Live(config string) (client.Reader, error)
	State(config string) (state clientmgr.State, found bool)
	GetClientForConfig(ctx context.Context, config string) (client.Client, error)
}

// Options tune a Gatherer. The zero value works.
type Options struct {
	// Timeout bounds all questions to one cluster. Default: DefaultTimeout.
	Timeout time.Duration
	// Clock is by default the real one.
	Clock clock.PassiveClock
}

// Gatherer is safe for concurrent use.
type Gatherer struct {
	clusters Clusters
	options  Options
	flight   singleflight.Group
	schemas  admit.Cache

	kubeVirt    survey.Recent[readiness.Fact[readiness.KubeVirt]]
	definitions survey.Recent[readiness.Fact[[]*admit.Definition]]
	classes     survey.Recent[readiness.Fact[[]readiness.StorageClass]]
	profiles    survey.Recent[readiness.Fact[map[string][]readiness.ClaimSet]]
	nodes       survey.Recent[readiness.Fact[[]readiness.Node]]
	namespaces  survey.Recent[readiness.Fact[readiness.Namespace]]
	attachments survey.Recent[readiness.Fact[map[string]readiness.Attachment]]
	quotas      survey.Recent[readiness.Fact[[]corev1.ResourceQuota]]
	limits      survey.Recent[readiness.Fact[[]corev1.LimitRange]]
	lacking     survey.Recent[readiness.Fact[[]string]]
	sizes       survey.Recent[readiness.Fact[*readiness.Size]]
	preferences survey.Recent[readiness.Fact[bool]]
}

// New returns a Gatherer that has asked nothing.
func New(clusters Clusters, options Options) *Gatherer {
	options.Timeout = cmp.Or(options.Timeout, DefaultTimeout)
	if options.Clock == nil {
		options.Clock = clock.RealClock{}
	}
	return &Gatherer{clusters: clusters, options: options}
}

// Target is a cluster, with what the supervisor knows of it.
type Target struct {
	// Config is the name of its KubevirtConfig.
	Config string
	// Door is what the KubevirtConfig says about new Machines of the namespace.
	Door readiness.Fact[readiness.Door]
	// Machines counts those that are placed there.
	Machines readiness.Fact[int64]
}

// All asks clusters side by side. The facts are in the targets' order.
func (g *Gatherer) All(ctx context.Context, targets []Target, needs readiness.Needs) []readiness.Facts {
	all := make([]readiness.Facts, len(targets))
	places := make(chan struct{}, atOnce)
	var asking sync.WaitGroup
	for i, target := range targets {
		asking.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			all[i] = g.One(ctx, target, needs)
		})
	}
	asking.Wait()
	return all
}

// One asks one cluster. What is not known says why; there is no error besides.
func (g *Gatherer) One(ctx context.Context, target Target, needs readiness.Needs) readiness.Facts {
	now := g.options.Clock.Now()
	facts := readiness.Facts{Config: target.Config, Door: target.Door, Machines: target.Machines}
	state, _ := g.clusters.State(target.Config)
	reader, err := g.clusters.Live(target.Config)
	connection := readiness.Connection{Ready: err == nil && state.Ready(), Verified: state.ClusterUID != ""}
	switch {
	case err != nil:
		connection.Message = err.Error()
	case !connection.Ready:
		connection.Message = cmp.Or(state.Message, "it is not connected")
	case !connection.Verified:
		connection.Message = "the identity of the cluster (namespace kube-system) may not be read"
	}
	facts.Connection = readiness.Seen(connection, now)
	if err != nil {
		silence(&facts, err)
		return facts
	}
	ctx, cancel := context.WithTimeout(ctx, g.options.Timeout)
	defer cancel()
	a := asker{g: g, reader: reader, needs: needs, config: target.Config, now: now,
		cluster: survey.Key(target.Config, cmp.Or(state.ClusterUID, state.RememberedUID))}
	a.ask(ctx, &facts)
	return facts
}

// asker puts the questions to one cluster.
type asker struct {
	g       *Gatherer
	reader  client.Reader
	needs   readiness.Needs
	config  string
	cluster string // key of what is remembered
	now     time.Time
}

// ask fills in the facts. Where the virtual machine is there already, only what is shown of that
// place is asked for.
func (a asker) ask(ctx context.Context, facts *readiness.Facts) {
	facts.Name = a.name(ctx)
	if found := facts.Name.Value; found != nil && found.Mine {
		facts.KubeVirt = a.kubeVirt(ctx)
		facts.Nodes = a.nodes(ctx)
		return
	}
	var asking sync.WaitGroup
	for _, question := range []func(){
		func() { facts.KubeVirt = a.kubeVirt(ctx) },
		func() { facts.StorageClasses = a.storageClasses(ctx) },
		func() { facts.Profiles = a.profiles(ctx) },
		func() { facts.Nodes = a.nodes(ctx) },
		func() { facts.Namespace = a.namespace(ctx) },
		func() { facts.Attachments = a.attachments(ctx) },
		func() { facts.Quotas = a.quotas(ctx) },
		func() { facts.Limits = a.limits(ctx) },
		func() { facts.Lacking = a.lacking(ctx) },
		func() { facts.Objects = a.objects(ctx) },
		func() { facts.Instancetype = a.instancetype(ctx) },
		func() { facts.Preference = a.preference(ctx) },
		func() { facts.Disks = a.disks(ctx) },
		func() {
			if facts.DryRun = a.dryRun(ctx); !facts.DryRun.Value.Accepted {
				facts.Definitions = a.definitions(ctx) // what the server has answered need not be worked out
			}
		},
	} {
		asking.Go(question)
	}
	asking.Wait()
}

// question is what is asked, by a name of its own, and the right that it takes.
type question struct{ about, right string }

// remembered returns a fact that somebody asked for a moment ago, or asks once for all who want to
// know now. Silence is not remembered.
func remembered[T any](
	ctx context.Context, a asker, recent *survey.Recent[readiness.Fact[T]], q question,
	ask func(context.Context) (T, error),
) readiness.Fact[T] {
	key := a.cluster + " " + q.about
	if fact, known := recent.Get(key, a.now); known {
		return fact
	}
	asked := a.g.flight.DoChan(key, func() (any, error) {
		now := a.g.options.Clock.Now()
		if fact, known := recent.Get(key, now); known { // somebody else was a moment faster
			return fact, nil
		}
		// Who asked first may go away while others wait.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.g.options.Timeout)
		defer cancel()
		value, err := ask(ctx)
		fact := fact(value, err, q.right, now)
		if fact.Missing == nil || fact.Missing.Reason == readiness.ReasonForbidden {
			recent.Put(key, fact, now)
		}
		return fact, nil
	})
	select {
	case <-ctx.Done():
		return failed[T](ctx.Err(), q.right)
	case answer := <-asked:
		return answer.Val.(readiness.Fact[T]) //nolint:forcetypeassert // the key has one type
	}
}

// Placed takes what a guest of a size requests off the emptiest node of a cluster, in what is
// remembered, until that is asked for anew.
func (g *Gatherer) Placed(config string, guest readiness.Size) {
	state, _ := g.clusters.State(config)
	key := survey.Key(config, cmp.Or(state.ClusterUID, state.RememberedUID))
	is, _ := g.kubeVirt.Get(key+" kubevirt", g.options.Clock.Now())
	size := is.Value.Requests(guest, false)
	g.nodes.Change(key+" nodes", func(fact *readiness.Fact[[]readiness.Node]) {
		emptiest := -1
		for i, node := range fact.Value {
			if emptiest < 0 || node.Free.MemoryBytes > fact.Value[emptiest].Free.MemoryBytes {
				emptiest = i
			}
		}
		if emptiest >= 0 {
			fact.Value = slices.Clone(fact.Value) // others read the former
			fact.Value[emptiest].Free.MilliCPU -= size.MilliCPU
			fact.Value[emptiest].Free.MemoryBytes -= size.MemoryBytes
		}
	})
}
