package figures

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/vitistack/kubevirt-multicluster/testkit/bench/report"
)

// Table has one cell of each size and kind, by kind, clusters and Machines.
type Table struct {
	// Machine says what the figures were taken on.
	Machine string `json:"machine"`
	Cells   []Cell `json:"cells"`
}

// kept is the form of the file: rows follow from the cells, and stand there for `make bench`.
type kept struct {
	*Table
	Rows []report.Row `json:"rows"`
}

// Put adds a cell. An earlier one of its size and kind goes.
func (t *Table) Put(cell Cell) {
	t.Cells = slices.DeleteFunc(t.Cells, func(other Cell) bool { return order(other, cell) == 0 })
	t.Cells = append(t.Cells, cell)
	slices.SortFunc(t.Cells, order)
}

func order(a, b Cell) int {
	return cmp.Or(cmp.Compare(a.Clusters, b.Clusters), cmp.Compare(a.Machines, b.Machines), cmp.Compare(a.Kind, b.Kind))
}

// Find returns the cell of a size and kind.
func (t *Table) Find(clusters, machines int, kind Kind) (cell Cell, found bool) {
	at := slices.IndexFunc(t.Cells, func(c Cell) bool {
		return c.Clusters == clusters && c.Machines == machines && c.Kind == kind
	})
	if at < 0 {
		return Cell{}, false
	}
	return t.Cells[at], true
}

// Load reads what Save wrote. A file that does not exist has no cells.
func (t *Table) Load(file string) error {
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(content, t); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// Save writes the table as JSON.
func (t *Table) Save(file string) error {
	content, err := json.MarshalIndent(kept{Table: t, Rows: t.Rows()}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(content, '\n'), 0o644)
}

// Text writes a line for each cell.
func (t *Table) Text(out io.Writer) error {
	lines := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(lines, "CLUSTERS\tARE\tMACHINES\tHEAP MiB\tRSS MiB\tCPU %\tFILL/s\tCREATE p50\tp99\tSTATUS p50\tp99\t"+
		"SILENT\tCREATE p99\tSTATUS p99\tRESTART first\tall\t")
	for _, c := range t.Cells {
		fmt.Fprintf(lines, "%d\t%s\t%d\t%.0f\t%.0f\t%.2f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%s\t%s\t%s\t%.0f\t%.0f\t\n",
			c.Clusters, c.Kind, c.Machines, c.HeapMiB, c.ResidentMiB, c.CPU, c.FillPerSecond,
			c.Create.P50, c.Create.P99, c.Status.P50, c.Status.P99,
			known(c.SilentClusters > 0, float64(c.SilentClusters)), known(c.SilentCreate.Of > 0, c.SilentCreate.P99),
			known(c.SilentStatus.Of > 0, c.SilentStatus.P99), c.RestartFirst, c.RestartAll)
	}
	if err := lines.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, "times in milliseconds; \"stand-in\" are API servers of testkit/standin, not clusters")
	return err
}

func known(is bool, value float64) string {
	if !is {
		return "-"
	}
	return fmt.Sprintf("%.0f", value)
}
