package clusters

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// descs are the metrics that are read off. All have the label of a cluster; those of a cluster end
// with it.
type descs struct{ phase, expiry, silence, watches, inFlight, throttled *prometheus.Desc }

func newDescs(label string) descs {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, append([]string{label}, labels...), nil)
	}
	return descs{
		phase: desc("clientmgr_cluster_phase", "1 for the phase that the cluster is in, 0 for the others.", "phase"),
		expiry: desc("clientmgr_credential_expiry_seconds",
			"Unix time at which the kubeconfig's client certificate or token ends; absent where neither says."),
		silence: desc("clientmgr_watch_silence_seconds",
			"Longest time for which nothing came over an open watch."),
		watches:  desc("clientmgr_watches", "Watches by state: open, or parked until the server answers.", "state"),
		inFlight: desc("clientmgr_calls_in_flight", "Calls through clients that are under way."),
		throttled: desc("clientmgr_calls_throttled_total",
			"Calls of this connection that had to wait: for the rate, or for one of the calls in flight.", "limit"),
	}
}

// metrics are those of one manager.
type metrics struct {
	registerer prometheus.Registerer
	label      string
	descs      descs
	views      func() map[string]*view

	connects, failures, rotations, stalls, probeFailures *prometheus.CounterVec
	lists                                                *prometheus.CounterVec
	probes                                               *prometheus.HistogramVec
}

var _ prometheus.Collector = (*metrics)(nil)

func newMetrics(registerer prometheus.Registerer, label string, views func() map[string]*view) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help},
			append([]string{label}, labels...))
	}
	m := &metrics{
		registerer:    registerer,
		label:         label,
		descs:         newDescs(label),
		views:         views,
		connects:      counter("clientmgr_connects_total", "Connections made."),
		failures:      counter("clientmgr_connect_failures_total", "Attempts to connect that failed."),
		rotations:     counter("clientmgr_rotations_total", "Changed kubeconfigs taken over in place."),
		stalls:        counter("clientmgr_watch_stalls_total", "Watches cut because they were silent for too long."),
		probeFailures: counter("clientmgr_probe_failures_total", "Probes that failed."),
		lists: counter("clientmgr_lists_total",
			"Whole collections read into a cache; one for each kind and connection is the least.", "resource"),
		probes: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "clientmgr_probe_duration_seconds", Help: "Time of a probe, failed ones included.",
			Buckets: []float64{.005, .02, .1, .5, 1, 2, 5, 10},
		}, []string{label}),
	}
	if err := registerer.Register(m); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	return m, nil
}

func (m *metrics) close() { m.registerer.Unregister(m) }

func (m *metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.connects, m.failures, m.rotations, m.stalls, m.probeFailures, m.lists, m.probes}
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(descs chan<- *prometheus.Desc) {
	d := m.descs
	for _, desc := range []*prometheus.Desc{d.phase, d.expiry, d.silence, d.watches, d.inFlight, d.throttled} {
		descs <- desc
	}
	for _, c := range m.collectors() {
		c.Describe(descs)
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	for config, v := range m.views() {
		for _, phase := range []Phase{Disconnected, Connecting, Connected, Degraded, Stopped} {
			value := 0.0
			if v.state.Phase == phase {
				value = 1
			}
			gauge(m.descs.phase, value, config, string(phase))
		}
		if expires := v.state.CredentialExpires; !expires.IsZero() {
			gauge(m.descs.expiry, float64(expires.Unix()), config)
		}
		if v.conn == nil {
			continue
		}
		watches := v.conn.swap.Watches()
		gauge(m.descs.silence, watches.Silence.Seconds(), config)
		gauge(m.descs.watches, float64(watches.Open), config, "open")
		gauge(m.descs.watches, float64(watches.Parked), config, "parked")
		gauge(m.descs.inFlight, float64(v.conn.calls.InFlight()), config)
		for limit, waited := range map[string]int64{
			"rate": v.conn.limiter.waited.Load(), "in_flight": v.conn.calls.Waited(),
		} {
			to <- prometheus.MustNewConstMetric(m.descs.throttled, prometheus.CounterValue, float64(waited), config, limit)
		}
	}
	for _, c := range m.collectors() {
		c.Collect(to)
	}
}

// remove ends the series of a cluster.
func (m *metrics) remove(name string) {
	labels := prometheus.Labels{m.label: name}
	for _, vec := range []*prometheus.CounterVec{m.connects, m.failures, m.rotations, m.stalls, m.probeFailures, m.lists} {
		vec.DeletePartialMatch(labels)
	}
	m.probes.DeletePartialMatch(labels)
}

// connected counts a connection. What else may happen to it is counted from zero on: an increase from
// nothing is no increase to Prometheus.
func (m *metrics) connected(config string) {
	m.connects.WithLabelValues(config).Inc()
	for _, each := range []*prometheus.CounterVec{m.failures, m.rotations, m.stalls, m.probeFailures} {
		each.WithLabelValues(config)
	}
}

func (m *metrics) connectFailed(config string)    { m.failures.WithLabelValues(config).Inc() }
func (m *metrics) rotated(config string)          { m.rotations.WithLabelValues(config).Inc() }
func (m *metrics) listed(config, resource string) { m.lists.WithLabelValues(config, resource).Inc() }

func (m *metrics) stalled(config string, watches int) {
	m.stalls.WithLabelValues(config).Add(float64(watches))
}

func (m *metrics) probed(config string, took time.Duration, err error) {
	m.probes.WithLabelValues(config).Observe(took.Seconds())
	if err != nil {
		m.probeFailures.WithLabelValues(config).Inc()
	}
}
