package figures

import (
	"fmt"
	"image/color"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// panel is one of the pictures of a table.
type panel struct {
	title, unit string
	figure      func(Cell) float64
}

var panels = [][]panel{
	{
		{"Heap", "MiB", func(c Cell) float64 { return c.HeapMiB }},
		{"CPU at rest", "% of a core", func(c Cell) float64 { return c.CPU }},
	},
	{
		{"Created until the virtual machine exists, p99", "ms", func(c Cell) float64 { return c.Create.P99 }},
		{"Guest changed until the status shows it, p99", "ms", func(c Cell) float64 { return c.Status.P99 }},
	},
}

// colours tell the numbers of clusters apart, also for those who do not see red and green apart.
var colours = []color.RGBA{
	{R: 0, G: 114, B: 178, A: 255}, {R: 230, G: 159, B: 0, A: 255}, {R: 0, G: 158, B: 115, A: 255},
	{R: 204, G: 121, B: 167, A: 255}, {R: 86, G: 180, B: 233, A: 255}, {R: 213, G: 94, B: 0, A: 255},
}

// Picture draws the table as SVG: a panel for each figure, a line for each number of clusters.
func (t *Table) Picture(file string) (err error) {
	canvas := vgsvg.New(9*vg.Inch, 7*vg.Inch)
	tiles := draw.Tiles{Rows: len(panels), Cols: len(panels[0]), PadX: vg.Points(18), PadY: vg.Points(18)}
	plots := make([][]*plot.Plot, len(panels))
	for i, row := range panels {
		for _, each := range row {
			drawn, err := t.draw(each)
			if err != nil {
				return err
			}
			plots[i] = append(plots[i], drawn)
		}
	}
	for i, row := range plot.Align(plots, tiles, draw.New(canvas)) {
		for j, at := range row {
			plots[i][j].Draw(at)
		}
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := canvas.WriteTo(out); err != nil {
		return err
	}
	return out.Close()
}

// draw draws one panel.
func (t *Table) draw(of panel) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = of.title, "Machines", of.unit
	p.Title.TextStyle.Font.Size, p.Legend.TextStyle.Font.Size = font.Points(11), font.Points(8)
	p.Y.Min = 0
	p.Legend.Top, p.Legend.Left = true, true
	p.Add(plotter.NewGrid())
	var lines []string
	points := map[string]plotter.XYs{}
	for _, c := range t.Cells {
		line := fmt.Sprintf("%d %s", c.Clusters, map[Kind]string{Real: "clusters, real", StandIn: "stand-ins"}[c.Kind])
		if points[line] == nil {
			lines = append(lines, line)
		}
		points[line] = append(points[line], plotter.XY{X: float64(c.Machines), Y: of.figure(c)})
	}
	for i, name := range lines {
		line, dots, err := plotter.NewLinePoints(points[name])
		if err != nil {
			return nil, err
		}
		line.Color, dots.Color = colours[i%len(colours)], colours[i%len(colours)]
		p.Add(line, dots)
		p.Legend.Add(name, line, dots)
	}
	return p, nil
}
