package observed_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

var update = flag.Bool("update", false, "write the golden file instead of comparing with it")

// TestMessages lists every message that this package composes, for one person to read aloud.
// Messages of Problems are their makers' and stand here as "about …".
func TestMessages(t *testing.T) {
	lines := map[string]bool{}
	for _, in := range situations() {
		for _, c := range observed.Status(in).Conditions {
			lines[fmt.Sprintf("%-19s %-7s %-26s %s", c.Type, c.Status, c.Reason, c.Message)] = true
		}
	}
	var sorted []string
	for line := range lines {
		sorted = append(sorted, line)
	}
	slices.Sort(sorted)
	got := strings.Join(sorted, "\n") + "\n"
	path := filepath.Join("testdata", "messages.golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("messages are not those of %s, which -update writes: -want +got:\n%s", path, diff)
	}
}

// situations are inputs that lead to each message.
func situations() []observed.Input {
	var all []observed.Input
	for _, state := range states {
		all = append(all, input(with(virtualMachine(state), nil)),
			input(with(virtualMachine(state), instance(kubevirtv1.Running))))
	}
	return slices.Concat(all, failing(), waiting(), ending())
}

// failing are those in which KubeVirt or CDI say what went wrong.
func failing() []observed.Input {
	dataVolume := func(phase cdiv1beta1.DataVolumePhase, progress cdiv1beta1.DataVolumeProgress,
		reason string) func(*observed.Input) {
		return func(in *observed.Input) {
			dv := cdiv1beta1.DataVolume{}
			dv.Name, dv.Status.Phase, dv.Status.Progress = "vm-m-root-1a2b3c4d", phase, progress
			if reason != "" {
				dv.Status.Conditions = []cdiv1beta1.DataVolumeCondition{
					{Type: cdiv1beta1.DataVolumeRunning, Status: "False", Reason: reason, Message: "what CDI says"},
				}
			}
			in.DataVolumes = []cdiv1beta1.DataVolume{dv}
		}
	}
	starting := virtualMachine("Starting")
	asked := input(with(virtualMachine("Paused"), instance(kubevirtv1.Running)))
	asked.Machine.Annotations = map[string]string{vitistackv1alpha1.AnnotationPauseGuest: "true"}
	return []observed.Input{
		asked,
		input(with(virtualMachine("Provisioning"), nil), dataVolume("ImportInProgress", "57.3%", "")),
		input(with(virtualMachine("Provisioning"), nil), dataVolume("Pending", "N/A", "")),
		input(with(virtualMachine("Provisioning"), nil), dataVolume("Pending", "", "ErrExceededQuota")),
		input(with(virtualMachine("DataVolumeError"), nil), dataVolume("ImportInProgress", "", "Error")),
		input(with(virtualMachine("DataVolumeError"), nil), dataVolume("Failed", "", "")),
		input(with(virtualMachine("Starting", machineCondition("Failure", "FailedCreate", "what the webhook says")), nil)),
		input(with(starting, instance(kubevirtv1.Scheduling,
			instanceCondition("Synchronized", "FailedCreate", "what the quota says")))),
		input(with(starting, instance(kubevirtv1.Scheduling,
			instanceCondition("Synchronized", "ErrImagePull", "what the node says")))),
		input(with(virtualMachine("ErrorUnschedulable"),
			instance(kubevirtv1.Scheduling, instanceCondition("PodScheduled", "Unschedulable", "what the scheduler says")))),
		input(with(virtualMachine("Running"), instance(kubevirtv1.Running, instanceCondition("Ready", "NodeLost", "")))),
	}
}

// waiting are those in which addresses are missing, a change waits, or a copy was found.
func waiting() []observed.Input {
	ran := input(with(virtualMachine("Running"), instance(kubevirtv1.Running)))
	runs := with(virtualMachine("Running"), instance(kubevirtv1.Running))
	silent := with(virtualMachine("Running"), instance(kubevirtv1.Running, func(vmi *kubevirtv1.VirtualMachineInstance) {
		vmi.Status.Interfaces = nil
	}))
	static := func(in *observed.Input) { in.Network.Static = []string{"vlan10"} }
	failed := func(message string) func(*observed.Input) {
		return func(in *observed.Input) {
			nc := vitistackv1alpha1.NetworkConfiguration{}
			nc.Name, nc.Status.Phase, nc.Status.Message = "m", "Error", message
			in.Network.Configurations = []vitistackv1alpha1.NetworkConfiguration{nc}
		}
	}
	copied := input(runs, func(in *observed.Input) { in.Copies = []string{"VirtualMachine web-copy in cluster-east"} })
	return []observed.Input{
		input(silent),
		input(silent, static),
		input(silent, failed("what the operator of addresses says")),
		input(silent, failed("")),
		input(with(virtualMachine("Running", machineCondition("RestartRequired", "", "")), instance(kubevirtv1.Running))),
		input(after(ran), runs, func(in *observed.Input) { in.Machine.Generation, in.Applied = 4, false }),
		copied,
		input(after(copied), runs),
	}
}

// ending are those of Machines that are not placed, not reached, or being deleted.
func ending() []observed.Input {
	ran := input(with(virtualMachine("Running"), instance(kubevirtv1.Running)))
	adopted := func(in *observed.Input) { in.Adopted = true }
	traced := func(in *observed.Input) {
		trace := vitistackv1alpha1.PlacementTrace{Config: "cluster-east", Strategy: "spread"}
		in.Machine.Annotations = map[string]string{vitistackv1alpha1.AnnotationPlacementTrace: trace.String()}
	}
	return []observed.Input{
		input(unplaced()),
		input(unplaced(problem("NoKubevirtConfigs"))),
		input(func(in *observed.Input) { in.Ledger.VMUID = "" }),
		input(adopted, with(virtualMachine("Running"), nil)),
		input(traced, with(virtualMachine("Running"), nil)),
		input(after(ran), contactLost("Unreachable", time.Hour)),
		input(after(ran), deleting, with(virtualMachine("Terminating"), nil)),
		input(after(ran), deleting, with(virtualMachine("Terminating"), nil), heldDeletion),
		input(after(ran), stoppedAt(observed.StepVM, problem("Vanished"))),
	}
}
