package desired_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"pgregory.net/rapid"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// reasonOf is the kind and reason of an error: "refusal/X", "wait/X", another text, or "".
func reasonOf(err error) string {
	var refusal *desired.Refusal
	var wait *desired.Wait
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refusal):
		return "refusal/" + refusal.Reason
	case errors.As(err, &wait):
		return "wait/" + wait.Reason
	default:
		return err.Error()
	}
}

func TestVMName(t *testing.T) {
	cases := map[string]struct {
		reason, prefix, machine, want, wantErr string
	}{
		"Prefix": {reason: "the usual name", prefix: "vm-", machine: "my-machine", want: "vm-my-machine"},
		"NoPrefix": {reason: "releases without a prefix named the VirtualMachine like the Machine", machine: "my-machine",
			want: "my-machine"},
		"Fits": {
			reason: "63 characters are a label", prefix: "vm-", machine: strings.Repeat("a", 60), want: "vm-" +
				strings.Repeat("a", 60),
		},
		"TooLong": {
			reason: "one more is none: the end becomes a hash", prefix: "vm-", machine: strings.Repeat("a", 61),
			want: "vm-" + strings.Repeat("a", 43) + "-f32a22cfb5d6ad45",
		},
		"Dots": {reason: "a Machine's name may have dots, a label may not", prefix: "vm-", machine: "a.b",
			want: "vm-a-b-40f769438e11819f"},
		"NoDot":   {reason: "and that is not the name of another Machine", prefix: "vm-", machine: "a-b", want: "vm-a-b"},
		"BadName": {reason: "nothing can be named after it", prefix: "vm-", machine: "A_b", wantErr: "refusal/NameTooLong"},
		"Empty":   {reason: "nor after nothing", prefix: "vm-", wantErr: "refusal/NameTooLong"},
		"BadStart": {reason: "a label begins with a letter or digit", prefix: "-", machine: "a",
			wantErr: "refusal/NameTooLong"},
		"LongPrefix": {
			reason: "there must be room for the Machine", prefix: strings.Repeat("p", 33), machine: "a",
			wantErr: "refusal/NameTooLong",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := desired.VMName(tc.prefix, tc.machine)
			if diff := cmp.Diff([]string{tc.want, tc.wantErr}, []string{got, reasonOf(err)}); diff != "" {
				t.Errorf("\n%s\nVMName(%q, %q): -want +got:\n%s", tc.reason, tc.prefix, tc.machine, diff)
			}
		})
	}
}

func TestNetworkConfigurationName(t *testing.T) {
	cases := map[string]struct{ reason, machine, want string }{
		"Short":        {reason: "what fits stays", machine: "abc123-ctp0", want: "abc123-ctp0"},
		"Worker":       {reason: "the worker of a pool", machine: "abc123-worker-pool-7", want: "abc123-wrk7"},
		"ControlPlane": {reason: "a control plane", machine: "abc123-control-plane-2", want: "abc123-ctp2"},
		"NamedPool": {reason: "two pools of a cluster must not meet in one name", machine: "abc123-worker-gpu-pool-7",
			want: "abc123-wrk7-9d14e618"},
		"OtherPool": {reason: "two pools of a cluster must not meet in one name", machine: "abc123-worker-cpu-pool-7",
			want: "abc123-wrk7-04487202"},
		"OneLetter": {reason: "the definition asks for two characters (D25)", machine: "a", want: "a-ca978112"},
		"Dots":      {reason: "and for none that is a dot (D25)", machine: "a.b", want: "a-b-2e7336dc"},
		"Long": {
			reason: "a plain cut at 32 bytes made one name out of two (D25)", machine: strings.Repeat("a", 33),
			want: strings.Repeat("a", 23) + "-852785c8",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, desired.NetworkConfigurationName(tc.machine)); diff != "" {
				t.Errorf("\n%s\nNetworkConfigurationName(%q): -want +got:\n%s", tc.reason, tc.machine, diff)
			}
		})
	}
}

// machineNames draws names that an API server accepts, the awkward ones among them.
func machineNames() *rapid.Generator[string] {
	label := rapid.StringMatching(`[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?`)
	return rapid.OneOf(
		label,
		rapid.StringMatching(`[a-z0-9][-a-z0-9]{40,60}[a-z0-9]`),
		rapid.StringMatching(`[a-z]{2,50}-[0-9a-f]{16}`),
		rapid.StringMatching(`[a-z]{2,8}-(worker(-[a-z]{1,3})?-pool|control-plane)-[0-9]`),
		rapid.Map(rapid.SliceOfN(label, 2, 8), func(parts []string) string { return strings.Join(parts, ".") }),
	)
}

// TestNames is the property that names are valid and that different Machines get different ones,
// even where one Machine is called what another one's name is shortened to.
func TestNames(t *testing.T) {
	ncName := regexp.MustCompile(`^[A-Za-z0-9_-]{2,32}$`)
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.SampledFrom([]string{"", "vm-", "a"}).Draw(t, "prefix")
		one := machineNames().Draw(t, "one")
		vm, err := desired.VMName(prefix, one)
		if err != nil {
			t.Fatalf("VMName(%q): %v", one, err)
		}
		// The other Machine is called anything, or exactly like the first one's VirtualMachine or label.
		other := rapid.OneOf(machineNames(), rapid.Just(vm), rapid.Just(strings.TrimPrefix(vm, prefix)),
			rapid.Just(desired.LabelValue(one))).Draw(t, "other")
		if other == one {
			return
		}
		otherVM, err := desired.VMName(prefix, other)
		if err != nil {
			t.Fatalf("VMName(%q): %v", other, err)
		}
		if vm == otherVM {
			t.Errorf("VMName(%q) = VMName(%q) = %q", one, other, vm)
		}
		if desired.LabelValue(one) == desired.LabelValue(other) {
			t.Errorf("LabelValue(%q) = LabelValue(%q)", one, other)
		}
		disk := rapid.StringMatching(`[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?`).Draw(t, "disk")
		for kind, name := range map[string]string{
			"VirtualMachine": vm, "DataVolume": desired.DataVolumeName(vm, disk, machineUID),
			"Secret": desired.CloudInitSecretName(vm, machineUID),
		} {
			if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
				t.Errorf("%s %q of %q: %v", kind, name, one, problems)
			}
		}
		if problems := validation.IsValidLabelValue(desired.LabelValue(one)); len(problems) > 0 {
			t.Errorf("LabelValue(%q) = %q: %v", one, desired.LabelValue(one), problems)
		}
		if name := desired.NetworkConfigurationName(one); !ncName.MatchString(name) {
			t.Errorf("NetworkConfigurationName(%q) = %q", one, name)
		}
	})
}

