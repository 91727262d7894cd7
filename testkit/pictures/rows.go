package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// run is what package report writes.
type run struct {
	Processors int
	Go         string
	Rows       []row
}

// row is one measured number with its bound.
type row struct {
	Name    string
	Value   float64
	Unit    string
	Bound   float64
	Pass    bool
	Noise   bool
	Samples []float64
	Note    string
}

// load reads the rows of a file. One without rows is an error.
func load(file string) (run, error) {
	var r run
	content, err := os.ReadFile(file)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(content, &r); err != nil {
		return r, fmt.Errorf("%s: %w", file, err)
	}
	if len(r.Rows) == 0 {
		return r, fmt.Errorf("%s has no rows", file)
	}
	return r, nil
}

// picture is what one file shows: rows that are drawn as shares of their bounds, or times of two
// that are compared.
type picture struct {
	file, title string
	// takes says which rows it has.
	takes func(r row) bool
}

// pictures in the order in which they are drawn.
var pictures = []picture{
	{"times.svg", "Times against the bare loop, 1 is as fast", func(r row) bool { return r.Unit == "x" }},
	{"counts.svg", "API calls and attempts", func(r row) bool { return r.Unit == "calls" || r.Unit == "count" }},
	{"shares.svg", "Heap, seconds and milliseconds, as a share of the bound",
		func(r row) bool { return slices.Contains([]string{"KiB", "MiB", "ms", "s", "%"}, r.Unit) }},
}

// of returns the rows of a picture; those with bounds of different units as shares of them.
func (p picture) of(all []row) []row {
	var rows []row
	for _, r := range all {
		if !p.takes(r) {
			continue
		}
		if p.file == "shares.svg" {
			r = r.share()
		}
		rows = append(rows, r)
	}
	return rows
}

// share is the row in parts of its bound.
func (r row) share() row {
	bound := cmp.Or(r.Bound, 1)
	shared := row{Name: fmt.Sprintf("%s (%.4g of %.4g %s)", r.Name, r.Value, r.Bound, r.Unit), Value: r.Value / bound,
		Bound: 1, Pass: r.Pass, Noise: r.Noise}
	for _, sample := range r.Samples {
		shared.Samples = append(shared.Samples, sample/bound)
	}
	return shared
}
