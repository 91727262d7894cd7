package figures

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/testkit/bench/report"
)

const (
	// maxResidual is what the formula of the heap may be wrong by at a size.
	maxResidual = 0.15
	// maxProduct is the share that a term of clusters times Machines may have at the largest size.
	maxProduct = 0.1
)

// row is a number that was measured once.
func row(name string, unit report.Unit, bound, value float64, note string) report.Row {
	return report.Most(name, unit, bound, []float64{value}).Noted("%s", note)
}

// Rows are the numbers that have a bound, of the sizes that were measured.
func (t *Table) Rows() []report.Row {
	var rows []report.Row
	for kind, of := range map[Kind]string{Real: "real clusters", StandIn: "stand-ins"} {
		c, found := t.Find(8, 5000, kind)
		if !found {
			continue
		}
		name, note := "scale-restart-"+string(kind), "8 "+of+", 5000 Machines"
		rows = append(rows, row(name+"-first", report.Seconds, 2, c.RestartFirst/1000, note),
			row(name+"-all", report.Seconds, 15, c.RestartAll/1000, note))
	}
	slices.SortFunc(rows, func(a, b report.Row) int { return strings.Compare(a.Name, b.Name) })
	if c, found := t.Find(1000, 10000, StandIn); found {
		const note = "1000 stand-ins, 10000 Machines"
		rows = append(rows, row("scale-heap", report.MiB, 1024, c.HeapMiB, note),
			row("scale-cpu-at-rest", report.Percent, 5, c.CPU, note),
			row("scale-status-p99", report.Millis, 100, c.Status.P99, note))
	}
	if formula, err := t.Heap(); err == nil {
		rows = append(rows,
			row("scale-heap-formula-residual", report.Ratio, maxResidual, formula.Residual, formula.String()),
			row("scale-heap-of-product", report.Ratio, maxProduct, formula.Product,
				"the share at the largest size of a term of clusters times Machines"))
	}
	return append(rows, t.compare()...)
}

// compare puts stand-ins beside real clusters where both were measured: what the operator costs must
// not tell them apart.
func (t *Table) compare() []report.Row {
	var rows []report.Row
	for _, real := range t.Cells {
		standIn, found := t.Find(real.Clusters, real.Machines, StandIn)
		if real.Kind != Real || !found || real.Clusters < 8 {
			continue
		}
		far := max(standIn.HeapMiB/real.HeapMiB, real.HeapMiB/standIn.HeapMiB)
		rows = append(rows, row(fmt.Sprintf("scale-stand-in-heap-%dx%d", real.Clusters, real.Machines), report.Ratio, 1.15,
			far, "the larger heap of real and stand-in by the smaller"))
	}
	return rows
}
