package plan

import "testing"

// TestSteps: the smallest next version by what changed.
func TestSteps(t *testing.T) {
	breaks, adds := API{Breaks: []string{"Get: removed"}}, API{Adds: []string{"Put: added"}}
	for name, tc := range map[string]struct {
		reason string
		last   string
		api    API
		want   string
	}{
		"v0 break":    {reason: "before v1 the minor version tells of breaks", last: "v0.3.7", api: breaks, want: "v0.4.0"},
		"v0 addition": {reason: "before v1 what is added may come in a patch", last: "v0.3.7", api: adds, want: "v0.3.8"},
		"v1 break":    {reason: "from v1 on the major version tells of breaks", last: "v1.3.7", api: breaks, want: "v2.0.0"},
		"v1 addition": {reason: "from v1 on what is added needs a minor version", last: "v1.3.7", api: adds, want: "v1.4.0"},
		"v1 patch":    {reason: "what nobody can see is a patch", last: "v1.3.7", want: "v1.3.8"},
		"v1 both": {
			reason: "the largest change decides", last: "v1.3.7",
			api: API{Breaks: breaks.Breaks, Adds: adds.Adds}, want: "v2.0.0",
		},
		"pre-release": {reason: "what a pre-release showed may change", last: "v0.4.0-rc.1", api: breaks, want: "v0.4.0"},
	} {
		t.Run(name, func(t *testing.T) {
			m := Module{Folder: "store", Files: []string{"store/store.go"}, Last: tc.last, API: tc.api}
			if got := smallest(m); got != tc.want {
				t.Errorf("%s: got %s, want %s", tc.reason, got, tc.want)
			}
			if m.Version = tc.want; whyNoStep(m) != "" {
				t.Errorf("the version that is asked for is refused: %s", whyNoStep(m))
			}
			if m.Version = tc.last; whyNoStep(m) == "" {
				t.Errorf("the same version is let through")
			}
		})
	}
}
