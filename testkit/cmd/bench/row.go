package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// row is one measured number with the bound that it has to hold.
type row struct {
	Name string `json:"name"`
	// Value is the median of Ratios.
	Value float64 `json:"value"`
	// Bound is the most that Value may be.
	Bound float64 `json:"bound"`
	// Pass says whether it is.
	Pass bool `json:"pass"`
	// Ratios are those of the single turns, sorted.
	Ratios []float64 `json:"ratios"`
}

func newRow(name string, bound float64, ratios []float64) row {
	ratios = slices.Sorted(slices.Values(ratios))
	value := median(ratios)
	return row{Name: name, Value: value, Bound: bound, Pass: value <= bound, Ratios: ratios}
}

// newNoise makes the row of something that is measured against itself: it may not be far from 1, on
// either side.
func newNoise(name string, bound float64, ratios []float64) row {
	r := newRow(name, bound, ratios)
	r.Pass = r.Pass && r.Value >= 1/bound
	return r
}

// String is "NAME VALUE BOUND PASS".
func (r row) String() string {
	verdict := "MISS"
	if r.Pass {
		verdict = "PASS"
	}
	return fmt.Sprintf("%s %.3f %.2f %s", r.Name, r.Value, r.Bound, verdict)
}

// printRows writes a line for each row, or all of them as one JSON array.
func printRows(out io.Writer, rows []row, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(rows)
	}
	for _, r := range rows {
		if _, err := fmt.Fprintln(out, r); err != nil {
			return err
		}
	}
	return nil
}
