package bench

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/testkit/bench/report"
)

func TestChoose(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		rows   []string
		want   []string
	}{
		"a row": {
			reason: "what is measured together is measured together, however many rows are wanted",
			rows:   []string{"creation", "calls-at-rest"},
			want:   []string{"rest", "creation"},
		},
		"a measurement": {
			reason: "the name of a measurement stands for all of its rows",
			rows:   []string{"heap"},
			want:   []string{"heap"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			chosen, err := choose(tc.rows)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, each := range chosen {
				got = append(got, each.name)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
	if _, err := choose([]string{"cretion"}); err == nil || !strings.Contains(err.Error(), "cretion") {
		t.Errorf("a row that does not exist is named: got %v", err)
	}
}

// TestNamesAreUnique: rows of several runs are put beside each other by their names.
func TestNamesAreUnique(t *testing.T) {
	var names []string
	for _, each := range measurements() {
		names = append(names, each.rows...)
	}
	slices.Sort(names)
	if unique := slices.Compact(slices.Clone(names)); len(unique) != len(names) {
		t.Errorf("some of these rows have one name: %v", names)
	}
}

func TestRowsOfScale(t *testing.T) {
	file := filepath.Join(t.TempDir(), "scale.json")
	measured := report.NewRun()
	for _, name := range scaleRows {
		measured.Rows = append(measured.Rows, report.Most(name, report.Count, 2, []float64{1}))
	}
	measured.Rows = append(measured.Rows, report.Most("other", report.Count, 2, []float64{1}))
	if err := measured.Save(file); err != nil {
		t.Fatal(err)
	}
	kept := 0
	options := Options{Scale: file, Rows: []string{"scale"}, Within: time.Minute, Progress: t.Output(),
		Keep: func(run *report.Run) error { kept = len(run.Rows); return nil }}
	run, err := Run(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if kept != len(scaleRows) {
		t.Errorf("%d rows were kept when they were made, want %d", kept, len(scaleRows))
	}
	if diff := cmp.Diff(measured.Rows[:len(scaleRows)], run.Rows); diff != "" {
		t.Errorf("the rows of `make scale` are printed as they were measured (-want +got):\n%s", diff)
	}
}
