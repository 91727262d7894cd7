package monitoring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// shorter makes five minutes two and a half seconds, and two hours a minute. A window has at least
// four samples in it.
var shorter = scale{factor: 120, window: 4 * scrapeInterval}

// TestMonitoring is a fleet that has every fault, and the Prometheus that watches it. About four
// minutes.
func TestMonitoring(t *testing.T) {
	shipped := readRules(t)
	before := early()
	for _, each := range before {
		must(t, each.begin(t.Context()))
	}
	i := install(t)
	prometheus := startServer(t, i.metrics, scaled(t, shipped))
	for _, name := range []string{east, west, north} {
		must(t, createMachine(t.Context(), "default", "web-"+name, name))
	}
	for _, name := range []string{east, west, north} {
		must(t, running(t.Context(), "default", "web-"+name))
	}
	faults, last := tracks(i), []fault{shardIsNobodys(i), operatorEnds(i)}
	wantEveryRule(t, shipped, slices.Concat(before, slices.Concat(faults...), last))

	t.Run("Alerts", func(t *testing.T) {
		together, ctx := errgroup.WithContext(t.Context())
		for _, each := range before {
			faults = append(faults, []fault{each})
		}
		for _, track := range faults {
			together.Go(func() error {
				for _, each := range track {
					if err := prometheus.see(ctx, each); err != nil {
						return fmt.Errorf("%s: %w", each.fires[0].alert, err)
					}
				}
				return nil
			})
		}
		must(t, together.Wait())
		must(t, i.reload(t.Context()))
		for _, each := range last {
			must(t, prometheus.see(t.Context(), each))
		}
		wantNoOther(t, prometheus, slices.Concat(slices.Concat(faults...), last))
	})
	t.Run("Metrics", func(t *testing.T) { wantMetrics(t, i, prometheus) })
	t.Run("Dashboards", func(t *testing.T) { wantDashboards(t, prometheus) })
	t.Run("ClusterRemoved", func(t *testing.T) { wantForgotten(t, i) })
}

// see makes a fault, and waits until its alerts fire; it mends the fault, and waits until they go.
func (s *server) see(ctx context.Context, f fault) error {
	if !f.early {
		if err := s.quiet(ctx, f); err != nil { // an alert may still tell of another fault
			return err
		}
	}
	before := map[subject]int{}
	if !f.early {
		for _, about := range f.fires {
			alert, _ := s.sent.find(about)
			before[about] = alert.times
		}
		if err := f.begin(ctx); err != nil {
			return fmt.Errorf("making the fault: %w", err)
		}
	}
	for _, about := range f.fires {
		err := until(ctx, about.String()+" fires", func(context.Context) error {
			alert, _ := s.sent.find(about)
			if alert.times == before[about] {
				return errors.New("it does not")
			}
			return leads(alert.annotations, about.alert)
		})
		if err != nil {
			return err
		}
	}
	if err := f.end(ctx); err != nil {
		return fmt.Errorf("mending the fault: %w", err)
	}
	return s.quiet(ctx, f)
}

// quiet waits until the alerts of a fault are gone.
func (s *server) quiet(ctx context.Context, f fault) error {
	for _, about := range f.fires {
		err := until(ctx, about.String()+" goes", func(context.Context) error {
			if alert, _ := s.sent.find(about); alert.firing {
				return errors.New("it still fires")
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// leads reports whether an alert leads to its page, and says something that is complete.
func leads(annotations labels.Labels, alert string) error {
	url := annotations.Get("runbook_url")
	if path.Base(url) != alert+".md" {
		return fmt.Errorf("its runbook_url is %q", url)
	}
	if _, err := os.Stat(path.Join(root, "deploy/docs/runbooks", path.Base(url))); err != nil {
		return err
	}
	if summary := annotations.Get("summary"); summary == "" || slices.Contains([]byte(summary), '<') {
		return fmt.Errorf("its summary is %q", summary)
	}
	return nil
}

// readRules are the rules as they are shipped.
func readRules(t *testing.T) rulefmt.RuleGroups {
	t.Helper()
	content, err := os.ReadFile("rules.yaml")
	must(t, err)
	var shipped struct{ Spec any }
	must(t, yaml.Unmarshal(content, &shipped))
	spec, err := yaml.Marshal(shipped.Spec)
	must(t, err)
	groups, errs := rulefmt.Parse(spec, false, model.UTF8Validation, parsing, slog.New(slog.DiscardHandler))
	must(t, errors.Join(errs...))
	return *groups
}

// scaled writes a file of the rules with shorter times.
func scaled(t *testing.T, shipped rulefmt.RuleGroups) string {
	t.Helper()
	groups := make([]map[string]any, 0, len(shipped.Groups))
	for _, group := range shipped.Groups {
		var all []map[string]any
		for _, each := range group.Rules {
			r, err := shorter.rule(each)
			must(t, err)
			t.Logf("%s: %s for %s", r.Alert, r.Expr, r.For)
			all = append(all, map[string]any{
				"alert": r.Alert, "expr": r.Expr, "for": r.For.String(), "labels": r.Labels, "annotations": r.Annotations,
			})
		}
		groups = append(groups, map[string]any{"name": group.Name, "rules": all})
	}
	content, err := yaml.Marshal(map[string]any{"groups": groups})
	must(t, err)
	return writeRules(t, content)
}

// wantEveryRule: a rule that no fault lets fire may be one that cannot fire.
func wantEveryRule(t *testing.T, shipped rulefmt.RuleGroups, all []fault) {
	t.Helper()
	covered := map[string]bool{}
	for _, each := range all {
		for _, about := range each.fires {
			covered[about.alert] = true
		}
	}
	count := 0
	for _, group := range shipped.Groups {
		for _, rule := range group.Rules {
			count++
			if !covered[rule.Alert] {
				t.Errorf("no fault of this test lets %s fire", rule.Alert)
			}
		}
	}
	if count != len(covered) {
		t.Errorf("%d rules, and faults for %d", count, len(covered))
	}
}

// aside are alerts that may come without a fault of this test: contact is lost to a cluster whose
// watches are silent, and the five minutes of the rule are two and a half seconds here, for which a
// busy machine may keep any answer waiting.
var aside = []subject{{alert: "RemoteClusterDisconnected"}}

// wantNoOther: what is well is not told.
func wantNoOther(t *testing.T, s *server, all []fault) {
	t.Helper()
	expected := slices.Clone(aside)
	for _, each := range all {
		expected = append(expected, each.fires...)
	}
	for _, alert := range s.sent.all() {
		if !slices.ContainsFunc(expected, func(about subject) bool { return about.of(alert.labels) }) {
			t.Errorf("nobody made the fault of %s: %s", alert.labels, alert.annotations)
		}
		t.Logf("%s fired %d times", alert.labels, alert.times)
	}
}

// wantForgotten: the series of a cluster end with its KubevirtConfig.
func wantForgotten(t *testing.T, i *installed) {
	ctx := t.Context()
	must(t, supervisor().Delete(ctx, &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web-" + north},
	}))
	must(t, supervisor().Delete(ctx, &vitistackv1alpha1.KubevirtConfig{
		ObjectMeta: metav1.ObjectMeta{Namespace: fleet.ConfigsNamespace, Name: north},
	}))
	must(t, until(ctx, "nothing is told of "+north, func(ctx context.Context) error {
		text, err := i.scrape(ctx)
		if err != nil {
			return err
		}
		for line := range strings.Lines(text) {
			if strings.Contains(line, `kubevirt_config="`+north+`"`) {
				return errors.New(line)
			}
		}
		return nil
	}))
}
