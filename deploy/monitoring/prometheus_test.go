package monitoring

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/tsdb"
)

const (
	scrapeInterval = time.Second
	evalInterval   = 500 * time.Millisecond
	// job is what the Prometheus operator calls the target of the chart's ServiceMonitor.
	job = "kubevirt-operator"
)

// server is a Prometheus: it scrapes one target, keeps what it got, and evaluates rules.
type server struct {
	db     *tsdb.DB
	engine *promql.Engine
	rules  *rules.Manager
	began  time.Time
	sent   alerts
}

// startServer lets Prometheus run until the test ends.
func startServer(t *testing.T, target string, ruleFile string) *server {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	s := &server{began: time.Now()}
	var err error
	s.db, err = tsdb.Open(filepath.Join(t.TempDir(), "tsdb"), quiet, nil, tsdb.DefaultOptions(), nil)
	must(t, err)
	s.engine = promql.NewEngine(promql.EngineOpts{
		Logger: quiet, MaxSamples: 10_000_000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute,
		NoStepSubqueryIntervalFn: func(int64) int64 { return evalInterval.Milliseconds() },
	})
	scraper, err := scrape.NewManager(&scrape.Options{DiscoveryReloadOnStartup: true}, quiet, nil, nil, s.db,
		prometheus.NewRegistry())
	must(t, err)
	configuration, err := config.Load(fmt.Sprintf(`
global: {scrape_interval: %[1]s, scrape_timeout: %[1]s}
scrape_configs:
- job_name: %[2]s
  static_configs: []
`, model.Duration(scrapeInterval), job), quiet)
	must(t, err)
	must(t, scraper.ApplyConfig(configuration))
	targets := make(chan map[string][]*targetgroup.Group, 1)
	targets <- map[string][]*targetgroup.Group{job: {{
		Source: "test", Targets: []model.LabelSet{{model.AddressLabel: model.LabelValue(target)}},
	}}}
	s.rules = rules.NewManager(&rules.ManagerOptions{
		ExternalURL: &url.URL{Scheme: "http", Host: "prometheus.example.com"},
		QueryFunc:   rules.EngineQueryFunc(s.engine, s.db),
		NotifyFunc:  s.sent.note,
		Context:     context.Background(),
		Appendable:  s.db, Queryable: s.db, Logger: quiet, Registerer: prometheus.NewRegistry(), Parser: parsing,
	})
	must(t, s.rules.Update(evalInterval, []string{ruleFile}, labels.EmptyLabels(), "", nil))
	var running sync.WaitGroup
	running.Go(func() { _ = scraper.Run(targets) }) // it ends without an error
	running.Go(s.rules.Run)
	t.Cleanup(func() {
		s.rules.Stop()
		scraper.Stop()
		running.Wait()
		must(t, s.db.Close())
	})
	return s
}

// ask evaluates an expression over all that was recorded, as a panel does.
func (s *server) ask(ctx context.Context, expr string, step time.Duration) (promql.Matrix, error) {
	query, err := s.engine.NewRangeQuery(ctx, s.db, nil, expr, s.began, time.Now(), step)
	if err != nil {
		return nil, err
	}
	defer query.Close()
	result := query.Exec(ctx)
	if result.Err != nil {
		return nil, result.Err
	}
	matrix, err := result.Matrix()
	if err != nil {
		return nil, err
	}
	copied := make(promql.Matrix, len(matrix)) // the query takes its own back
	for i, series := range matrix {
		copied[i] = promql.Series{Metric: series.Metric, Floats: append([]promql.FPoint(nil), series.Floats...)}
	}
	return copied, nil
}

// now evaluates an expression as of now.
func (s *server) now(ctx context.Context, expr string) (promql.Vector, error) {
	return rules.EngineQueryFunc(s.engine, s.db)(ctx, expr, time.Now())
}

// metricNames are the names of all metrics that were recorded.
func (s *server) metricNames(t *testing.T) map[string]bool {
	t.Helper()
	querier, err := s.db.Querier(0, time.Now().UnixMilli())
	must(t, err)
	defer querier.Close()
	names, _, err := querier.LabelValues(t.Context(), model.MetricNameLabel, nil)
	must(t, err)
	all := map[string]bool{}
	for _, name := range names {
		all[name] = true
	}
	return all
}

// writeRules writes a file for Prometheus.
func writeRules(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rules.yaml")
	must(t, os.WriteFile(path, content, 0o600))
	return path
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
