package soak

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// samplesOf are those of a run of 30 minutes. A minute has a trouble in it, which is half a minute
// without calm, and in which all sizes are 3 times what they were.
func samplesOf(size func(at float64, noise *rand.Rand) float64) []Sample { return samplesWith(7, size) }

// samplesWith are samplesOf with a noise of their own.
func samplesWith(seed uint64, size func(at float64, noise *rand.Rand) float64) (samples []Sample) {
	noise := rand.New(rand.NewPCG(seed, seed))
	for at := 0.0; at < 1800; at += 10 {
		value := size(at, noise)
		calm := int(at)%60 >= 30
		if !calm {
			value *= 3
		}
		s := Sample{At: at, Calm: calm, Sizes: map[Series]float64{}}
		for _, series := range AllSeries {
			s.Sizes[series] = value
		}
		samples = append(samples, s)
	}
	return samples
}

func TestJudge(t *testing.T) {
	all := []string{"heap", "goroutines", "descriptors", "sockets", "resident"}
	counts := []string{"goroutines", "descriptors", "sockets"}
	for name, tc := range map[string]struct {
		reason string
		size   func(at float64, noise *rand.Rand) float64
		misses []string // of which a row misses its bound
	}{
		"as flat as can be": {
			reason: "A size that never changes has no growth.",
			size:   func(float64, *rand.Rand) float64 { return 300 },
		},
		"noisy and flat": {
			reason: "A heap that goes up and down by a tenth grows by nothing, and no row says that it does.",
			size:   func(_ float64, noise *rand.Rand) float64 { return 300 + 30*noise.NormFloat64() },
		},
		"flat after the warm-up": {
			reason: "Caches that fill in the first five minutes are no leak.",
			size:   func(at float64, _ *rand.Rand) float64 { return min(300, 100+at) },
		},
		"a slow leak in noise": {
			reason: "Half a goroutine for each trouble is 15 in a run. It is 5 of 100, and less than the noise of one sample.",
			size: func(at float64, noise *rand.Rand) float64 {
				return 300 + at/1800*16 + 5*noise.NormFloat64()
			},
			misses: counts,
		},
		"a leak": {
			reason: "A size that doubles in a run misses all bounds.",
			size:   func(at float64, noise *rand.Rand) float64 { return 300 + at/6 + 5*noise.NormFloat64() },
			misses: all,
		},
		"a step": {
			reason: "What one trouble of thirty leaves behind comes at once, and stays.",
			size: func(at float64, _ *rand.Rand) float64 {
				if at > 1200 {
					return 360
				}
				return 300
			},
			misses: all,
		},
		"one sample that is far off": {
			reason: "A moment of a deep queue is no leak.",
			size: func(at float64, _ *rand.Rand) float64 {
				if at == 1790 {
					return 9000
				}
				return 300
			},
		},
		"less and less": {
			reason: "What shrinks does not leak.",
			size:   func(at float64, noise *rand.Rand) float64 { return 300 - at/20 + 5*noise.NormFloat64() },
		},
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := Judge(samplesOf(tc.size), 300)
			if err != nil {
				t.Fatal(err)
			}
			var misses []string
			for _, row := range rows {
				series := strings.TrimSuffix(strings.TrimSuffix(row.Name, "-growth"), "-drift")
				if !row.Pass && !slices.Contains(misses, series) {
					misses = append(misses, series)
				}
			}
			if diff := cmp.Diff(tc.misses, misses); diff != "" {
				t.Errorf("%s\n-want +got:\n%s\n%v", tc.reason, diff, rows)
			}
		})
	}
}

// TestNoiseIsNoDrift: of noise alone nothing is certain, whatever the noise is. The slope itself would
// be more than a bound in some of these runs.
func TestNoiseIsNoDrift(t *testing.T) {
	misled := 0
	for seed := range uint64(40) {
		samples := samplesWith(seed, func(_ float64, noise *rand.Rand) float64 { return 300 + 30*noise.NormFloat64() })
		x, y := pointsOf(slices.DeleteFunc(samples, func(s Sample) bool { return !s.Calm }), Heap)
		if drift := driftOf(x, y); drift > Bounds[Goroutines].Drift {
			t.Errorf("seed %d drifts by %.1f %%", seed, drift)
		}
		if middle, _ := slope(x, y); 100*middle*1800/300 > Bounds[Goroutines].Drift {
			misled++
		}
	}
	if misled == 0 {
		t.Error("no slope was steep by chance: the noise shows nothing")
	}
}

func TestTooFew(t *testing.T) {
	flat := samplesOf(func(float64, *rand.Rand) float64 { return 1 })
	if _, err := Judge(flat, 1700); !errors.Is(err, ErrTooFew) {
		t.Errorf("five samples are judged: %v", err)
	}
}

func TestSlope(t *testing.T) {
	for name, tc := range map[string]struct {
		reason        string
		y             []float64
		middle, least float64
	}{
		"a line":            {"Each two points of a line have its slope.", []float64{1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23}, 2, 2},
		"a line, one aside": {"One point that is far off moves nothing.", []float64{1, 3, 5, 7, 9, 999, 13, 15, 17, 19, 21, 23}, 2, 2},
		"flat":              {"Ties are slopes of 0.", []float64{4, 4, 4, 4, 4, 4, 4, 4, 5, 4, 4, 4}, 0, 0},
		"two points":        {"Of two points nothing is certain, but there is a slope.", []float64{1, 2}, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var x []float64
			for i := range tc.y {
				x = append(x, float64(i))
			}
			middle, least := slope(x, tc.y)
			if middle != tc.middle || least != tc.least {
				t.Errorf("%s: %v, at least %v", tc.reason, middle, least)
			}
		})
	}
}
