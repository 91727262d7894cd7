package figures

import "fmt"

// Row is a number with the bound that it has to hold.
type Row struct {
	Name         string
	Value, Bound float64
	// Note says what was measured.
	Note string
}

// String is "NAME VALUE BOUND PASS", or MISS.
func (r Row) String() string {
	verdict := "MISS"
	if r.Value <= r.Bound {
		verdict = "PASS"
	}
	return fmt.Sprintf("%s %.3f %g %s", r.Name, r.Value, r.Bound, verdict)
}

const (
	// maxResidual is what the formula of the heap may be wrong by at a size.
	maxResidual = 0.15
	// maxProduct is the share that a term of clusters times Machines may have at the largest size.
	maxProduct = 0.1
)

// Rows are the numbers that have a bound, of the sizes that were measured.
func (t *Table) Rows() []Row {
	var rows []Row
	if c, found := t.Find(8, 5000, Real); found {
		rows = append(rows, Row{"restart-first-seconds", c.RestartFirst / 1000, 2, "8 real clusters, 5000 Machines"},
			Row{"restart-all-seconds", c.RestartAll / 1000, 15, "8 real clusters, 5000 Machines"})
	}
	if c, found := t.Find(8, 5000, StandIn); found {
		rows = append(rows, Row{"restart-first-stand-in-seconds", c.RestartFirst / 1000, 2, "8 stand-ins, 5000 Machines"},
			Row{"restart-all-stand-in-seconds", c.RestartAll / 1000, 15, "8 stand-ins, 5000 Machines"})
	}
	if c, found := t.Find(1000, 10000, StandIn); found {
		const note = "1000 stand-ins, 10000 Machines"
		rows = append(rows, Row{"heap-mib-1000-stand-ins", c.HeapMiB, 1024, note},
			Row{"cpu-percent-1000-stand-ins", c.CPU, 5, note},
			Row{"status-p99-ms-1000-stand-ins", c.Status.P99, 100, note})
	}
	if formula, err := t.Heap(); err == nil {
		rows = append(rows, Row{"heap-formula-residual", formula.Residual, maxResidual, formula.String()},
			Row{"heap-of-clusters-times-machines", formula.Product, maxProduct, "share at the largest size"})
	}
	return append(rows, t.compare()...)
}

// compare puts stand-ins beside real clusters where both were measured: what the operator costs must
// not tell them apart.
func (t *Table) compare() []Row {
	var rows []Row
	for _, real := range t.Cells {
		standIn, found := t.Find(real.Clusters, real.Machines, StandIn)
		if real.Kind != Real || !found || real.Clusters < 8 {
			continue
		}
		far := max(standIn.HeapMiB/real.HeapMiB, real.HeapMiB/standIn.HeapMiB)
		rows = append(rows, Row{fmt.Sprintf("stand-in-heap-%dx%d", real.Clusters, real.Machines), far, 1.15,
			"the larger heap of real and stand-in by the smaller"})
	}
	return rows
}
