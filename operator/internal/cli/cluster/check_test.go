package cluster

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

func TestCodeOf(t *testing.T) {
	cases := map[string]struct {
		reason   string
		verdicts []verdict
		want     int
	}{
		"all well": {reason: "Nothing was found.", verdicts: []verdict{good, good}, want: exit.Fine},
		"a no":     {reason: "A no counts whatever is not known.", verdicts: []verdict{unknown, bad}, want: exit.Negative},
		"warning":  {reason: "A warning is something found.", verdicts: []verdict{good, warning}, want: exit.Negative},
		"off":      {reason: "What nobody uses is no fault.", verdicts: []verdict{good, off}, want: exit.Fine},
		"unknown":  {reason: "What could not be told is not well.", verdicts: []verdict{good, unknown}, want: exit.Partial},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var results []result
			for _, each := range tc.verdicts {
				results = append(results, result{what: "x", verdict: each, text: "y"})
			}
			if got := codeOf(results); got != tc.want {
				t.Errorf("%s The code is %d, want %d", tc.reason, got, tc.want)
			}
			var out bytes.Buffer
			if err := show(&out, results); err != nil || strings.Count(out.String(), "\n") != len(results) {
				t.Errorf("%v: %q", err, out.String())
			}
		})
	}
}

// TestClock asks servers whose clocks are right and wrong. A real server has this computer's clock.
func TestClock(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		date   string
		want   verdict
	}{
		"right": {reason: "The header has whole seconds.", date: time.Now().UTC().Format(http.TimeFormat), want: good},
		"behind": {
			reason: "A token of today is not valid yet.", want: bad,
			date: time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat),
		},
		"silent": {reason: "Nobody knows.", date: "none", want: unknown},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", tc.date)
			}))
			defer server.Close()
			s := &subject{remote: &reach.Cluster{Config: &rest.Config{Host: server.URL}, HTTP: server.Client()}}
			if got := s.clock(context.Background()); got.verdict != tc.want {
				t.Errorf("%s It is %+v", tc.reason, got)
			}
		})
	}
}
