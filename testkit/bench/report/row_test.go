package report

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestText(t *testing.T) {
	run := &Run{Rows: []Row{
		Median("creation", Ratio, 1.15, []float64{1.3, 1.0, 1.1}),
		Median("refused", Ratio, 1.05, []float64{3, 1.1}),
		Most("writes", Calls, 5, []float64{5, 4, 4}),
		Most("relists", Calls, 0, []float64{0, 1}),
	}}
	want := "creation 1.100 1.15 PASS\nrefused 2.050 1.05 MISS\nwrites 5.000 5 PASS\nrelists 1.000 0 MISS\n"
	var out strings.Builder
	if err := run.Text(&out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("a line has the name, the value, the bound and whether it holds (-want +got):\n%s", diff)
	}
}

func TestSave(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.json")
	first, second := NewRun(), NewRun()
	first.Rows = []Row{Most("a", Calls, 5, []float64{9}), Most("b", Calls, 5, []float64{1}).Noted("of %d", 3)}
	second.Rows = []Row{Most("a", Calls, 5, []float64{2}), Noise("c", 1.05, []float64{1})}
	for _, each := range []*Run{first, second} {
		if err := each.Save(file); err != nil {
			t.Fatal(err)
		}
	}
	want := NewRun()
	want.Rows = []Row{second.Rows[0], first.Rows[1], second.Rows[1]}
	got, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows that are measured anew are replaced, the others stay (-want +got):\n%s", diff)
	}
}

func TestNoise(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		ratios []float64
		want   string
	}{
		"the second run is as fast": {
			reason: "a ratio near 1 says that the machine was quiet",
			ratios: []float64{0.97},
			want:   "self 0.970 1.05 PASS",
		},
		"the second run is much slower": {
			reason: "the same work took nearly twice as long, so no other ratio of this run means anything",
			ratios: []float64{0.58},
			want:   "self 0.580 1.05 MISS",
		},
		"the first run is much slower": {
			reason: "a ratio above the bound is noise as well",
			ratios: []float64{1.4},
			want:   "self 1.400 1.05 MISS",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Noise("self", 1.05, tc.ratios).String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
