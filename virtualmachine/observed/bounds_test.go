package observed_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// guestInterface is one that only the guest knows, a different one for each number.
func guestInterface(n int, addresses ...string) kubevirtv1.VirtualMachineInstanceNetworkInterface {
	return kubevirtv1.VirtualMachineInstanceNetworkInterface{
		InterfaceName: fmt.Sprintf("lxc%d", n), MAC: fmt.Sprintf("02:42:00:00:%02x:%02x", n>>8&255, n&255),
		IPs: addresses, InfoSource: "guest-agent",
	}
}

// TestContainersOfAGuest: a guest that is a node of a cluster has an interface with a link-local
// address for each container. They filled the status, and each container that came or went was a
// write.
func TestContainersOfAGuest(t *testing.T) {
	ran := input(with(virtualMachine("Running"), instance(kubevirtv1.Running)))
	containers := instance(kubevirtv1.Running)
	for n := range 200 {
		containers.Status.Interfaces = append(containers.Status.Interfaces, guestInterface(n, "fe80::1"))
	}
	busy := input(after(ran), with(virtualMachine("Running"), containers))
	if diff := cmp.Diff(busy.Machine.Status, observed.Status(busy)); diff != "" {
		t.Errorf("200 containers are news: -before +after:\n%s", diff)
	}
}

// hostile is an instance whose guest says as much as it can, and what a terminal would obey.
func hostile() *kubevirtv1.VirtualMachineInstance {
	long := "\x1b[2J\u202e\xff" + strings.Repeat("x", 1<<20)
	vmi := instance(kubevirtv1.Running, instanceCondition("Ready", "Lost\x00", long))
	vmi.Spec.Hostname = long
	vmi.Status.NodeName = long
	vmi.Status.GuestOSInfo = kubevirtv1.VirtualMachineInstanceGuestOSInfo{
		Name: long, Version: long, VersionID: long, KernelRelease: long,
	}
	for n := range 10_000 {
		vmi.Status.Interfaces = append(vmi.Status.Interfaces, guestInterface(n, fmt.Sprintf("10.1.%d.%d", n>>8&255, n&255)))
	}
	many := guestInterface(10_001)
	for n := range 10_000 {
		many.IPs = append(many.IPs, fmt.Sprintf("10.2.%d.%d", n>>8&255, n&255))
	}
	many.Name, many.LinkState, many.InfoSource = "vlan10", long, long
	vmi.Status.Interfaces = append([]kubevirtv1.VirtualMachineInstanceNetworkInterface{many}, vmi.Status.Interfaces...)
	vmi.Status.VolumeStatus[1].Target = long
	return vmi
}

