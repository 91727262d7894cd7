package observed_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"pgregory.net/rapid"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

var states = []kubevirtv1.VirtualMachinePrintableStatus{
	"", "Stopped", "Provisioning", "Starting", "Running", "Paused", "Stopping", "Terminating", "CrashLoopBackOff",
	"Migrating", "Unknown",
	"ErrorUnschedulable", "ErrImagePull", "ImagePullBackOff", "ErrorPvcNotFound", "DataVolumeError",
	"WaitingForVolumeBinding", "New",
}

var phases = []vitistackv1alpha1.MachinePhase{"Pending", "Creating", "Running", "Stopping", "Stopped", "Terminating",
	"Terminated", "Failed"}

// anyInput draws what a reconcile may find, sense and nonsense.
func anyInput(t *rapid.T, status vitistackv1alpha1.MachineStatus) observed.Input {
	in := input()
	in.Machine.Status = status
	in.Machine.Generation = rapid.Int64Range(max(1, status.ObservedGeneration), 3).Draw(t, "generation")
	in.Reached = rapid.SampledFrom([]observed.Step{observed.StepPlace, observed.StepRemote, observed.StepNetwork,
		observed.StepVM, observed.StepObserve}).Draw(t, "reached")
	in.Looked = rapid.Bool().Draw(t, "looked")
	in.Applied = rapid.Bool().Draw(t, "applied")
	in.Adopted = rapid.Bool().Draw(t, "adopted")
	if rapid.IntRange(0, 3).Draw(t, "ledger") == 0 {
		in.Ledger = nil
	} else if rapid.Bool().Draw(t, "seen") {
		in.Ledger.VMUID = ""
	}
	if rapid.IntRange(0, 4).Draw(t, "deleting") == 0 {
		deleting(&in)
	}
	for range rapid.IntRange(0, 3).Draw(t, "problems") {
		in.Problems = append(in.Problems, observed.Problem{
			Condition: rapid.SampledFrom([]string{"", "Ready", "Placed", "RemoteReachable", "NetworkReady",
				"VirtualMachineReady"}).Draw(t, "condition"),
			Reason: rapid.SampledFrom([]string{
				"Unreachable", "Connecting", "ConfigNotFound", "LedgerConflict", "Vanished", "Retrying", "NetworkChanged",
				"OfAStrategy",
			}).Draw(t, "reason"),
			Message: rapid.StringMatching(`[a-z]{0,8}`).Draw(t, "message"),
			Acts:    rapid.SampledFrom([]vitistackv1alpha1.Actor{"", "Person", "Cluster", "Time"}).Draw(t, "acts"),
			Since:   now.Add(-rapid.SampledFrom([]time.Duration{0, time.Second, time.Hour}).Draw(t, "age")),
		})
	}
	if rapid.Bool().Draw(t, "vm") {
		in.VM = virtualMachine(rapid.SampledFrom(states).Draw(t, "state"))
	}
	if rapid.Bool().Draw(t, "vmi") {
		in.VMI = instance(rapid.SampledFrom([]kubevirtv1.VirtualMachineInstancePhase{"", "Pending", "Scheduling", "Running",
			"Unknown", "Failed"}).Draw(t, "phase"))
	}
	if rapid.Bool().Draw(t, "dataVolume") {
		in.DataVolumes = []cdiv1beta1.DataVolume{{Status: cdiv1beta1.DataVolumeStatus{Phase: rapid.SampledFrom(
			[]cdiv1beta1.DataVolumePhase{"Failed", "Succeeded"}).Draw(t, "dv")}}}
	}
	if rapid.IntRange(0, 3).Draw(t, "copies") == 0 {
		in.Copies = []string{"VirtualMachine web-copy in cluster-east"}
	}
	if rapid.IntRange(0, 3).Draw(t, "static") == 0 {
		in.Network.Static = []string{"vlan10"}
	}
	if rapid.Bool().Draw(t, "ipSource") {
		in.Options.IPSource = observed.IPSourceNetworkConfiguration
	}
	return in
}

