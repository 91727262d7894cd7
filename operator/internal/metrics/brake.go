package metrics

import (
	"context"
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

var (
	deletionsHeldDesc = prometheus.NewDesc("operator_machine_deletions_held",
		"Machines whose deletion is held until a person lets it go.", []string{labelConfig}, nil)
	changesHeldDesc = prometheus.NewDesc("operator_machine_changes_held",
		"Machines whose change is held until a person lets it go.", []string{labelConfig}, nil)
)

// Bites counts how often the brake bites, and, when it is asked, whom it holds. It is safe for
// concurrent use. A nil *Bites counts nothing.
type Bites struct {
	census *Census
	bites  *prometheus.CounterVec
}

var _ prometheus.Collector = (*Bites)(nil)

// NewBites counts the held ones among the Machines of a Census.
func NewBites(census *Census) *Bites {
	b := &Bites{census: census, bites: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "operator_brake_bites_total",
		Help: "How often the brake began to hold, by what it held and by the scope of which too many would have gone.",
	}, []string{"kind", "scope"})}
	for _, kind := range []string{"deletion", "change", "restart"} { // an increase is seen from 0 alone
		for _, scope := range []string{"cluster", "namespace", "fleet"} {
			b.bites.WithLabelValues(kind, scope)
		}
	}
	return b
}

// Bit takes down that the brake began to hold. kind is deletion, change or restart; scope is cluster, namespace
// or fleet.
func (b *Bites) Bit(kind, scope string) {
	if b == nil {
		return
	}
	b.bites.WithLabelValues(kind, scope).Inc()
}

// Describe implements prometheus.Collector.
func (b *Bites) Describe(to chan<- *prometheus.Desc) {
	b.bites.Describe(to)
	to <- deletionsHeldDesc
	to <- changesHeldDesc
}

// Collect implements prometheus.Collector. The replica that leads has the gauges.
func (b *Bites) Collect(to chan<- prometheus.Metric) {
	b.bites.Collect(to)
	select {
	case <-b.census.elected:
	default:
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), listTimeout)
	defer cancel()
	list := &vitistackv1alpha1.MachineList{}
	if err := b.census.machines.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return // the cache is not there yet
	}
	deletions, changes := map[string]float64{"": 0}, map[string]float64{"": 0}
	for i := range list.Items {
		machine := &list.Items[i]
		if !b.census.counts(machine) {
			continue
		}
		config := b.census.cluster(machine)
		deletions[config] += held(machine, vitistackv1alpha1.ConditionDeletionHeld, vitistackv1alpha1.ReasonDeletionHeld)
		changes[config] += held(machine, vitistackv1alpha1.ConditionVirtualMachineReady, vitistackv1alpha1.ReasonChangeHeld)
	}
	for _, config := range slices.Sorted(maps.Keys(deletions)) {
		to <- prometheus.MustNewConstMetric(deletionsHeldDesc, prometheus.GaugeValue, deletions[config], config)
		to <- prometheus.MustNewConstMetric(changesHeldDesc, prometheus.GaugeValue, changes[config], config)
	}
}

// held is 1 where a condition of a Machine has a reason.
func held(machine *vitistackv1alpha1.Machine, conditionType, reason string) float64 {
	for i := range machine.Status.Conditions {
		if c := &machine.Status.Conditions[i]; c.Type == conditionType && c.Reason == reason {
			return 1
		}
	}
	return 0
}