// TestHostileGuest: whatever a guest reports, the status stays small enough to be stored, and can
// be shown in a terminal.
func TestHostileGuest(t *testing.T) {
	cases := map[string]struct {
		reason string
		in     observed.Input
	}{
		"10,000 interfaces and texts of 1 MiB": {
			reason: "A guest could outgrow what an object may hold, and so freeze its own status.",
			in:     input(with(virtualMachine("Running"), hostile())),
		},
		"10,000 disks that failed": {
			reason: "The messages of CDI repeat what the server of an image answered.",
			in: input(with(virtualMachine("DataVolumeError"), nil), func(in *observed.Input) {
				for range 10_000 {
					dv := cdiv1beta1.DataVolume{}
					dv.Name, dv.Status.Phase = "d\n", cdiv1beta1.Failed
					in.DataVolumes = append(in.DataVolumes, dv)
				}
			}),
		},
		"a refusal of 1 MiB": {
			reason: "A webhook chooses what it answers.",
			in: input(func(in *observed.Input) {
				p := problem("Rejected")
				p.Message = strings.Repeat("\x1b]0;owned\x07\n", 100_000)
				in.Applied, in.Problems = false, []observed.Problem{p}
			}),
		},
		"a word of KubeVirt that nobody knows": {
			reason: "The printable status comes from the remote cluster.",
			in: input(with(virtualMachine(kubevirtv1.VirtualMachinePrintableStatus(strings.Repeat("\u2028", 100_000))),
				nil)),
		},
		"10,000 copies": {
			reason: "Whoever may write in the remote cluster may copy labels.",
			in: input(with(virtualMachine("Running"), nil), func(in *observed.Input) {
				for n := range 10_000 {
					in.Copies = append(in.Copies, fmt.Sprintf("VirtualMachine\x00 copy-%d", n))
				}
			}),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			status := observed.Status(tc.in)
			raw, err := json.Marshal(status)
			if err != nil {
				t.Fatal(err)
			}
			if len(raw) > 64<<10 {
				t.Errorf("\n%s\nthe status has %d bytes", tc.reason, len(raw))
			}
			checkTexts(t, tc.reason, raw)
			again := tc.in
			again.Machine = again.Machine.DeepCopy()
			again.Machine.Status, again.Now = status, now.Add(time.Hour)
			if diff := cmp.Diff(status, observed.Status(again)); diff != "" {
				t.Errorf("\n%s\nthe same again is news: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// checkTexts looks at each text in a JSON document.
func checkTexts(t *testing.T, reason string, raw []byte) {
	t.Helper()
	var document any
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	var visit func(any)
	visit = func(value any) {
		switch value := value.(type) {
		case map[string]any:
			for _, each := range value {
				visit(each)
			}
		case []any:
			for _, each := range value {
				visit(each)
			}
		case string:
			control := func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' }
			if len(value) > 1024 || !utf8.ValidString(value) || strings.ContainsFunc(value, control) {
				t.Errorf("\n%s\n%d bytes: %.100q", reason, len(value), value)
			}
		}
	}
	visit(document)
}

// cached is an instance as a cache with a Trimmer hands it out.
func cached(t *testing.T, vmi *kubevirtv1.VirtualMachineInstance) *kubevirtv1.VirtualMachineInstance {
	t.Helper()
	held, err := new(observed.Trimmer).Instance(vmi)
	if err != nil {
		t.Fatal(err)
	}
	return held.(runtime.Object).DeepCopyObject().(*kubevirtv1.VirtualMachineInstance)
}

// TestTrimmerBounds: what is cached of a hostile guest is small, and says the same.
func TestTrimmerBounds(t *testing.T) {
	guest := hostile()
	guest.Status.Interfaces = guest.Status.Interfaces[:30] // fewer than are dropped without a word
	want := observed.Status(input(with(virtualMachine("Running"), guest.DeepCopy())))
	got := observed.Status(input(with(virtualMachine("Running"), cached(t, guest.DeepCopy()))))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Status(...) of what is cached: -want +got:\n%s", diff)
	}
	raw, err := json.Marshal(cached(t, hostile()).Status)
	if err != nil {
		t.Fatal(err)
	}
	if limit := 256 << 10; len(raw) > limit {
		t.Errorf("the cache keeps %d bytes of a hostile guest, more than %d", len(raw), limit)
	}
}

// TestAddressesBeyondTheBound: those at which others can reach the guest come first.
func TestAddressesBeyondTheBound(t *testing.T) {
	vmi := instance(kubevirtv1.Running, func(vmi *kubevirtv1.VirtualMachineInstance) {
		i := &vmi.Status.Interfaces[len(vmi.Status.Interfaces)-1]
		i.IPs = nil
		for n := range 100 {
			i.IPs = append(i.IPs, fmt.Sprintf("fe80::%x", n+1))
		}
		i.IPs = append(i.IPs, "10.0.1.21")
	})
	got := observed.Status(input(with(virtualMachine("Running"), vmi)))
	if diff := cmp.Diff([]string{"10.0.1.21"}, got.PublicIPAddresses); diff != "" {
		t.Errorf("PublicIPAddresses: -want +got:\n%s", diff)
	}
}

// TestMessagesThatAreTooLong: they are cut between characters, wherever they stand.
func TestMessagesThatAreTooLong(t *testing.T) {
	p := problem("NoKubevirtConfigs")
	p.Message = "x" + strings.Repeat("é", 3000)
	got := observed.Status(input(unplaced(p)))
	for _, message := range []string{got.Message, got.FailureMessage,
		got.Condition(vitistackv1alpha1.ConditionPlaced).Message} {
		if len(message) > 1024 || !strings.HasSuffix(message, "é...") {
			t.Errorf("%d bytes, ends in %q", len(message), message[len(message)-6:])
		}
	}
}
