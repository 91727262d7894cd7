package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// labelConfig has the name of a KubevirtConfig; "" stands for none, and for one that nobody knows.
const labelConfig = "kubevirt_config"

// other is the reason of attempts whose reason a strategy made up.
const other = "other"

// creationBuckets are seconds. An API server that is asked for nothing else takes a tenth; a quota
// or a cluster that is away takes as long as people take.
var creationBuckets = []float64{.1, .25, .5, 1, 2.5, 5, 15, 60, 300, 1800}

// statusBuckets are seconds. Small changes are gathered for a second.
var statusBuckets = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 30}

// Known reports whether there is a KubevirtConfig of a name. It does no I/O.
type Known func(config string) bool

// Since returns when a Machine came to be. It does no I/O.
type Since func(machine *vitistackv1alpha1.Machine) time.Time

// Machines times what is done for Machines and counts what fails. Its methods are safe for
// concurrent use and do no I/O. A nil *Machines takes nothing down.
type Machines struct {
	known    Known
	since    Since
	creation *prometheus.HistogramVec
	status   *prometheus.HistogramVec
	failed   *prometheus.CounterVec

	mu     sync.Mutex
	locked map[string]struct{} // the clusters that have series
}

var _ prometheus.Collector = (*Machines)(nil)

// NewMachines returns metrics that have taken nothing down yet.
func NewMachines(known Known, since Since) *Machines {
	return &Machines{
		known: known, since: since, locked: map[string]struct{}{},
		creation: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "operator_machine_creation_seconds",
			Help:    "Time from a Machine's creation until its virtual machine was created.",
			Buckets: creationBuckets,
		}, []string{labelConfig}),
		status: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "operator_machine_status_delay_seconds",
			Help:    "Time from an event of a remote cluster until the status of its Machine was written.",
			Buckets: statusBuckets,
		}, []string{labelConfig}),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "operator_machine_failed_attempts_total",
			Help: "Attempts to bring a Machine further that failed, by the reason of its condition.",
		}, []string{labelConfig, "reason"}),
	}
}

// Created takes down that a Machine's first virtual machine was created just now.
func (m *Machines) Created(config string, machine *vitistackv1alpha1.Machine, now time.Time) {
	if m == nil {
		return
	}
	m.creation.WithLabelValues(m.cluster(config)).Observe(max(0, now.Sub(m.since(machine)).Seconds()))
}

// StatusWritten takes down how long an event of a cluster took to become a status.
func (m *Machines) StatusWritten(config string, took time.Duration) {
	if m == nil {
		return
	}
	m.status.WithLabelValues(m.cluster(config)).Observe(max(0, took.Seconds()))
}

// AttemptFailed takes down an attempt that failed. config is "" for a Machine without a place.
func (m *Machines) AttemptFailed(config, reason string) {
	if m == nil {
		return
	}
	if _, found := vitistackv1alpha1.InfoOf(reason); !found {
		reason = other
	}
	m.failed.WithLabelValues(m.cluster(config), reason).Inc()
}

// cluster is the label of a cluster, which has series from now on.
func (m *Machines) cluster(config string) string {
	if config == "" || !m.known(config) {
		return ""
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.locked[config] = struct{}{}
	return config
}

func (m *Machines) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.creation, m.status, m.failed}
}

// Describe implements prometheus.Collector.
func (m *Machines) Describe(to chan<- *prometheus.Desc) {
	for _, each := range m.collectors() {
		each.Describe(to)
	}
}

// Collect implements prometheus.Collector.
func (m *Machines) Collect(to chan<- prometheus.Metric) {
	m.prune()
	for _, each := range m.collectors() {
		each.Collect(to)
	}
}

// prune ends the series of clusters that nobody knows any more.
func (m *Machines) prune() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for config := range m.locked {
		if m.known(config) {
			continue
		}
		delete(m.locked, config)
		labels := prometheus.Labels{labelConfig: config}
		m.creation.DeletePartialMatch(labels)
		m.status.DeletePartialMatch(labels)
		m.failed.DeletePartialMatch(labels)
	}
}
