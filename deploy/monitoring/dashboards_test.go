package monitoring

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// dashboard is the part of Grafana's model that asks Prometheus.
type dashboard struct {
	Title, UID string
	Templating struct {
		List []struct {
			Name, Type, AllValue string
			Definition           string
		}
	}
	Panels []struct {
		ID                       int
		Title, Type, Description string
		GridPos                  struct{ H, W, X, Y int }
		Targets                  []struct{ RefID, Expr, LegendFormat string }
	}
}

// wantDashboards evaluates each expression over what was recorded.
func wantDashboards(t *testing.T, s *server) {
	names := s.metricNames(t)
	uids := map[string]bool{}
	for _, file := range []string{"fleet.json", "operator.json"} {
		t.Run(file, func(t *testing.T) {
			content, err := os.ReadFile(file)
			must(t, err)
			var board dashboard
			must(t, json.Unmarshal(content, &board))
			if board.UID == "" || uids[board.UID] {
				t.Errorf("the uid %q is not its own", board.UID)
			}
			uids[board.UID] = true
			board.wantPlaces(t)
			values := board.values(t, s)
			asked := 0
			for _, panel := range board.Panels {
				for _, target := range panel.Targets {
					asked++
					about := fmt.Sprintf("%s, %s", panel.Title, target.RefID)
					expr := interpolated(target.Expr, values)
					if err := s.wantAnswer(t.Context(), expr, target.LegendFormat, names); err != nil {
						t.Errorf("%s: %s: %v", about, expr, err)
					}
				}
			}
			if asked < 10 {
				t.Errorf("%d expressions: the test looked at nothing", asked)
			}
		})
	}
}

// values are what Grafana would put in the place of variables whose value is All, and of its own.
func (d dashboard) values(t *testing.T, s *server) map[string]string {
	t.Helper()
	values := map[string]string{
		// of a panel with a point each two seconds: at least four times the interval of scrapes
		"__rate_interval": model.Duration(4 * scrapeInterval).String(),
	}
	for _, variable := range d.Templating.List {
		if variable.Type == "datasource" {
			continue
		}
		values[variable.Name] = variable.AllValue
		match := regexp.MustCompile(`^label_values\((.+), (\w+)\)$`).FindStringSubmatch(variable.Definition)
		if match == nil {
			t.Fatalf("the variable %s is %q", variable.Name, variable.Definition)
		}
		series, err := s.ask(t.Context(), match[1], step)
		must(t, err)
		found := false
		for _, each := range series {
			found = found || each.Metric.Get(match[2]) != ""
		}
		if !found {
			t.Errorf("the variable %s has no value", variable.Name)
		}
	}
	return values
}

const step = 2 * time.Second

// interpolated is an expression as Grafana sends it.
func interpolated(expr string, values map[string]string) string {
	return regexp.MustCompile(`\$\{?(\w+)\}?`).ReplaceAllStringFunc(expr, func(variable string) string {
		if value, known := values[strings.Trim(variable, "${}")]; known {
			return value
		}
		return variable // which does not parse
	})
}

var legendLabel = regexp.MustCompile(`\{\{(\w+)\}\}`)

// wantAnswer evaluates an expression. It is an error where that names a metric that nobody has,
// where there is no number in the answer, or where the legend has a label that no series has.
func (s *server) wantAnswer(ctx context.Context, expr, legend string, names map[string]bool) error {
	parsed, err := parsing.ParseExpr(expr)
	if err != nil {
		return err
	}
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok && !names[selector.Name] {
			err = fmt.Errorf("nobody has the metric %s", selector.Name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	series, err := s.ask(ctx, expr, step)
	if err != nil {
		return err
	}
	labelled := map[string]bool{}
	numbers := 0
	for _, each := range series {
		numbers += countNumbers(each)
		each.Metric.Range(func(l labels.Label) { labelled[l.Name] = true })
	}
	if numbers == 0 {
		return fmt.Errorf("%d series, and no number in them", len(series))
	}
	for _, match := range legendLabel.FindAllStringSubmatch(legend, -1) {
		if !labelled[match[1]] {
			return fmt.Errorf("the legend has %s, which no series has", match[1])
		}
	}
	return nil
}

// countNumbers counts the points that a panel can draw.
func countNumbers(series promql.Series) int {
	count := 0
	for _, point := range series.Floats {
		if !math.IsNaN(point.F) && !math.IsInf(point.F, 0) {
			count++
		}
	}
	return count
}

// wantPlaces: panels have a title, an id of their own, and do not lie on one another.
func (d dashboard) wantPlaces(t *testing.T) {
	t.Helper()
	ids, places := map[int]bool{}, map[[2]int]string{}
	for _, panel := range d.Panels {
		if panel.Title == "" || ids[panel.ID] || panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("panel %d (%s) has no title, no id of its own or no expression", panel.ID, panel.Title)
		}
		ids[panel.ID] = true
		for x := panel.GridPos.X; x < panel.GridPos.X+panel.GridPos.W; x++ {
			for y := panel.GridPos.Y; y < panel.GridPos.Y+panel.GridPos.H; y++ {
				if other := places[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%s lies on %s, or beside the page", panel.Title, other)
				}
				places[[2]int{x, y}] = panel.Title
			}
		}
	}
}
