package monitoring

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// wantMetrics holds everything that the operator exposes to Prometheus' rules for names, types and
// helps, and looks whether what is documented is there.
func wantMetrics(t *testing.T, i *installed, s *server) {
	text, err := i.scrape(t.Context())
	must(t, err)
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	must(t, err)
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
	wantCounted(t, s)
	recorded := s.metricNames(t)
	documented := documentedMetrics(t)
	if len(documented) < 20 {
		t.Fatalf("%d metrics are documented: the test looked at nothing", len(documented))
	}
	for _, name := range documented {
		if !recorded[name] && !recorded[name+"_count"] {
			t.Errorf("%s is documented, and nothing of it was recorded", name)
		}
	}
}

// wantCounted compares how many Machines Prometheus knows with those that there are.
func wantCounted(t *testing.T, s *server) {
	t.Helper()
	must(t, until(t.Context(), "Prometheus knows all Machines", func(ctx context.Context) error {
		machines := &vitistackv1alpha1.MachineList{}
		if err := supervisor().List(ctx, machines); err != nil {
			return err
		}
		want := map[string]float64{}
		for _, machine := range machines.Items {
			config := ""
			if machine.Status.KubevirtConfigRef != nil {
				config = machine.Status.KubevirtConfigRef.Name
			}
			want[config+" "+string(machine.Status.Phase)]++
		}
		samples, err := s.now(ctx, "operator_machines > 0")
		if err != nil {
			return err
		}
		got := map[string]float64{}
		for _, sample := range samples {
			got[sample.Metric.Get("kubevirt_config")+" "+sample.Metric.Get("phase")] += sample.F
		}
		if len(want) < 3 || !maps.Equal(want, got) {
			return fmt.Errorf("there are %v, and Prometheus knows %v", want, got)
		}
		return nil
	}))
}

var codeSpan = regexp.MustCompile("`([^`]+)`")

// documentedMetrics are those of the table in the operator's README.
func documentedMetrics(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile(path.Join(root, "operator", "README.md"))
	must(t, err)
	_, section, _ := strings.Cut(string(content), "\n## Metrics\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var names []string
	for line := range strings.Lines(section) {
		row, isRow := strings.CutPrefix(line, "| `")
		if !isRow {
			continue
		}
		first, _, _ := strings.Cut("`"+row, " | ")
		for _, match := range codeSpan.FindAllStringSubmatch(first, -1) {
			names = append(names, match[1])
		}
	}
	return names
}