// TestInvariants are properties of any sequence of reconciles.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var status vitistackv1alpha1.MachineStatus
		for range rapid.IntRange(1, 6).Draw(t, "reconciles") {
			in := anyInput(t, status)
			machine, vm, vmi := in.Machine.DeepCopy(), in.VM.DeepCopy(), in.VMI.DeepCopy()
			next := observed.Status(in)
			if diff := cmp.Diff([]any{machine, vm, vmi}, []any{in.Machine, in.VM, in.VMI}); diff != "" {
				t.Fatalf("the input was changed: %s", diff)
			}
			checkStatus(t, in, status, next)

			// A later look at the same things, through the API server and back, is no news. What was held is
			// told by then, so the second look is compared with the third.
			again := in
			for i := range 2 {
				again.Machine = in.Machine.DeepCopy()
				again.Machine.Status = roundTrip(t, next)
				again.Now = again.Now.Add(time.Duration(i+1) * time.Hour)
				later := observed.Status(again)
				if diff := cmp.Diff(again.Machine.Status, later); diff != "" && observed.HoldRemaining(in) == 0 {
					t.Fatalf("news where there are none (D8): %s", diff)
				}
				next = later
			}
			status = next
		}
	})
}

func checkStatus(t *rapid.T, in observed.Input, old, next vitistackv1alpha1.MachineStatus) {
	t.Helper()
	if !slices.Contains(phases, next.Phase) {
		t.Fatalf("phase %q is none", next.Phase)
	}
	failed := next.Phase == vitistackv1alpha1.MachinePhaseFailed
	waits := next.Phase == vitistackv1alpha1.MachinePhasePending &&
		next.FailureReason == vitistackv1alpha1.ReasonUnschedulable
	if failed != (next.FailureReason != "") && !waits {
		t.Fatalf("phase %q with the failure %q", next.Phase, next.FailureReason)
	}
	ready := next.Condition(vitistackv1alpha1.ConditionReady)
	if ready == nil || ready.Reason == "" || ready.LastTransitionTime.IsZero() {
		t.Fatalf("Ready is %v", ready)
	}
	if ready.Status == metav1.ConditionTrue && slices.ContainsFunc(in.Problems, harms) &&
		observed.HoldRemaining(in) == 0 && !connecting(in) {
		t.Fatalf("Ready is True with %v", in.Problems)
	}
	if moved := next.ObservedGeneration != old.ObservedGeneration; moved && !in.Applied {
		t.Fatalf("observedGeneration moved from %d to %d and nothing was applied", old.ObservedGeneration,
			next.ObservedGeneration)
	}
	if ready.Status == metav1.ConditionTrue && ready.ObservedGeneration > next.ObservedGeneration {
		t.Fatalf("Ready is True of generation %d, and only %d was applied", ready.ObservedGeneration, next.ObservedGeneration)
	}
	for _, c := range next.Conditions {
		if had := old.Condition(c.Type); had != nil && had.Status == c.Status &&
			!had.LastTransitionTime.Equal(&c.LastTransitionTime) {
			t.Fatalf("%s moved its time without its status", c.Type)
		}
	}
	unreachable := next.Condition(vitistackv1alpha1.ConditionRemoteReachable)
	if unreachable == nil || unreachable.Status != metav1.ConditionFalse {
		return
	}
	placed := in.Ledger != nil || old.KubevirtConfigRef != nil
	lost := placed && slices.ContainsFunc(in.Problems, func(p observed.Problem) bool {
		return p.Condition == vitistackv1alpha1.ConditionRemoteReachable
	})
	if lost && next.Phase == vitistackv1alpha1.MachinePhaseFailed && old.Phase != next.Phase {
		t.Fatalf("loss of contact made a Machine Failed that was %q (I4)", old.Phase)
	}
	if diff := cmp.Diff(old.PublicIPAddresses, next.PublicIPAddresses); lost && diff != "" {
		t.Fatalf("loss of contact changed addresses (I4): %s", diff)
	}
}

