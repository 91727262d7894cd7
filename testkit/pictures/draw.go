package main

import (
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Colours that can be told apart in grey, too.
var (
	holds  = color.RGBA{R: 0x2a, G: 0x7f, B: 0x9e, A: 0xff}
	misses = color.RGBA{R: 0xc4, G: 0x4e, B: 0x20, A: 0xff}
	turns  = color.RGBA{A: 0xb0}
	bounds = color.RGBA{R: 0x10, G: 0x10, B: 0x10, A: 0xff}
)

const (
	width     = 22 * vg.Centimeter
	rowHeight = 0.9 * vg.Centimeter
	margins   = 2.2 * vg.Centimeter
	half      = 0.28 // of the height of a row is a bar
)

// drawAll writes all pictures that have rows into a folder.
func drawAll(r run, dir string) error {
	for _, each := range pictures {
		rows := each.of(r.Rows)
		if len(rows) == 0 {
			continue
		}
		p, err := newPlot(each.title, rows)
		if err != nil {
			return fmt.Errorf("%s: %w", each.file, err)
		}
		p.X.Label.Text = fmt.Sprintf("%d processors, %s", r.Processors, r.Go)
		if err := save(p, len(rows), filepath.Join(dir, each.file)); err != nil {
			return fmt.Errorf("%s: %w", each.file, err)
		}
	}
	return nil
}

// fallbacks are what viewers take that lack the fonts that the plot was measured with. Without them
// they take one of another width, and names run into bars.
var fallbacks = strings.NewReplacer("font-family:Liberation Mono", "font-family:Liberation Mono,Courier New,monospace",
	"font-family:Liberation Serif", "font-family:Liberation Serif,Times New Roman,serif")

// save writes a plot with so many rows.
func save(p *plot.Plot, rows int, file string) error {
	drawn, err := p.WriterTo(width, margins+rowHeight*vg.Length(rows), "svg")
	if err != nil {
		return err
	}
	var svg strings.Builder
	if _, err := drawn.WriteTo(&svg); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(fallbacks.Replace(svg.String())), 0o644)
}

// newPlot draws rows from above to below.
func newPlot(title string, rows []row) (*plot.Plot, error) {
	p := plot.New()
	p.BackgroundColor = color.White // a page in the dark shows it, too
	p.Title.Text = title
	names := make([]string, len(rows))
	for i, each := range slices.Backward(rows) {
		at := len(rows) - 1 - i
		names[at] = each.Name
		if err := add(p, each, float64(at)); err != nil {
			return nil, fmt.Errorf("%s: %w", each.Name, err)
		}
	}
	p.NominalY(names...)
	p.Y.Tick.Label.Font.Variant, p.Y.Tick.Label.Font.Size = "Mono", vg.Points(9)
	p.Y.Padding = vg.Points(4)
	p.X.Min = 0
	p.X.Max *= 1.05
	p.Y.Min, p.Y.Max = -0.6, float64(len(rows))-0.4
	return p, nil
}

// add draws one row: the bar, its bound, and the turns.
func add(p *plot.Plot, r row, at float64) error {
	bar, err := plotter.NewPolygon(plotter.XYs{{X: 0, Y: at - half}, {X: r.Value, Y: at - half},
		{X: r.Value, Y: at + half}, {X: 0, Y: at + half}})
	if err != nil {
		return err
	}
	bar.Width, bar.Color = 0, holds
	if !r.Pass {
		bar.Color = misses
	}
	bound, err := plotter.NewLine(plotter.XYs{{X: r.Bound, Y: at - 0.45}, {X: r.Bound, Y: at + 0.45}})
	if err != nil {
		return err
	}
	bound.Width, bound.Color = vg.Points(2), bounds
	p.Add(bar, bound)
	if len(r.Samples) < 2 {
		return nil
	}
	points := make(plotter.XYs, len(r.Samples))
	for i, sample := range r.Samples {
		points[i] = plotter.XY{X: sample, Y: at}
	}
	dots, err := plotter.NewScatter(points)
	if err != nil {
		return err
	}
	dots.GlyphStyle = draw.GlyphStyle{Color: turns, Radius: vg.Points(1.6), Shape: draw.CircleGlyph{}}
	p.Add(dots)
	return nil
}
