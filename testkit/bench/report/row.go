package report

import (
	"fmt"
	"slices"
	"strconv"
)

// Unit is what a row's numbers count.
type Unit string

// The units of rows.
const (
	Ratio   Unit = "x" // of two times that were taken in turn
	Calls   Unit = "calls"
	Count   Unit = "count"
	KiB     Unit = "KiB"
	MiB     Unit = "MiB"
	Millis  Unit = "ms"
	Seconds Unit = "s"
	Percent Unit = "%" // of one core
)

// Row is one measured number with the bound that it has to hold.
type Row struct {
	// Name tells the row from all others. It has no spaces.
	Name string `json:"name"`
	// Value was measured: the median of Samples, or the most of them where each has to hold.
	Value float64 `json:"value"`
	// Unit is what Value, Bound and Samples count.
	Unit Unit `json:"unit"`
	// Bound is the most that Value may be.
	Bound float64 `json:"bound"`
	// Pass says whether it is.
	Pass bool `json:"pass"`
	// Noise is set for what was measured against itself: its Value may not be far below 1 either.
	Noise bool `json:"noise,omitempty"`
	// Samples are those of the single turns, sorted.
	Samples []float64 `json:"samples"`
	// Note says what was measured, with its sizes.
	Note string `json:"note,omitempty"`
}

// Median makes the row of what is measured several times. There must be a sample.
func Median(name string, unit Unit, bound float64, samples []float64) Row {
	samples = slices.Sorted(slices.Values(samples))
	value := Middle(samples)
	return Row{Name: name, Value: value, Unit: unit, Bound: bound, Pass: value <= bound, Samples: samples}
}

// Most makes the row of what has to hold each time: calls and other counts. There must be a sample.
func Most(name string, unit Unit, bound float64, samples []float64) Row {
	samples = slices.Sorted(slices.Values(samples))
	value := samples[len(samples)-1]
	return Row{Name: name, Value: value, Unit: unit, Bound: bound, Pass: value <= bound, Samples: samples}
}

// Noise makes the row of something that is measured against itself: it may not be far from 1, on
// either side.
func Noise(name string, bound float64, ratios []float64) Row {
	r := Median(name, Ratio, bound, ratios)
	r.Noise, r.Pass = true, r.Pass && r.Value >= 1/bound
	return r
}

// Noted returns the row with a note on what was measured.
func (r Row) Noted(format string, args ...any) Row {
	r.Note = fmt.Sprintf(format, args...)
	return r
}

// String is "NAME VALUE BOUND PASS".
func (r Row) String() string {
	verdict := "MISS"
	if r.Pass {
		verdict = "PASS"
	}
	return fmt.Sprintf("%s %s %s %s", r.Name, strconv.FormatFloat(r.Value, 'f', 3, 64),
		strconv.FormatFloat(r.Bound, 'f', -1, 64), verdict)
}

// Middle returns the middle of numbers that are sorted; of two in the middle, their mean.
func Middle(sorted []float64) float64 {
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}
