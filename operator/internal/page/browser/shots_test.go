package browser

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// maxShot is the size of a screenshot, in bytes.
const maxShot = 150 << 10

// TestScreenshots makes those of README.md, and with -update keeps them: a cluster is away.
func TestScreenshots(t *testing.T) {
	east := world.fleet.Remotes[0]
	if err := east.SetFault(faults.Fault{Kind: faults.Refuse}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = east.SetFault(faults.Fault{}) })
	for scheme, file := range map[string]string{"light": "page.png", "dark": "page-dark.png"} {
		t.Run(scheme, func(t *testing.T) {
			w := openSignedIn(t, "")
			w.prefer(scheme)
			w.until("cluster-east is away", clusterRow("cluster-east")+`.includes("Unreachable")`)
			for _, name := range configNames[1:] {
				w.until(name+" is connected", clusterRow(name)+`.match(/Connected.* ms.*free/s)`)
			}
			small, colours := shrunk(t, result(w, chromedp.CaptureScreenshot()))
			t.Logf("%s: %d bytes, %d colours", file, len(small), colours)
			if len(small) > maxShot || colours < 20 {
				t.Errorf("%s has %d bytes, of at most %d, and %d colours", file, len(small), maxShot, colours)
			}
			path := filepath.Join("..", "..", "..", "docs", file)
			if *update {
				if err := os.WriteFile(path, small, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if info, err := os.Stat(path); err != nil || info.Size() > maxShot {
				t.Errorf("README.md shows %s: run this test with -update (%v)", path, err)
			}
		})
	}
}

// shrunk gives a picture at most 256 colours: those that it has most of.
func shrunk(t *testing.T, shot []byte) (small []byte, colours int) {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	counts, bounds := map[color.Color]int{}, picture.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			counts[picture.At(x, y)]++
		}
	}
	var palette color.Palette
	for each := range counts {
		palette = append(palette, each)
	}
	slices.SortFunc(palette, func(a, b color.Color) int { return counts[b] - counts[a] })
	palette = palette[:min(len(palette), 256)]
	paletted, nearest := image.NewPaletted(bounds, palette), map[color.Color]int{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			at := picture.At(x, y)
			index, known := nearest[at]
			if !known {
				index = palette.Index(at)
				nearest[at] = index
			}
			paletted.SetColorIndex(x, y, uint8(index)) //nolint:gosec // at most 255
		}
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, paletted); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), len(counts)
}
