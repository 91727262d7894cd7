package startup

import (
	"context"
	"fmt"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// subject is what a cluster was when it was checked. Another one is to be checked again.
type subject struct {
	uid        types.UID
	generation int64
	clusterUID string
	connected  bool
}

// SetupWithManager lets mgr run the checks: all of them once, and those of one cluster whenever its KubevirtConfig comes or changes, or it
// answers for the first time. It registers the metric.
func (c *Checks) SetupWithManager(mgr ctrl.Manager, remotes clientmgr.RemoteClusters) error {
	if err := ctrlmetrics.Registry.Register(c); err != nil {
		return fmt.Errorf("registering the metric: %w", err)
	}
	if err := mgr.Add(c); err != nil {
		return err
	}
	named := func(_ context.Context, config string) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: config}}}
	}
	checks := reconcile.Func(func(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
		state, _ := remotes.State(request.Name)
		c.Follow(ctx, request.Name, state)
		return ctrl.Result{}, nil
	})
	return ctrl.NewControllerManagedBy(mgr).Named("startup").
		For(&vitistackv1alpha1.KubevirtConfig{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(remotes.Source(clientmgr.EventHandler{State: named})).
		WithOptions(controller.Options{MaxConcurrentReconciles: 4}).
		Complete(checks)
}

// Follow checks one cluster again if that says something new: state is what is known of it. It waits for the first run of all checks.
func (c *Checks) Follow(ctx context.Context, config string, state clientmgr.State) {
	select {
	case <-c.ran:
	case <-ctx.Done():
		return
	}
	configs, err := c.remotes.ListKubevirtConfigs(ctx)
	if err != nil {
		return // it has worked in the first run
	}
	now, found := subjectOf(configs, config, state)
	c.locked.Lock()
	former, known := c.locked.subjects[config]
	if known && former.clusterUID == "" { // the first run does not know it
		former.clusterUID = now.clusterUID
		c.locked.subjects[config] = former
	}
	c.locked.Unlock()
	switch {
	case !found && !known, found && known && (now == former || now.uid == former.uid && now.generation == former.generation && !now.connected):
		return // a cluster that goes away is no matter of a check at start
	case !found:
		c.renew(ctx, config, nil, now)
	default:
		answer := c.checkRemote(ctx, config)
		now.connected = len(answer.results) > 0 && answer.results[0].Verdict == OK
		c.renew(ctx, config, &answer, now)
	}
}

func subjectOf(configs []vitistackv1alpha1.KubevirtConfig, name string, state clientmgr.State) (subject, bool) {
	i := slices.IndexFunc(configs, func(each vitistackv1alpha1.KubevirtConfig) bool { return each.Name == name })
	if i < 0 {
		return subject{}, false
	}
	return subject{uid: configs[i].UID, generation: configs[i].Generation, clusterUID: state.ClusterUID, connected: state.Ready()}, true
}

// renew puts the answer of one cluster among the others', nil where it is gone, and compares them all anew.
func (c *Checks) renew(ctx context.Context, config string, of *answer, now subject) {
	c.locked.Lock()
	defer c.locked.Unlock()
	delete(c.locked.answers, config)
	delete(c.locked.subjects, config)
	if of != nil {
		c.locked.answers[config], c.locked.subjects[config] = *of, now
	}
	answers := c.locked.sorted()
	count := len(answers)
	configs := c.tell(ctx, available(count))
	c.locked.compared = append(configs, c.checkCompatibility(ctx, answers)...)
	c.remember()
}

// remember keeps what was told, so that it is not told again. The lock is held.
func (c *Checks) remember() {
	told := map[Result]struct{}{}
	for _, r := range c.all() {
		told[r] = struct{}{}
	}
	c.told.Store(&told)
}

// all are the present results. The lock is held.
func (c *Checks) all() []Result {
	results := slices.Concat(c.locked.supervisor, c.locked.compared)
	for _, each := range c.locked.answers {
		results = append(results, each.results...)
	}
	return results
}

var checkDesc = prometheus.NewDesc("operator_startup_check",
	"Results of a check at start by verdict: ok, unknown, warn. kubevirtConfig is empty for the supervisor.",
	[]string{"check", "kubevirtConfig", "verdict"}, nil)

// Describe implements prometheus.Collector.
func (c *Checks) Describe(to chan<- *prometheus.Desc) { to <- checkDesc }

// Collect implements prometheus.Collector.
func (c *Checks) Collect(to chan<- prometheus.Metric) {
	c.locked.Lock()
	results := c.all()
	c.locked.Unlock()
	type labels struct {
		check  Check
		config string
	}
	counts := map[labels]*[Warn + 1]float64{}
	for _, r := range results {
		key := labels{r.Check, r.Config}
		if counts[key] == nil {
			counts[key] = &[Warn + 1]float64{}
		}
		counts[key][r.Verdict]++
	}
	for key, verdicts := range counts {
		for verdict, count := range verdicts {
			to <- prometheus.MustNewConstMetric(checkDesc, prometheus.GaugeValue, count, key.check.String(), key.config, Verdict(verdict).String())
		}
	}
}
