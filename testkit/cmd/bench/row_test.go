package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRows(t *testing.T) {
	rows := []row{newRow("creation", 1.15, []float64{1.3, 1.0, 1.1}), newRow("refused", 1.05, []float64{3, 1.1})}
	for name, tc := range map[string]struct {
		reason string
		json   bool
		want   string
	}{
		"text": {
			reason: "a line has the name, the median, the bound and whether it holds",
			want:   "creation 1.100 1.15 PASS\nrefused 2.050 1.05 MISS\n",
		},
		"JSON": {
			reason: "tools get the ratio of each turn too",
			json:   true,
			want: `[
  {
    "name": "creation",
    "value": 1.1,
    "bound": 1.15,
    "pass": true,
    "ratios": [
      1,
      1.1,
      1.3
    ]
  },
  {
    "name": "refused",
    "value": 2.05,
    "bound": 1.05,
    "pass": false,
    "ratios": [
      1.1,
      3
    ]
  }
]
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			if err := printRows(&out, rows, tc.json); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, out.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
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
			if diff := cmp.Diff(tc.want, newNoise("self", 1.05, tc.ratios).String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
