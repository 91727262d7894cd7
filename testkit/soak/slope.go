package soak

import (
	"math"
	"slices"
)

// certain is the quantile of the normal distribution with which a slope is at least what is said of
// it: 99.5 of 100 times, if samples were independent.
const certain = 2.576

// slope is how fast y grows with x: Theil's and Sen's estimate, the middle of the slopes between any
// two points, which no outlier moves. least is the lower end of its confidence interval (Sen 1968).
// There must be two points, and no two may have the same x.
func slope(x, y []float64) (middle, least float64) {
	var slopes []float64
	for i := range x {
		for j := range i {
			slopes = append(slopes, (y[i]-y[j])/(x[i]-x[j]))
		}
	}
	slices.Sort(slopes)
	n := float64(len(x))
	spread := certain * math.Sqrt(n*(n-1)*(2*n+5)/18)
	lowest := int(math.Floor((float64(len(slopes)) - spread) / 2))
	return median(slopes), slopes[min(max(lowest, 0), len(slopes)-1)]
}

// median is the middle of numbers that are sorted; of two in the middle, their mean.
func median(sorted []float64) float64 {
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}

// medianOf is the median of numbers in any order.
func medianOf(values []float64) float64 { return median(slices.Sorted(slices.Values(values))) }
