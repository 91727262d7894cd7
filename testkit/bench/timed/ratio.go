package timed

import "time"

// last returns the last time, in seconds.
func last(times []time.Duration) float64 { return times[len(times)-1].Seconds() }

// means returns the mean of each pair.
func means(a, b []time.Duration) []time.Duration {
	all := make([]time.Duration, len(a))
	for i := range a {
		all[i] = (a[i] + b[i]) / 2
	}
	return all
}

// ratios returns a[i] / b[i] of each pair.
func ratios(a, b []time.Duration) []float64 {
	all := make([]float64, len(a))
	for i := range a {
		all[i] = a[i].Seconds() / b[i].Seconds()
	}
	return all
}
