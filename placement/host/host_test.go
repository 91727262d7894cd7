package placementhost

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// pluginDir is where `make tools` puts the placement plugins.
const pluginDir = "../../bin/plugins"

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestEntries(t *testing.T) {
	one, two := strings.Repeat("0", 63)+"1", strings.Repeat("0", 63)+"2"
	sums := one + "  placement-annotation\n" + two + " *placement-zone\n"
	cases := map[string]struct {
		reason string
		sums   string
		config string // "" for no file
		want   []plugin.Entry
		err    string
	}{
		"no configuration file": {
			reason: "the default strategies are listed in order, and one without a digest keeps its place", sums: sums,
			want: []plugin.Entry{
				{Name: "annotation", Path: "placement-annotation", SHA256: one}, {Name: "default", Path: "placement-default"},
				{Name: "single", Path: "placement-single"}, {Name: "search", Path: "placement-search"},
			},
		},
		"no file of digests": {
			reason: "without digests no strategy is pinned, so no program is started",
			config: "strategies: [{name: annotation}]",
			want:   []plugin.Entry{{Name: "annotation", Path: "placement-annotation"}},
		},
		"every field is set": {
			reason: "each field of an entry reaches the host", sums: sums,
			config: `
strategies:
- {name: annotation}
- name: zone
  onError: skip
  timeout: 500ms
  config: {labelKey: zone, maxSkew: 2}
- {name: mine, path: sub/mine, sha256: "` + one + `", args: [-v], onError: refuse}
- {name: far, socket: /run/placement/far.sock, peerUID: 1000}
`,
			want: []plugin.Entry{
				{Name: "annotation", Path: "placement-annotation", SHA256: one},
				{
					Name:    "zone",
					Path:    "placement-zone",
					SHA256:  two,
					OnError: placement.SkipOnError,
					Timeout: plugin.Duration(500 * time.Millisecond),
					Config:  json.RawMessage(`{"labelKey":"zone","maxSkew":2}`),
				},
				{Name: "mine", Path: "sub/mine", SHA256: one, Args: []string{"-v"}, OnError: placement.RefuseOnError},
				{Name: "far", Socket: "/run/placement/far.sock", PeerUID: new(uint32(1000))},
			},
		},
		"field that is misspelt": {
			reason: "a typing error is refused and not passed over",
			config: "strategies: [{name: a, sha265: x}]",
			err:    `unknown field "sha265"`,
		},
		"key given twice": {
			reason: "a file that says the same key twice is refused",
			config: "strategies: []\nstrategies: []",
			err:    "already set",
		},
		"policy that does not exist": {
			reason: "a policy other than hold, skip and refuse is refused",
			config: "strategies: [{name: a, onError: ignore}]",
			err:    `onError "ignore" is unknown: want hold, skip or refuse`,
		},
		"time-out without a unit": {
			reason: "a number without a unit is refused as a time-out",
			config: "strategies: [{name: a, timeout: 5}]",
			err:    "timeout",
		},
		"name given twice": {
			reason: "the operator once began to work before it ended with this",
			config: "strategies: [{name: a}, {name: a}]",
			err:    `plugin "a" is listed twice`,
		},
		"name that is none": {
			reason: "a name is checked before anything starts",
			config: "strategies: [{name: Not_A_Name}]",
			err:    `name "Not_A_Name" must be`,
		},
		"digest that is none": {
			reason: "a digest that no file can have is refused before anything starts",
			config: "strategies: [{name: a, sha256: abc}]",
			err:    `plugin "a": sha256 "abc" is not 64`,
		},
		"digest beside the plugins that is none": {
			reason: "a digest of SHA256SUMS that no file can have is refused as well",
			sums:   "abc  placement-a\n",
			config: "strategies: [{name: a}]",
			err:    `plugin "a": sha256 "abc" is not 64`,
		},
		"path out of the folder": {
			reason: "a plugin outside of the plugin directory is never started",
			config: "strategies: [{name: a, path: ../a}]",
			err:    `plugin "a": path "../a" is not one inside the plugin directory`,
		},
		"absolute path": {
			reason: "an absolute path was looked for below the plugin directory, where nothing is",
			config: "strategies: [{name: a, path: /plugins/a}]",
			err:    `plugin "a": path "/plugins/a" is not one inside the plugin directory`,
		},
		"path and socket": {
			reason: "a strategy is a program or a side-car",
			config: "strategies: [{name: a, path: a, socket: /s}]",
			err:    "path, sha256 and args are for plugins without a socket",
		},
		"time-out of nothing": {
			reason: "no plugin answers in no time; zero was taken for the default",
			config: "strategies: [{name: a, timeout: 0s}]",
			err:    `timeout "0s" is no time above zero`,
		},
		"negative time-out": {
			reason: "no plugin answers in less than no time",
			config: "strategies: [{name: a, timeout: -1s}]",
			err:    `timeout "-1s" is no time above zero`,
		},
		"time-out that is no time": {
			reason: "the field is named, not only that some time cannot be read",
			config: "strategies: [{name: a, timeout: soon}]",
			err:    `timeout "soon" is no time above zero`,
		},
		"empty list of strategies": {
			reason: "without a strategy no Machine could be placed, so an empty list is refused",
			config: "strategies: []",
			err:    "no Machine could be placed",
		},
		"file with a comment alone": {
			reason: "a volume that is not filled yet must not end all placement",
			config: "# nothing",
			err:    "no Machine could be placed",
		},
		"file that ends early": {reason: "half a file is refused", config: "strategies: [", err: "yaml"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			source := Source{Dir: t.TempDir()}
			if tc.sums != "" {
				write(t, filepath.Join(source.Dir, SumsFile), tc.sums)
			}
			if tc.config != "" {
				source.File = filepath.Join(t.TempDir(), "placement.yaml")
				write(t, source.File, tc.config)
			}
			got, err := source.Entries()
			if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Fatalf("%s: %v, want %q", tc.reason, err, tc.err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
	if _, err := (Source{Dir: t.TempDir(), File: "/no/such/file"}).Entries(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// TestMethods lists what a Host can be asked. A method of the host of plugins that were among them,
// such as Update, would put plugins in place that the file does not name.
func TestMethods(t *testing.T) {
	var got []string
	for method := range reflect.TypeFor[*Host]().Methods() {
		got = append(got, method.Name)
	}
	if diff := cmp.Diff([]string{"Close", "Collector", "Open", "Place", "Start", "Status"}, got); diff != "" {
		t.Errorf("methods of Host (-want +got):\n%s", diff)
	}
}

// TestMetricsPrefix holds that a program which is not the operator has metrics under its own name.
func TestMetricsPrefix(t *testing.T) {
	for prefix, want := range map[string]string{"": "operator_placement_chain_seconds", "mine": "mine_chain_seconds"} {
		host, err := New(Source{Dir: t.TempDir()}, Options{MetricsPrefix: prefix})
		if err != nil {
			t.Fatal(err)
		}
		registry := prometheus.NewPedanticRegistry()
		if err := registry.Register(host.Collector()); err != nil {
			t.Fatal(err)
		}
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, family := range families {
			names = append(names, family.GetName())
		}
		if diff := cmp.Diff([]string{want}, names); diff != "" { // the others have no value yet
			t.Errorf("prefix %q (-want +got):\n%s", prefix, diff)
		}
	}
}

// builtPlugins is the folder of the real programs.
func builtPlugins(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(pluginDir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, SumsFile)); err != nil {
		t.Fatalf("the placement plugins are missing: run `make tools`: %v", err)
	}
	return dir
}

// TestPluginsFollowTheFile changes the placement configuration under plugins that run: it is
// followed as a whole, and what cannot be followed leaves everything as it was.
func TestPluginsFollowTheFile(t *testing.T) {
	source := Source{Dir: builtPlugins(t), File: filepath.Join(t.TempDir(), "placement.yaml")}
	write(t, source.File, "strategies: [{name: annotation}, {name: single}]")
	clock := clocktesting.NewFakeClock(time.Now())
	p, err := New(source, Options{})
	if err != nil {
		t.Fatal(err)
	}
	p.clock = clock
	ended := make(chan error, 1)
	go func() { ended <- p.Start(t.Context()) }()
	t.Cleanup(func() {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	chain := func() string {
		var names []string
		for _, status := range p.Status() {
			names = append(names, status.Name+" "+string(status.State))
		}
		return strings.Join(names, ", ")
	}
	wait := func(claim string, holds func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !holds(); <-time.After(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: the chain is %s", claim, chain())
			}
			if clock.HasWaiters() {
				clock.Step(reloadEvery)
			}
		}
	}
	wait("the first configuration", func() bool { return chain() == "annotation Ready, single Ready" })

	write(t, source.File, "strategies: [{name: annotation}, {name: labels, config: {matchKeys: [zone]}}, {name: spread}]")
	wait("the second", func() bool { return chain() == "annotation Ready, labels Ready, spread Ready" })

	for _, bad := range []string{
		"strategies: [{name: labels, config: {matchKeys: 7}}]", "strategies: [{name: nobody}]", "strategies: [",
	} {
		refused := value(t, p, "operator_placement_reloads_total", "refused")
		write(t, source.File, bad)
		wait(bad, func() bool { return value(t, p, "operator_placement_reloads_total", "refused") > refused })
		if got := chain(); got != "annotation Ready, labels Ready, spread Ready" {
			t.Errorf("%s: the chain is %s", bad, got)
		}
	}
	write(t, source.File, "strategies: [{name: annotation}]")
	wait("well again", func() bool { return chain() == "annotation Ready" })

	if _, _, err := p.Place(t.Context(), placement.Given(placement.Request{})); err == nil {
		t.Error("nobody decides, and yet there is no refusal")
	}
	for name, label := range map[string]string{
		"operator_placement_decisions_total": "NoOpinion", "operator_placement_plugin_up": "annotation",
		"operator_placement_plugin_call_seconds": "answered", "operator_placement_chain_seconds": "",
	} {
		if got := value(t, p, name, label); got != 1 {
			t.Errorf("%s of %q is %v, want 1", name, label, got)
		}
	}
	if got := value(t, p, "operator_placement_plugin_up", "labels"); got != 0 {
		t.Errorf("a strategy that is gone is up: %v", got)
	}
}

// value is a metric with a label of that value, or its count where it is a histogram; 0 where there
// is none.
func value(t *testing.T, host *Host, name, label string) float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	if err := registry.Register(host.Collector()); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			has := label == ""
			for _, pair := range metric.GetLabel() {
				has = has || pair.GetValue() == label
			}
			if family.GetName() == name && has {
				count := float64(metric.GetHistogram().GetSampleCount())
				return metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + count
			}
		}
	}
	return 0
}
