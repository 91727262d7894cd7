package soak

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
)

// Draw writes a picture of the samples into a file, whose ending says its form: each size relative to
// its middle, over minutes. Troubles are grey behind them. There must be a sample.
func (r *Result) Draw(file string) error {
	p := plot.New()
	p.Title.Text = "The operator's process while Machines come and go"
	p.X.Label.Text, p.Y.Label.Text = "minutes", "relative to the median"
	p.Legend.Top, p.Y.Min, p.Y.Max = true, 0, 2
	for _, t := range r.Troubles {
		from, to := t.From/60, t.To/60
		band, err := plotter.NewPolygon(plotter.XYs{{X: from}, {X: from, Y: 2}, {X: to, Y: 2}, {X: to}})
		if err != nil {
			return err
		}
		band.Color, band.Width = color.Gray{Y: 235}, 0
		p.Add(band)
	}
	for i, series := range AllSeries {
		line, err := plotter.NewLine(relative(r.Samples, series))
		if err != nil {
			return err
		}
		line.Color, line.Width = plotutil.Color(i), vg.Points(1.2)
		p.Add(line)
		p.Legend.Add(string(series), line)
	}
	return p.Save(22*vg.Centimeter, 11*vg.Centimeter, file)
}

// relative are the samples of a size over its middle, cut off at twice that.
func relative(samples []Sample, series Series) plotter.XYs {
	_, y := pointsOf(samples, series)
	middle := max(medianOf(y), 1)
	points := make(plotter.XYs, len(samples))
	for i, s := range samples {
		points[i] = plotter.XY{X: s.At / 60, Y: min(2, s.Sizes[series]/middle)}
	}
	return points
}
