package monitoring

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// scale makes the times of rules shorter, so that a test need not wait for hours. Nothing else of a
// rule changes.
type scale struct {
	factor float64
	// window is the least that a window over samples becomes: a rate needs some.
	window time.Duration
}

var parsing = parser.NewParser(parser.Options{})

// rule is a rule with shorter times.
func (s scale) rule(r rulefmt.Rule) (rulefmt.Rule, error) {
	expr, err := parsing.ParseExpr(r.Expr)
	if err != nil {
		return r, fmt.Errorf("%s: %w", r.Alert, err)
	}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		s.node(node)
		return nil
	})
	r.Expr = expr.String()
	r.For, r.KeepFiringFor = s.duration(r.For), s.duration(r.KeepFiringFor)
	return r, nil
}

// node divides the times of one node. The sides of a comparison with seconds are divided as a whole,
// and their parts are left alone.
func (s scale) node(node parser.Node) {
	switch n := node.(type) {
	case *parser.MatrixSelector:
		n.Range = max(s.window, time.Duration(n.Range.Seconds()/s.factor*float64(time.Second)).Round(time.Millisecond))
	case *parser.BinaryExpr:
		if n.Op.IsComparisonOperator() && isSeconds(n.LHS) && isNumber(n.RHS) {
			n.RHS = &parser.BinaryExpr{
				Op: parser.DIV, LHS: &parser.ParenExpr{Expr: n.RHS}, RHS: &parser.NumberLiteral{Val: s.factor},
			}
		}
	}
}

func (s scale) duration(d model.Duration) model.Duration {
	return model.Duration(time.Duration(float64(d) / s.factor).Round(time.Millisecond))
}

// isSeconds reports whether an expression is a time: it has a metric of seconds, or the time itself,
// and counts nothing.
func isSeconds(expr parser.Expr) bool {
	found := false
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			found = found || strings.HasSuffix(n.Name, "_seconds")
		case *parser.Call:
			found = found || n.Func.Name == "time"
		}
		return nil
	})
	if call, isCall := unwrapped(expr).(*parser.Call); isCall && call.Func.Name == "changes" {
		return false
	}
	return found
}

// isNumber reports whether an expression is made of numbers alone.
func isNumber(expr parser.Expr) bool {
	number := true
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch node.(type) {
		case *parser.VectorSelector, *parser.Call, *parser.StringLiteral:
			number = false
		}
		return nil
	})
	return number
}

func unwrapped(expr parser.Expr) parser.Expr {
	for {
		paren, isParen := expr.(*parser.ParenExpr)
		if !isParen {
			return expr
		}
		expr = paren.Expr
	}
}

// TestScale: each time in a rule is divided, and no other number.
func TestScale(t *testing.T) {
	cases := map[string]struct{ reason, expr, want string }{
		"Window": {
			reason: "a window is a time",
			expr:   `increase(stalls_total[1h]) > 100`, want: `increase(stalls_total[1m]) > 100`,
		},
		"ShortWindow": {
			reason: "a window has to have some samples in it",
			expr:   `rate(errors_total[1m]) > 0.1`, want: `rate(errors_total[4s]) > 0.1`,
		},
		"Age": {
			reason: "an age is compared with a time",
			expr:   `time() - since_seconds > 300`, want: `time() - since_seconds > (300) / 60`,
		},
		"Product": {
			reason: "what is written as a product is divided once",
			expr:   `(expiry_seconds - time() < 7 * 86400) and (changes(expiry_seconds[1d]) == 0)`,
			want:   `(expiry_seconds - time() < (7 * 86400) / 60) and (changes(expiry_seconds[24m]) == 0)`,
		},
		"Count": {reason: "a number of things stays", expr: `sum by (config) (orphans) > 5`, want: `sum by (config) (orphans) > 5`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			sixtieth := scale{factor: 60, window: 4 * time.Second}
			got, err := sixtieth.rule(rulefmt.Rule{Expr: tc.expr, For: model.Duration(time.Hour)})
			if err != nil {
				t.Fatal(err)
			}
			if got.Expr != tc.want || got.For != model.Duration(time.Minute) {
				t.Errorf("%s: %s for %s, want %s for 1m", tc.reason, got.Expr, got.For, tc.want)
			}
		})
	}
}
