package soak

import (
	"errors"
	"fmt"
	"slices"

	"github.com/vitistack/kubevirt-multicluster/testkit/bench/report"
)

// Bound is how flat a size must be.
type Bound struct {
	// Growth is the most that the last third of the samples may be of the first.
	Growth float64
	// Drift is the most that the size may have grown for certain, in percent.
	Drift float64
}

// Bounds are those of each size. The resident memory follows the heap late, and by large steps.
var Bounds = map[Series]Bound{
	Heap:        {Growth: 1.10, Drift: 5},
	Goroutines:  {Growth: 1.05, Drift: 2},
	Descriptors: {Growth: 1.05, Drift: 2},
	Sockets:     {Growth: 1.05, Drift: 2},
	Resident:    {Growth: 1.15, Drift: 10},
}

// fewest samples of equal load that can be judged.
const fewest = 12

// ErrTooFew says that there are too few samples of equal load: the run was too short.
var ErrTooFew = errors.New("too few samples of equal load")

// Judge returns the rows of samples, two for each size. Those before warmUp, in seconds, and those
// that are not calm do not count. The error is ErrTooFew.
func Judge(samples []Sample, warmUp float64) ([]report.Row, error) {
	counted := slices.DeleteFunc(slices.Clone(samples), func(s Sample) bool { return !s.Calm || s.At < warmUp })
	if len(counted) < fewest {
		return nil, fmt.Errorf("%w: %d of %d after the warm-up, want %d", ErrTooFew, len(counted), len(samples), fewest)
	}
	var rows []report.Row
	for _, series := range AllSeries {
		x, y := pointsOf(counted, series)
		note := fmt.Sprintf("%d samples, from %.1f to %.1f", len(y), slices.Min(y), slices.Max(y))
		growth, drift := growthOf(y), driftOf(x, y)
		rows = append(rows,
			report.Most(string(series)+"-growth", report.Ratio, Bounds[series].Growth, []float64{growth}).Noted("%s", note),
			report.Most(string(series)+"-drift", report.Percent, Bounds[series].Drift, []float64{drift}).Noted("%s", note))
	}
	return rows, nil
}

func pointsOf(samples []Sample, series Series) (x, y []float64) {
	for _, s := range samples {
		x, y = append(x, s.At), append(y, s.Sizes[series])
	}
	return x, y
}

// growthOf is the middle of the last third over that of the first.
func growthOf(y []float64) float64 {
	third := len(y) / 3
	return medianOf(y[len(y)-third:]) / max(medianOf(y[:third]), 1)
}

// driftOf is how much was added for certain from the first sample to the last, in percent of the
// middle one. Where nothing is certain it is 0.
func driftOf(x, y []float64) float64 {
	_, least := slope(x, y)
	span := x[len(x)-1] - x[0]
	return max(0, 100*least*span/max(medianOf(y), 1))
}
