package placementhost

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// callBuckets are seconds: a call takes a fraction of a millisecond, and two seconds at most by
// default.
var callBuckets = []float64{.00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}

// metrics tell how Machines are placed and how the plugins are that do it.
type metrics struct {
	decisions, restarts, reloads *prometheus.CounterVec
	chain                        prometheus.Histogram
	up                           *prometheus.GaugeVec
	calls                        *prometheus.HistogramVec
}

var _ plugin.Observer = (*metrics)(nil)

// newMetrics returns metrics whose names begin with the prefix.
func newMetrics(prefix string) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
	}
	return &metrics{
		decisions: counter("_decisions_total", "Answers of strategies.", "strategy", "verdict"),
		restarts: counter(
			"_plugin_restarts_total", "Starts of plugins after the first.", "strategy", "cause",
		),
		reloads: counter("_reloads_total", "Changes of the placement configuration.", "result"),
		chain: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: prefix + "_chain_seconds", Help: "Time to ask all strategies about a Machine.", Buckets: callBuckets,
		}),
		up: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: prefix + "_plugin_up", Help: "1 where the plugin is ready, else 0.",
		}, []string{"strategy"}),
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: prefix + "_plugin_call_seconds", Help: "Time of one question to a plugin.", Buckets: callBuckets,
		}, []string{"strategy", "result"}),
	}
}

// collectors are all of them.
func (m *metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.decisions, m.restarts, m.reloads, m.chain, m.up, m.calls}
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	for _, collector := range m.collectors() {
		collector.Describe(to)
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	for _, collector := range m.collectors() {
		collector.Collect(to)
	}
}

// PluginState implements plugin.Observer. A plugin that has stopped for good has no metrics of how
// it is.
func (m *metrics) PluginState(name string, state plugin.State) {
	switch state {
	case plugin.Stopped:
		m.up.DeleteLabelValues(name)
	case plugin.Ready:
		m.up.WithLabelValues(name).Set(1)
	default:
		m.up.WithLabelValues(name).Set(0)
	}
}

// PluginRestart implements plugin.Observer.
func (m *metrics) PluginRestart(name, cause string) {
	m.restarts.WithLabelValues(name, cause).Inc()
}

// PluginCall implements plugin.Observer.
func (m *metrics) PluginCall(name, result string, took time.Duration) {
	m.calls.WithLabelValues(name, result).Observe(took.Seconds())
}

func (m *metrics) reloaded(err error) {
	result := "changed"
	if err != nil {
		result = "refused"
	}
	m.reloads.WithLabelValues(result).Inc()
}

// placed counts what the strategies answered.
func (m *metrics) placed(trace placement.Trace, took time.Duration) {
	m.chain.Observe(took.Seconds())
	for _, step := range trace {
		if step.Verdict != placement.NotReached {
			m.decisions.WithLabelValues(step.Strategy, step.Verdict.String()).Inc()
		}
	}
}
