package plugin_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

func TestStartRefusesOptions(t *testing.T) {
	digest := strings.Repeat("0", 64)
	cases := map[string]struct {
		reason  string
		options plugin.Options
		want    []string
	}{
		"no plugin directory": {
			reason:  "a host without a plugin directory has no place to look for plugins",
			options: plugin.Options{},
			want:    []string{"no plugin directory"},
		},
		"several faults": {
			reason: "all faults of the options are told at once",
			options: plugin.Options{Dir: "/plugins", Entries: []plugin.Entry{
				{Name: "a", SHA256: digest}, {Name: "a", SHA256: digest}, {Name: "B/..", SHA256: digest},
				{
					Name:   "c",
					Socket: "/s",
					Path:   "c",
				}, {Name: "d", SHA256: "abc"}, {Name: "e", SHA256: digest, Config: json.RawMessage("{")},
				{Name: "f", Socket: "s"}, {Name: "g", SHA256: digest, PeerUID: new(uint32(1)), Timeout: -1},
				{Name: "h", SHA256: digest, Path: "../../../../../../../../bin/sh"},
				{Name: "i", Socket: "/run/../s"},
			}},
			want: []string{
				`"a" is listed twice`,
				`name "B/.."`,
				`"c": path, sha256 and args are for plugins without a socket`,
				`sha256 "abc" is not 64`,
				`"e": its config is not JSON`,
				`"f": socket "s" is not an absolute path`,
				`"g": peerUID is for plugins with a socket`,
				`"i": socket /s is that of plugin "c"`,
				`"g": timeout -1ns is negative`,
				`"h": path "../../../../../../../../bin/sh" is not one inside the plugin directory`,
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			host := plugin.NewHost(tc.options)
			err := host.Start(t.Context())
			for _, want := range tc.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("\n%s\nStart(): want %q in %v", tc.reason, want, err)
				}
			}
			if err := host.Close(); err != nil {
				t.Errorf("Close() of a host that does not run: %v", err)
			}
		})
	}
}

func TestEntryJSON(t *testing.T) {
	var entries []plugin.Entry
	text := `[{"name":"zone","path":"placement-zone","sha256":"ab","args":["-v"],"config":{"zone":"a"},` +
		`"onError":"skip","timeout":"500ms"},{"name":"search"}]`
	if err := json.Unmarshal([]byte(text), &entries); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text, string(again)); diff != "" {
		t.Errorf("the entries came back otherwise: -want, +got:\n%s", diff)
	}
	if got := time.Duration(entries[0].Timeout); got != 500*time.Millisecond {
		t.Errorf("a time in words was read as %v", got)
	}
	if err := json.Unmarshal([]byte(`{"name":"a","timeout":5}`), &plugin.Entry{}); err == nil {
		t.Error("a time without a unit must be an error")
	}
	if err := json.Unmarshal([]byte(`{"name":"a","onError":"ignore"}`), &plugin.Entry{}); err == nil {
		t.Error("an unknown policy must be an error")
	}
}

func TestHostStartsOnce(t *testing.T) {
	host := start(t, options(t))
	if err := host.Start(t.Context()); err == nil {
		t.Error("a second Start() must fail")
	}
	if err := host.Close(); err != nil {
		t.Error(err)
	}
	if err := host.Close(); err != nil {
		t.Errorf("a second Close(): %v", err)
	}
}
