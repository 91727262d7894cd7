package figures

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// table has sizes whose heap follows from a formula, which gets a product of clusters and Machines
// as well.
func table(product float64) *Table {
	t := &Table{}
	for _, clusters := range []int{1, 10, 100} {
		for _, machines := range []int{1000, 5000} {
			heap := 20 + 0.5*float64(clusters) + 0.02*float64(machines) + product*float64(clusters*machines)
			t.Put(Cell{Clusters: clusters, Machines: machines, Kind: StandIn, HeapMiB: heap, CPU: 1})
		}
	}
	return t
}

func TestFormula(t *testing.T) {
	f, err := table(0).Heap()
	if err != nil {
		t.Fatal(err)
	}
	near := func(name string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-6 {
			t.Errorf("%s is %g, want %g", name, got, want)
		}
	}
	near("the base", f.Base, 20)
	near("a cluster", f.Cluster, 0.5)
	near("a Machine", f.Machine, 0.02)
	near("the residual", f.Residual, 0)
	near("the product", f.Product, 0)
	near("a size that was not measured", f.At(1000, 10000), 720)
}

// TestProductIsSeen: growth that is not linear must not pass as a formula of other numbers.
func TestProductIsSeen(t *testing.T) {
	f, err := table(0.001).Heap()
	if err != nil {
		t.Fatal(err)
	}
	if f.Residual < maxResidual || f.Product < maxProduct {
		t.Errorf("a product of clusters and Machines is not seen: %+v", f)
	}
}

func TestFewSizesGiveNoFormula(t *testing.T) {
	few := &Table{Cells: table(0).Cells[:2]}
	if _, err := few.Heap(); err == nil {
		t.Error("two sizes make a formula of three numbers")
	}
	same := &Table{}
	for i := range enough {
		same.Cells = append(same.Cells, Cell{Clusters: 10, Machines: 1000 * (1 + i), HeapMiB: 1})
	}
	if f, err := same.Heap(); err == nil {
		t.Errorf("one number of clusters tells what a cluster costs: %s", f)
	}
}

func TestQuantiles(t *testing.T) {
	var times []time.Duration
	for i := 100; i > 0; i-- {
		times = append(times, time.Duration(i)*time.Millisecond)
	}
	if diff := cmp.Diff(Quantiles{P50: 50, P99: 99, Of: 100}, NewQuantiles(times)); diff != "" {
		t.Errorf("of 1 to 100 ms: -want +got:\n%s", diff)
	}
	if diff := cmp.Diff(Quantiles{}, NewQuantiles(nil)); diff != "" {
		t.Errorf("of none: -want +got:\n%s", diff)
	}
}

// TestTable: sizes that are measured anew replace what was there, the others stay, stand-ins are
// called so, and the file gives back what it was given.
func TestTable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "scale.json")
	first := table(0)
	if err := first.Save(file); err != nil {
		t.Fatal(err)
	}
	second := &Table{}
	if err := second.Load(file); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("-saved +loaded:\n%s", diff)
	}
	second.Put(Cell{Clusters: 10, Machines: 1000, Kind: StandIn, HeapMiB: 9})
	second.Put(Cell{Clusters: 8, Machines: 5000, Kind: Real, HeapMiB: 100, RestartFirst: 1500, RestartAll: 16000})
	second.Put(Cell{Clusters: 8, Machines: 5000, Kind: StandIn, HeapMiB: 130, RestartFirst: 1500, RestartAll: 3000})
	if len(second.Cells) != len(first.Cells)+2 {
		t.Errorf("%d sizes, want %d: one was measured twice", len(second.Cells), len(first.Cells)+2)
	}
	var out strings.Builder
	if err := second.Text(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"stand-in", "real", "not clusters"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the text does not say %q:\n%s", want, out.String())
		}
	}
	rows := map[string]string{}
	for _, row := range second.Rows() {
		rows[row.Name] = row.String()
	}
	for name, want := range map[string]string{
		"scale-restart-real-first":   "scale-restart-real-first 1.500 2 PASS",
		"scale-restart-real-all":     "scale-restart-real-all 16.000 15 MISS",
		"scale-stand-in-heap-8x5000": "scale-stand-in-heap-8x5000 1.300 1.15 MISS",
	} {
		if rows[name] != want {
			t.Errorf("the row is %q, want %q", rows[name], want)
		}
	}
}

func TestPicture(t *testing.T) {
	file := filepath.Join(t.TempDir(), "scale.svg")
	if err := table(0).Picture(file); err != nil {
		t.Fatal(err)
	}
	drawn, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<svg", "100 stand-ins", "CPU at rest", "Machines"} {
		if !strings.Contains(string(drawn), want) {
			t.Errorf("the picture does not show %q", want)
		}
	}
}