// TestDataVolumeNames is the property that no two disks share a name: neither of one Machine, nor
// of one that was made again.
func TestDataVolumeNames(t *testing.T) {
	disks := rapid.StringMatching(`[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?`)
	rapid.Check(t, func(t *rapid.T) {
		vm := rapid.StringMatching(`vm-[a-z0-9]{1,60}`).Draw(t, "vm")
		one, other := disks.Draw(t, "one"), disks.Draw(t, "other")
		name := desired.DataVolumeName(vm, one, machineUID)
		if one != other && name == desired.DataVolumeName(vm, other, machineUID) {
			t.Errorf("disks %q and %q share the DataVolume %q", one, other, name)
		}
		if again := desired.DataVolumeName(vm, one, "ffffffff-0000-4000-8000-00000000000a"); name == again {
			t.Errorf("two Machines share the DataVolume %q", name)
		}
		if !strings.HasSuffix(name, "-1a2b3c4d") {
			t.Errorf("DataVolume %q does not carry the Machine's UID", name)
		}
	})
}

func TestUIDDigits(t *testing.T) {
	cases := map[string]struct {
		reason string
		uid    types.UID
		want   string
	}{
		"UUID":  {reason: "people find the Machine by them", uid: machineUID, want: "1a2b3c4d"},
		"Upper": {reason: "names have no capitals", uid: "1A2B3C4D-0", want: "1a2b3c4d"},
		"Other": {reason: "a UID need not be a UUID", uid: "machine-1", want: "f7a7266d"},
		"Short": {reason: "nor long", uid: "ab", want: "fb8e20fc"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, desired.UIDDigits(tc.uid)); diff != "" {
				t.Errorf("\n%s\nUIDDigits(%q): -want +got:\n%s", tc.reason, tc.uid, diff)
			}
		})
	}
}

func TestIsOurs(t *testing.T) {
	ours := desired.Labels(machine("m", nil), options())
	foreign := desired.Labels(machine("m", func(m *vitistackv1alpha1.Machine) { m.UID = "other" }), options())
	cases := map[string]struct {
		reason     string
		labels     map[string]string
		uid        types.UID
		supervisor string
		want       bool
	}{
		"Ours": {reason: "both UIDs are there", labels: ours, uid: machineUID, supervisor: supervisorUID,
			want: true},
		"OtherMachine": {reason: "same name, another Machine (D4)", labels: foreign, uid: machineUID,
			supervisor: supervisorUID},
		"OtherSupervisor": {reason: "two supervisors may share a cluster", labels: ours, uid: machineUID,
			supervisor: "other"},
		"Unlabelled": {reason: "a VirtualMachine of the right name alone is nobody's (D4)", uid: machineUID,
			supervisor: supervisorUID},
		"NoUID": {reason: "an empty UID is no UID, even if it is equal", labels: map[string]string{}, want: false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := desired.IsOurs(tc.labels, tc.uid, tc.supervisor); got != tc.want {
				t.Errorf("\n%s\nIsOurs(...): want %t, got %t", tc.reason, tc.want, got)
			}
		})
	}
}

func TestIsFormers(t *testing.T) {
	earlier := func(change func(map[string]string)) map[string]string {
		labels := desired.Labels(machine("m", func(m *vitistackv1alpha1.Machine) { m.UID = "earlier" }), options())
		change(labels)
		return labels
	}
	cases := map[string]struct {
		reason string
		labels map[string]string
		want   bool
	}{
		"Former": {reason: "a Machine of this name, this supervisor's, of another UID",
			labels: earlier(func(map[string]string) {}), want: true},
		"Ours": {reason: "nothing to take over", labels: desired.Labels(machine("m", nil), options())},
		"OtherName": {reason: "another Machine's", labels: earlier(func(l map[string]string) {
			l[vitistackv1alpha1.LabelSourceMachine] = "n"
		})},
		"OtherSupervisor": {reason: "another supervisor may have one of this name",
			labels: earlier(func(l map[string]string) { l[vitistackv1alpha1.LabelSupervisorUID] = "x" })},
		"NoMachine": {reason: "nobody's", labels: earlier(func(l map[string]string) {
			delete(l, vitistackv1alpha1.LabelMachineUID)
		})},
		"NoLabels": {reason: "nobody's"},
	}
	for name, tc := range cases {
		if got := desired.IsFormers(tc.labels, machine("m", nil), options()); got != tc.want {
			t.Errorf("%s: %s: IsFormers(...): want %t, got %t", name, tc.reason, tc.want, got)
		}
	}
	if desired.IsFormers(earlier(func(l map[string]string) {
		l[vitistackv1alpha1.LabelSupervisorUID] = ""
	}), machine("m", nil), desired.Options{}) {
		t.Error("a supervisor without a UID takes nothing over")
	}
}
