package main

import (
	"slices"
	"time"
)

// last is the last time, in seconds.
func last(times []time.Duration) float64 { return times[len(times)-1].Seconds() }

// means are the means of each pair.
func means(a, b []time.Duration) []time.Duration {
	all := make([]time.Duration, len(a))
	for i := range a {
		all[i] = (a[i] + b[i]) / 2
	}
	return all
}

// ratios are those of each pair, sorted.
func ratios(a, b []time.Duration) []float64 {
	all := make([]float64, len(a))
	for i := range a {
		all[i] = a[i].Seconds() / b[i].Seconds()
	}
	slices.Sort(all)
	return all
}

// median of what is sorted.
func median(sorted []float64) float64 { return sorted[len(sorted)/2] }
