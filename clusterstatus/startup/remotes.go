package startup

import (
	"context"
	"errors"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/util/wait"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// comparedCRDs returns the CRDs that the remote clusters should agree on.
func comparedCRDs() []string {
	return []string{"virtualmachineinstances.kubevirt.io", "virtualmachines.kubevirt.io"}
}

// answer is what one remote cluster had to say.
type answer struct {
	results   []Result
	snapshots map[string]crdcheck.Snapshot // by CRD
}

func (c *Checks) checkRemotes(ctx context.Context) []Result {
	select {
	case <-c.options.Elected:
	case <-ctx.Done():
		return nil
	}
	configs, results := c.checkConfigs(ctx)
	answers := make([]answer, len(configs))
	var clusters sync.WaitGroup
	for i := range configs {
		clusters.Go(func() { answers[i] = c.checkRemote(ctx, configs[i].Name) })
	}
	clusters.Wait()
	compared := append(slices.Clone(results), c.checkCompatibility(ctx, answers)...)
	c.locked.Lock()
	defer c.locked.Unlock()
	c.locked.compared = compared
	for i, a := range answers {
		compared = append(compared, a.results...)
		c.locked.answers[configs[i].Name] = a
		c.locked.subjects[configs[i].Name] = subject{uid: configs[i].UID, generation: configs[i].Generation, connected: a.results[0].Verdict == OK}
	}
	return compared
}

// checkConfigs lists the KubevirtConfigs; until the supervisor's caches are filled there is no answer.
func (c *Checks) checkConfigs(ctx context.Context) ([]vitistackv1alpha1.KubevirtConfig, []Result) {
	var configs []vitistackv1alpha1.KubevirtConfig
	err := c.retry(ctx, func(ctx context.Context) (err error) {
		configs, err = c.remotes.ListKubevirtConfigs(ctx)
		return err
	})
	result := available(len(configs))
	if err != nil {
		result = Result{Check: KubevirtConfigs, Verdict: Unknown, Message: "KubevirtConfigs could not be listed", Reason: reasonOf(err)}
	}
	return configs, c.tell(ctx, result)
}

// available is the result of a number of KubevirtConfigs.
func available(count int) Result {
	if count == 0 {
		return Result{
			Check: KubevirtConfigs, Verdict: Warn, Message: "No KubevirtConfigs are available", Reason: "create at least one: Machines cannot be placed",
		}
	}
	return Result{Check: KubevirtConfigs, Message: "KubevirtConfigs are available", Count: count}
}

// checkRemote looks at one cluster; its results are logged as they come.
func (c *Checks) checkRemote(parent context.Context, config string) answer {
	ctx, cancel := context.WithTimeout(parent, c.options.Timeout)
	defer cancel()
	if err := c.retry(ctx, func(ctx context.Context) error { return c.remotes.ValidateConnection(ctx, config) }); err != nil {
		return c.unreachable(parent, config, reasonOf(err))
	}
	live, err := c.remotes.Live(config)
	if err != nil { // the connection broke since
		return c.unreachable(parent, config, reasonOf(err))
	}
	results := c.tell(parent, Result{Check: Connectivity, Message: "Remote cluster is connected", Config: config})
	var (
		reads    sync.WaitGroup
		names    = comparedCRDs()
		found    = make([]crdcheck.Snapshot, len(names))
		kubeVirt []Result
	)
	reads.Go(func() { kubeVirt = c.tell(parent, checkKubeVirt(ctx, live, config)) })
	for i, name := range names {
		reads.Go(func() { found[i] = readDefinition(ctx, live, config, name) })
	}
	reads.Wait()
	snapshots := map[string]crdcheck.Snapshot{}
	for i, name := range names {
		snapshots[name] = found[i]
	}
	return answer{results: append(results, kubeVirt...), snapshots: snapshots}
}

// unreachable is the answer of a cluster that gives none.
func (c *Checks) unreachable(ctx context.Context, config, reason string) answer {
	results := []Result{
		{Check: Connectivity, Verdict: Warn, Message: "Remote cluster is not connected", Config: config, Reason: reason},
		{Check: KubeVirt, Verdict: Unknown, Message: "KubeVirt could not be checked", Config: config, Reason: "the cluster is not connected"},
	}
	snapshots := map[string]crdcheck.Snapshot{}
	for _, name := range comparedCRDs() {
		snapshots[name] = crdcheck.Unobserved(config, "the cluster is not connected")
	}
	return answer{results: c.tell(ctx, results...), snapshots: snapshots}
}

// retry calls until there is no error, for at most Options.Timeout. It returns the last error that says more than that the time is
// over.
func (c *Checks) retry(ctx context.Context, call func(ctx context.Context) error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, c.options.Interval, c.options.Timeout, true, func(ctx context.Context) (bool, error) {
		err := call(ctx)
		if err != nil && (last == nil || ctx.Err() == nil) {
			last = err
		}
		return err == nil, nil
	})
	if err != nil && last != nil {
		return last
	}
	return err
}

// reasonOf is an error in words that stay the same.
func reasonOf(err error) string {
	if err == nil {
		return ""
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return err.Error()
}
