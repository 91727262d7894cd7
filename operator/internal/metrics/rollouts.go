package metrics

import (
	"context"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

var (
	rolloutsDesc = prometheus.NewDesc("operator_rollouts",
		"MachineRollouts by phase, as the process that leads sees them.", []string{"phase"}, nil)
	rolledOutDesc = prometheus.NewDesc("operator_rollout_machines",
		"Machines of the MachineRollouts that are not over, by what becomes of them.", []string{"state"}, nil)
)

// rolloutPhases are those that are counted.
var rolloutPhases = []vitistackv1alpha1.RolloutPhase{
	vitistackv1alpha1.RolloutProgressing, vitistackv1alpha1.RolloutPaused, vitistackv1alpha1.RolloutSucceeded,
	vitistackv1alpha1.RolloutIncomplete, vitistackv1alpha1.RolloutAborted,
}

// Rollouts counts MachineRollouts when it is asked, in the cache. As with Census, the process that
// leads counts. It is safe for concurrent use.
type Rollouts struct {
	cache   client.Reader
	elected <-chan struct{}
}

var _ prometheus.Collector = (*Rollouts)(nil)

// NewRollouts counts what a cache has once elected is closed.
func NewRollouts(cache client.Reader, elected <-chan struct{}) *Rollouts {
	return &Rollouts{cache: cache, elected: elected}
}

// Describe implements prometheus.Collector.
func (r *Rollouts) Describe(to chan<- *prometheus.Desc) {
	to <- rolloutsDesc
	to <- rolledOutDesc
}

// Collect implements prometheus.Collector.
func (r *Rollouts) Collect(to chan<- prometheus.Metric) {
	select {
	case <-r.elected:
	default:
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), listTimeout)
	defer cancel()
	all := &vitistackv1alpha1.MachineRolloutList{}
	if r.cache.List(ctx, all, client.UnsafeDisableDeepCopy) != nil {
		return
	}
	phases, states := map[vitistackv1alpha1.RolloutPhase]float64{}, map[string]float64{}
	for i := range all.Items {
		status := all.Items[i].Status
		if !slices.Contains(rolloutPhases, status.Phase) {
			continue // nobody has looked at it
		}
		phases[status.Phase]++
		if !status.Phase.Over() {
			states["updated"] += float64(status.Updated)
			states["in_flight"] += float64(len(status.InFlight))
			states["left"] += float64(max(0, int(status.Total-status.Updated)-len(status.InFlight)))
		}
	}
	for _, phase := range rolloutPhases {
		to <- prometheus.MustNewConstMetric(rolloutsDesc, prometheus.GaugeValue, phases[phase], string(phase))
	}
	for _, state := range []string{"updated", "in_flight", "left"} {
		to <- prometheus.MustNewConstMetric(rolledOutDesc, prometheus.GaugeValue, states[state], state)
	}
}
