package app

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// environment is an environment of these variables alone.
func environment(variables map[string]string) lookup {
	return func(name string) (string, bool) {
		value, set := variables[name]
		return value, set
	}
}

func TestVMNamePrefix(t *testing.T) {
	for name, tc := range map[string]struct {
		reason    string
		variables map[string]string
		want      string
	}{
		"unset": {reason: "The default prefix keeps apart what several operators make.", want: "vm-"},
		"empty": {
			reason: "An empty prefix calls a VirtualMachine as its Machine, which is what the public operator looks for. " +
				"It used to count as unset, so that there was no way back to that operator.",
			variables: map[string]string{"VM_NAME_PREFIX": ""},
			want:      "",
		},
		"set": {
			reason:    "A prefix that is set is taken as it is.",
			variables: map[string]string{"VM_NAME_PREFIX": "kv-"},
			want:      "kv-",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var options Options
			must(t, options.readEnvironment(environment(tc.variables)))
			if got := options.Machine.VMNamePrefix; got != tc.want {
				t.Errorf("%s\nThe prefix is %q, want %q.", tc.reason, got, tc.want)
			}
		})
	}
}

func TestEmptyVariablesCountAsUnset(t *testing.T) {
	var unset, empty Options
	must(t, unset.readEnvironment(environment(nil)))
	variables := map[string]string{}
	must(t, new(Options).readEnvironment(func(name string) (string, bool) {
		if name != "VM_NAME_PREFIX" {
			variables[name] = ""
		}
		return "", false
	}))
	must(t, empty.readEnvironment(environment(variables)))
	if diff := cmp.Diff(unset.Machine, empty.Machine); diff != "" {
		t.Errorf("settings: -unset +empty:\n%s", diff)
	}
}

func TestEnvironmentRefuses(t *testing.T) {
	for name, variables := range map[string]map[string]string{
		"a label with a space":         {"MANAGED_BY": "our operator"},
		"a volume mode that is none":   {"PVC_VOLUME_MODE": "block"},
		"an access mode that is none":  {"PVC_ACCESS_MODE": "rwx"},
		"a source of addresses":        {"IP_SOURCE": "dhcp"},
		"a log level that is none":     {"LOG_LEVEL": "loud"},
		"a truth value that is none":   {"LOG_JSON": "perhaps"},
		"a label of over 63 character": {"MANAGED_BY": strings.Repeat("a", 64)},
	} {
		err := new(Options).readEnvironment(environment(variables))
		for variable := range variables {
			if err == nil || !strings.Contains(err.Error(), variable) {
				t.Errorf("%s: %q is not refused by its name: %v", name, variables, err)
			}
		}
	}
}

func parsed(t *testing.T, args ...string) (Options, error) {
	t.Helper()
	var options Options
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	options.addFlags(flags)
	must(t, flags.Parse(append(slices.Clone(args), "--plugin-dir=plugins")))
	return options, options.complete()
}

// TestClusterCache holds that the flag reaches the client manager, and that nothing is refused.
func TestClusterCache(t *testing.T) {
	options, err := parsed(t, "--cluster-cache-mib=3")
	must(t, err)
	if got := RemoteOptions(options, "id", nil).Fill.MaxBytes; got != 3<<20 {
		t.Errorf("a cluster may send %d bytes", got)
	}
	if _, err := parsed(t, "--cluster-cache-mib=0"); err == nil || !strings.Contains(err.Error(), "--cluster-cache-mib") {
		t.Errorf("a cache of nothing is not refused: %v", err)
	}
}

func TestFlags(t *testing.T) {
	none, err := parsed(t)
	must(t, err)
	if none.Machine.Desired.VLANFromSpec || none.Machine.LegacySupervisorPVCs {
		t.Errorf("what a tenant may misuse, and what needs more rights, is on by itself: %+v", none.Machine)
	}
	all, err := parsed(t, "--vlan-from-spec", "--legacy-supervisor-claims")
	must(t, err)
	if !all.Machine.Desired.VLANFromSpec || !all.Machine.LegacySupervisorPVCs {
		t.Errorf("the flags change nothing: %+v", all.Machine)
	}
}

func TestSupervisorID(t *testing.T) {
	for name, tc := range map[string]struct {
		reason  string
		id      string
		refused bool
	}{
		"a UID": {
			reason: "The UID of a namespace is the default.",
			id:     "6f1d1a5e-0000-4000-8000-000000000001",
		},
		"one that looks shortened": {
			reason: "An identity that ends as shortened names do is shortened in the label. " +
				"The cache selected by the identity itself, so that it never showed a VirtualMachine.",
			id: "prod-eu-0123456789abcdef",
		},
		"a long one": {
			reason: "An identity that is too long for a label is shortened, for what is made and for the selector alike.",
			id:     strings.Repeat("long", 20),
		},
		"one with a space": {
			reason: "An identity that cannot stand in a label is refused at the start, " +
				"not by each remote cluster for each Machine.",
			id:      "eu north",
			refused: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			options, err := parsed(t, "--supervisor-id="+tc.id)
			if (err != nil) != tc.refused {
				t.Fatalf("%s\nIt is refused: %v", tc.reason, err)
			}
			if tc.refused {
				return
			}
			machine := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Name: "web", UID: "machine-uid"}}
			made := labels.Set(desired.Labels(machine, desired.Options{SupervisorUID: options.SupervisorID}))
			for object, by := range RemoteOptions(options, options.SupervisorID, nil).Kinds {
				if !by.Label.Matches(made) {
					t.Errorf("%s\nThe selector %s of %T misses what is made: %v", tc.reason, by.Label, object, made)
				}
			}
		})
	}
}
