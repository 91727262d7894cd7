package chart_test

import (
	"strings"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/chart"
)

// TestRefused: a wrong value is refused before anything is installed, and the message says which.
func TestRefused(t *testing.T) {
	const digest = "3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea"
	cases := map[string]struct {
		reason string
		values string
		want   []string // all of them stand in the message
	}{
		"UnknownTop": {
			reason: "A mistyped name that is let in leaves the default in force, without a word.",
			values: "replica: 3",
			want:   []string{"replica"},
		},
		"UnknownDeep": {
			reason: "A mistyped name below another one is as silent.",
			values: "crds: {enable: false}",
			want:   []string{"/crds", "enable"},
		},
		"Type": {
			reason: "A number in quotes is text.",
			values: `replicas: "2"`,
			want:   []string{"/replicas", "integer"},
		},
		"Negative": {
			reason: "There is no negative number of replicas.",
			values: "replicas: -1",
			want:   []string{"/replicas"},
		},
		"UnknownFlag": {
			reason: "The operator does not start with a flag that it does not know.",
			values: "flags: {warm-stand-by: true}",
			want:   []string{"/flags", "warm-stand-by"},
		},
		"FlagOfTheChart": {
			reason: "The chart sets this flag, and probes and services depend on it.",
			values: `flags: {metrics-bind-address: ":9090"}`,
			want:   []string{"/flags", "metrics-bind-address"},
		},
		"SelectorWithoutLease": {
			reason: "Two deployments with one lease never run at once.",
			values: "flags: {watch-selector: team=blue}",
			want:   []string{"/flags", "leader-election-id"},
		},
		"Uniqueness": {
			reason: "The operator knows two values.",
			values: "flags: {uniqueness: strict}",
			want:   []string{"/flags/uniqueness", "Strict"},
		},
		"FlagOfThePage": {
			reason: "The page's port needs its rights and its Service, which page brings.",
			values: `flags: {page-bind-address: ":8443"}`,
			want:   []string{"/flags", "page-bind-address"},
		},
		"ProxyWithoutName": {
			reason: "An authority signs others than front proxies too.",
			values: "page: {proxy: {caConfigMap: proxies}}",
			want:   []string{"/page/proxy/names"},
		},
		"ProxyWithoutCA": {
			reason: "A name that nobody vouches for is anybody's.",
			values: "page: {proxy: {names: [front-proxy]}}",
			want:   []string{"/page/proxy/caConfigMap"},
		},
		"PagePort": {
			reason: "The metrics have that port.",
			values: "page: {port: 8080}",
			want:   []string{"/page/port"},
		},
		"UnknownVariable": {
			reason: "A variable that the operator does not read has no effect.",
			values: "env: {VM_PREFIX: x}",
			want:   []string{"/env", "VM_PREFIX"},
		},
		"VariableType": {
			reason: "A variable is text, and true without quotes is none.",
			values: "env: {LOG_JSON: true}",
			want:   []string{"/env/LOG_JSON"},
		},
		"NoSuchDefinition": {
			reason: "Leaving out what is not there leaves out nothing.",
			values: "crds: {exclude: [machine.vitistack.io]}",
			want:   []string{"/crds/exclude/0"},
		},
		"StrategyWithoutName": {
			reason: "The operator asks strategies by name.",
			values: "placement: {strategies: [{path: placement-zone}]}",
			want:   []string{"/placement/strategies/0", "name"},
		},
		"AbsolutePath": {
			reason: "A plugin's path never leaves the plugin directory.",
			values: "placement: {strategies: [{name: zone, path: /placement-zone}]}",
			want:   []string{"/placement/strategies/0/path"},
		},
		"Digest": {
			reason: "Half a digest pins nothing.",
			values: "placement: {strategies: [{name: zone, sha256: " + digest[:32] + "}]}",
			want:   []string{"/placement/strategies/0/sha256"},
		},
		"PathAndSocket": {
			reason: "A strategy is a program or a side-car.",
			values: "placement: {strategies: [{name: zone, path: placement-zone, socket: /run/placement/zone.sock}]}",
			want:   []string{"/placement/strategies/0/path"},
		},
		"TwoWays": {
			reason: "A plugin that came in two ways would be mounted over itself.",
			values: "plugins: {zone: {imageVolume: {reference: a/b:c}, initContainer: {image: a/b:c}}}",
			want:   []string{"/plugins/zone", "maxProperties"},
		},
		"RootSidecar": {
			reason: "The namespace admits nobody who runs as root.",
			values: "plugins: {zone: {sidecar: {image: a/b:c, runAsUser: 0}}}",
			want:   []string{"/plugins/zone/sidecar/runAsUser"},
		},
		"PluginName": {
			reason: "The name stands in those of containers and volumes.",
			values: "plugins: {Zone_1: {imageVolume: {reference: a/b:c}}}",
			want:   []string{"/plugins", "Zone_1"},
		},
		"ImageDigest": {
			reason: "A digest without its algorithm is no part of a reference.",
			values: "image: {digest: " + digest + "}",
			want:   []string{"/image/digest"},
		},
		"Account": {
			reason: "A name in another form is nobody's, so that the second release could not record where Machines are.",
			values: "policy: {otherAccounts: [blue/operator]}",
			want:   []string{"/policy/otherAccounts/0"},
		},
	}
	loaded := load(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := chart.Render(t.Context(), loaded, chart.Release{
				Name: "kubevirt-operator", Namespace: "kubevirt-operator", Values: parsed(t, tc.values),
			})
			if err == nil {
				t.Fatalf("%s It is let in.", tc.reason)
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s Want %q in:\n%v", tc.reason, want, err)
				}
			}
		})
	}
}
