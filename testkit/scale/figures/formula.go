package figures

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Formula is what a figure costs: Base + Cluster for each cluster + Machine for each Machine.
type Formula struct {
	Base, Cluster, Machine float64
	// Residual is the largest error of the formula at a cell, as a share of the cell's figure.
	Residual float64
	// Product is the part of the largest cell's figure that a term of clusters times Machines would
	// have, were there one, as a share: near 0 where growth is linear.
	Product float64
}

// enough is how many cells a formula of four terms is drawn from at least.
const enough = 5

// Heap is the formula of HeapMiB.
func (t *Table) Heap() (Formula, error) { return t.fit(func(c Cell) float64 { return c.HeapMiB }) }

// String is the formula with its residual.
func (f Formula) String() string {
	return fmt.Sprintf("%.1f MiB + %.1f KiB a cluster + %.1f KiB a Machine (largest error %.0f %%)",
		f.Base, f.Cluster*1024, f.Machine*1024, 100*f.Residual)
}

// fit is by least squares of relative errors, so that small cells count as much as large ones.
func (t *Table) fit(figure func(Cell) float64) (f Formula, err error) {
	if len(t.Cells) < enough {
		return f, fmt.Errorf("%d sizes were measured: a formula needs %d", len(t.Cells), enough)
	}
	linear, err := solve(t.Cells, figure, func(c Cell) []float64 {
		return []float64{1, float64(c.Clusters), float64(c.Machines)}
	})
	if err != nil {
		return f, err
	}
	product, err := solve(t.Cells, figure, func(c Cell) []float64 {
		clusters, machines := float64(c.Clusters), float64(c.Machines)
		return []float64{1, clusters, machines, clusters * machines}
	})
	if err != nil {
		return f, err
	}
	f.Base, f.Cluster, f.Machine = linear[0], linear[1], linear[2]
	largest := t.Cells[0]
	for _, c := range t.Cells {
		if c.Clusters*c.Machines > largest.Clusters*largest.Machines {
			largest = c
		}
		f.Residual = max(f.Residual, math.Abs(f.At(c.Clusters, c.Machines)-figure(c))/figure(c))
	}
	f.Product = product[3] * float64(largest.Clusters*largest.Machines) / figure(largest)
	return f, nil
}

// At is what the formula says of a size.
func (f Formula) At(clusters, machines int) float64 {
	return f.Base + f.Cluster*float64(clusters) + f.Machine*float64(machines)
}

// solve returns the coefficients of terms.
func solve(cells []Cell, figure func(Cell) float64, terms func(Cell) []float64) ([]float64, error) {
	width := len(terms(cells[0]))
	a, b := mat.NewDense(len(cells), width, nil), mat.NewVecDense(len(cells), nil)
	for i, c := range cells {
		weight := 1 / figure(c)
		for j, term := range terms(c) {
			a.Set(i, j, term*weight)
		}
		b.SetVec(i, 1)
	}
	var found mat.VecDense
	if err := found.SolveVec(a, b); err != nil {
		return nil, fmt.Errorf("the sizes do not tell clusters from Machines: %w", err)
	}
	return found.RawVector().Data, nil
}
