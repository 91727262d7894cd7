package replay

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/placement"
	placementhost "github.com/vitistack/kubevirt-multicluster/placement/host"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// TestRelativePaths holds that the flags are relative to the working directory: a relative socket
// was refused as no absolute path.
func TestRelativePaths(t *testing.T) {
	t.Chdir("/usr")
	for name, tc := range map[string]struct {
		reason string
		ask    question
		want   [2]string // directory, socket
	}{
		"plugin": {reason: "the folder of the plugin is whole", ask: question{plugin: "sub/placement-zone"}, want: [2]string{"/usr/sub/"}},
		"socket": {reason: "the socket is whole", ask: question{socket: "run/s"}, want: [2]string{".", "/usr/run/s"}},
	} {
		options, err := tc.ask.host()
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]string{options.Dir, options.Entries[0].Socket}; got != tc.want {
			t.Errorf("%s: %s: got %q, want %q", name, tc.reason, got, tc.want)
		}
	}
}

// TestReplay puts recorded questions to the real programs.
func TestReplay(t *testing.T) {
	dir, err := filepath.Abs("../../../bin/plugins")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "placement-spread")); err != nil {
		t.Fatalf("the placement plugins are missing: run `make tools`: %v", err)
	}
	request, err := plugin.MarshalRequest(placement.Request{
		Machine: placement.Machine{Namespace: "team-a", Name: "web", UID: "u"},
		Candidates: []placement.Candidate{
			{
				Name:      "east",
				Reachable: true,
				VM:        placement.VM{Presence: placement.Absent},
				Capacity:  placement.Capacity{Machines: new(int64(4))},
			},
			{Name: "west", VM: placement.VM{Presence: placement.Unreachable, Cause: "no route to host"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(config, []byte(`{"maxSkew":2}`), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		reason string
		input  string
		args   []string
		want   string // part of the output
		err    string // "" for none
		held   bool   // it answered, but not with a place
	}{
		"strategy decides": {
			reason: "the answer shows the cluster that the strategy chose",
			args:   []string{"--plugin", dir + "/placement-spread"},
			want:   `"config": "east"`,
		},
		"strategy holds": {
			reason: "the answer is a hold, because one cluster has not said whether it has the VM",
			args:   []string{"--plugin", dir + "/placement-search"},
			want:   `"reason": "PresenceUnknown"`,
			err:    "no place",
			held:   true,
		},
		"input is the output of explain": {
			reason: "the whole output of explain -o json is accepted, not only the request in it",
			input:  `{"machine":"team-a/web","request":` + string(request) + `}`,
			args:   []string{"--plugin", dir + "/placement-single"}, want: `"verdict": "NoOpinion"`,
		},
		"configuration that the strategy refuses": {
			reason: "a configuration that the strategy refuses is told with its field",
			args:   []string{"--plugin", dir + "/placement-spread", "--config", config},
			err:    "maxSkew",
		},
		"name of another strategy": {
			reason: "a program that serves another strategy than it is asked for is refused",
			args:   []string{"--plugin", dir + "/placement-spread", "--name", "mine"},
			err:    `serves strategy "spread"`,
		},
		"program that does not exist": {
			reason: "a program that does not exist is told",
			args:   []string{"--plugin", dir + "/placement-none"},
			err:    "no such file",
		},
		"explanation without a question": {
			reason: "a Machine that nobody was asked about is told as one, not as a fault of the syntax",
			input:  `{"machine":"team-a/web","verdict":"Blocked"}`,
			args:   []string{"--plugin", dir + "/placement-spread"},
			err:    "an explanation without a question: no strategy could be asked (verdict Blocked)",
		},
		"Machine in place of a question": {
			reason: "who has a Machine learns how to get the question",
			input:  "apiVersion: vitistack.io/v1alpha1\nkind: Machine\nmetadata: {name: web}\n",
			args:   []string{"--plugin", dir + "/placement-spread"},
			err:    "operator explain machine -f - -o json",
		},
		"input that is no JSON": {
			reason: "an input that holds no request is told",
			input:  "{",
			args:   []string{"--plugin", dir + "/placement-spread"},
			err:    "reading the request",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.input == "" {
				tc.input = string(request)
			}
			var out bytes.Buffer
			cmd := Command()
			cmd.SetArgs(append([]string{"-"}, tc.args...))
			cmd.SetIn(strings.NewReader(tc.input))
			cmd.SetOut(&out)
			cmd.SilenceUsage, cmd.SilenceErrors = true, true
			err := cmd.ExecuteContext(t.Context())
			if (err == nil) != (tc.err == "") ||
				err != nil && (!strings.Contains(err.Error(), tc.err) || errors.Is(err, placementhost.ErrUndecided) != tc.held) {
				t.Errorf("%s: %v, want %q", tc.reason, err, tc.err)
			}
			if !strings.Contains(out.String(), tc.want) {
				t.Errorf("%s: it prints %s, want %s", tc.reason, out.String(), tc.want)
			}
		})
	}
}
