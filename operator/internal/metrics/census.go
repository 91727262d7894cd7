package metrics

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

var machinesDesc = prometheus.NewDesc("operator_machines",
	"Machines by cluster and phase, as the process that leads sees them; kubevirt_config is empty for those without a place.",
	[]string{labelConfig, "phase"}, nil)

// phases are those that are counted. A phase that another writer made up counts as unknown.
var phases = []vitistackv1alpha1.MachinePhase{
	vitistackv1alpha1.MachinePhasePending, vitistackv1alpha1.MachinePhaseCreating,
	vitistackv1alpha1.MachinePhaseRunning, vitistackv1alpha1.MachinePhaseStopping,
	vitistackv1alpha1.MachinePhaseStopped, vitistackv1alpha1.MachinePhaseTerminating,
	vitistackv1alpha1.MachinePhaseTerminated, vitistackv1alpha1.MachinePhaseFailed, unknown,
}

// listTimeout is for a cache that is being filled, which lets readers wait.
const listTimeout = time.Second

const unknown vitistackv1alpha1.MachinePhase = "Unknown"

// Census counts Machines when it is asked, in the cache. Of several replicas the one that leads
// counts, so that nobody counts twice, and none where nobody leads. It is safe for concurrent use.
type Census struct {
	machines client.Reader
	elected  <-chan struct{}
	known    Known
	counts   func(machine *vitistackv1alpha1.Machine) bool
}

var _ prometheus.Collector = (*Census)(nil)

// NewCensus counts the Machines of a cache for which counts is true, once elected is closed.
func NewCensus(
	machines client.Reader, elected <-chan struct{}, known Known, counts func(*vitistackv1alpha1.Machine) bool,
) *Census {
	return &Census{machines: machines, elected: elected, known: known, counts: counts}
}

// Describe implements prometheus.Collector.
func (c *Census) Describe(to chan<- *prometheus.Desc) { to <- machinesDesc }

// Collect implements prometheus.Collector. Machines without a place have series even where there
// are none: their absence means that nobody leads.
func (c *Census) Collect(to chan<- prometheus.Metric) {
	select {
	case <-c.elected:
	default:
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), listTimeout)
	defer cancel()
	list := &vitistackv1alpha1.MachineList{}
	if err := c.machines.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return // the cache is not there yet
	}
	clusters := map[string]map[vitistackv1alpha1.MachinePhase]float64{"": {}}
	for i := range list.Items {
		machine := &list.Items[i]
		if !c.counts(machine) {
			continue
		}
		config := c.cluster(machine)
		if clusters[config] == nil {
			clusters[config] = map[vitistackv1alpha1.MachinePhase]float64{}
		}
		clusters[config][phase(machine)]++
	}
	for _, config := range slices.Sorted(maps.Keys(clusters)) {
		for _, each := range phases {
			to <- prometheus.MustNewConstMetric(machinesDesc, prometheus.GaugeValue, clusters[config][each], config,
				string(each))
		}
	}
}

// cluster is the KubevirtConfig of a Machine's ledger, if there is one of that name.
func (c *Census) cluster(machine *vitistackv1alpha1.Machine) string {
	ledger, err := vitistackv1alpha1.LedgerOf(machine)
	if err != nil || !c.known(ledger.Config) {
		return ""
	}
	return ledger.Config
}

// phase is the Machine's. One that nobody has looked at yet is pending.
func phase(machine *vitistackv1alpha1.Machine) vitistackv1alpha1.MachinePhase {
	switch now := machine.Status.Phase; {
	case now == "":
		return vitistackv1alpha1.MachinePhasePending
	case slices.Contains(phases, now):
		return now
	default:
		return unknown
	}
}
