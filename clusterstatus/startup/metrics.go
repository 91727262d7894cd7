package startup

import "github.com/prometheus/client_golang/prometheus"

var checkDesc = prometheus.NewDesc("operator_startup_check",
	"Results of a check at start by verdict: ok, unknown, warn. kubevirt_config is empty for the supervisor.",
	[]string{"check", "kubevirt_config", "verdict"}, nil)

var _ prometheus.Collector = (*Lines)(nil)

// Describe implements prometheus.Collector.
func (l *Lines) Describe(to chan<- *prometheus.Desc) { to <- checkDesc }

// Collect implements prometheus.Collector.
func (l *Lines) Collect(to chan<- prometheus.Metric) {
	l.locked.Lock()
	results := l.all()
	l.locked.Unlock()
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
			to <- prometheus.MustNewConstMetric(checkDesc, prometheus.GaugeValue, count,
				key.check.String(), key.config, Verdict(verdict).String())
		}
	}
}