// harms says that a problem keeps Ready from being True.
func harms(p observed.Problem) bool {
	info, _ := vitistackv1alpha1.InfoOf(p.Reason)
	return !info.Harmless
}

func connecting(in observed.Input) bool {
	return slices.ContainsFunc(in.Problems, func(p observed.Problem) bool {
		return p.Reason == vitistackv1alpha1.ReasonConnecting
	})
}

func roundTrip(t *rapid.T, status vitistackv1alpha1.MachineStatus) vitistackv1alpha1.MachineStatus {
	raw, err := json.Marshal(status)
	if err != nil {
		t.Fatal(err)
	}
	var read vitistackv1alpha1.MachineStatus
	if err := json.Unmarshal(raw, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// TestPruned: a definition that others own drops the fields that are ours alone. They are written
// each time, and must not count as news: lastUpdated would move, wake the Machine again, and so for
// ever (D8).
func TestPruned(t *testing.T) {
	in := input(with(virtualMachine("Running"), instance(kubevirtv1.Running)))
	prune := func(s vitistackv1alpha1.MachineStatus) vitistackv1alpha1.MachineStatus {
		s = *s.DeepCopy()
		s.ObservedGeneration, s.KubevirtConfigRef, s.VMName, s.NodeName = 0, nil, "", ""
		for i := range s.Conditions {
			s.Conditions[i].ObservedGeneration = 0
		}
		return s
	}
	stored := prune(observed.Status(in))
	in.Machine.Status, in.Now = stored, now.Add(time.Hour)
	if diff := cmp.Diff(stored, prune(observed.Status(in))); diff != "" {
		t.Errorf("\nwhat is stored changes for ever: -want +got:\n%s", diff)
	}
	if next := observed.Status(in); observed.Changed(stored, next) {
		t.Errorf("a reconcile without news would write what is dropped again: %s", cmp.Diff(stored, next))
	}
	in.VM.Status.PrintableStatus = kubevirtv1.VirtualMachineStatusPaused
	if got := observed.Status(in); !got.LastUpdated.Time.Equal(in.Now) || !observed.Changed(stored, got) {
		t.Errorf("\nreal news move lastUpdated: got %s", got.LastUpdated)
	}
}

// TestAdditions: the fields that count as no news are those that this project adds, and all of
// them.
func TestAdditions(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("..", "..", "api", "crds", "testdata", "added-fields.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		if fields[0] == "machines" && strings.HasPrefix(fields[1], "status.") {
			got = append(got, strings.TrimPrefix(fields[1], "status."))
		}
	}
	want := []string{"conditions[].observedGeneration", "kubevirtConfigRef", "kubevirtConfigRef.clusterUID",
		"kubevirtConfigRef.name", "nodeName", "observedGeneration", "vmName"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("\na field that is added must be known to changed(): -want +got:\n%s", diff)
	}
}

// TestImports: a pure package has nothing at hand with which to do anything, and no clock.
func TestImports(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{range .Imports}}{{.}} {{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	imports := strings.Fields(string(out))
	if !slices.Contains(imports, "kubevirt.io/api/core/v1") {
		t.Fatalf("go list named %v, which cannot be all", imports)
	}
	for _, forbidden := range []string{"os", "net/http", "io", "log", "log/slog", "context", "math/rand",
		"k8s.io/client-go", "sigs.k8s.io/controller-runtime", "github.com/go-logr/logr"} {
		for _, path := range imports {
			if path == forbidden || strings.HasPrefix(path, forbidden+"/") && strings.Contains(forbidden, ".") {
				t.Errorf("import of %s", path)
			}
		}
	}
	paths, err := filepath.Glob("*.go")
	if err != nil || len(paths) < 10 {
		t.Fatalf("found %d files: %v", len(paths), err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, clock := range []string{"time." + "Now", "metav1." + "Now", "time." + "Since", "time." + "Until"} {
			if strings.Contains(string(content), clock) {
				t.Errorf("%s: %s", path, clock)
			}
		}
	}
}
