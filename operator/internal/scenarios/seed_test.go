package scenarios

import (
	"fmt"
	"strings"
	"testing"
	"time"

	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// patience is how long a Machine may take on a machine that is busy with four clusters.
const patience = time.Minute

// TestSeedScenarios are the five integration scenarios of the specification.
func TestSeedScenarios(t *testing.T) {
	ns := namespace(t, "seed")
	startOperator(t, "DEFAULT_KUBEVIRT_CONFIG=cluster-west")

	annotated := machine(ns, "annotated", "cluster-east")
	create(t, annotated)
	t.Run("annotation: VM in that cluster", func(t *testing.T) {
		eventually(t, patience, func() string { return notRunning(t, annotated, "cluster-east") })
		if got := virtualMachines(t, ns); len(got) != 1 || len(got["cluster-east"]) != 1 {
			t.Errorf("virtual machines are in %v", places(got))
		}
	})
	t.Run("no annotation: default config", func(t *testing.T) {
		plain := machine(ns, "plain", "")
		create(t, plain)
		eventually(t, patience, func() string { return notRunning(t, plain, "cluster-west") })
		if got := read(t, plain).Annotations[vitistackv1alpha1.AnnotationKubevirtConfig]; got != "cluster-west" {
			t.Errorf("the annotation is %q", got)
		}
	})
	t.Run("VM changes: status changes", func(t *testing.T) {
		setRunStrategy(t, annotated, kubevirtv1.RunStrategyHalted)
		eventually(t, patience, func() string { return notInPhase(t, annotated, vitistackv1alpha1.MachinePhaseStopped) })
		if addresses := read(t, annotated).Status.IPAddresses; len(addresses) > 0 {
			t.Errorf("a stopped Machine has the addresses %v", addresses)
		}
		setRunStrategy(t, annotated, kubevirtv1.RunStrategyAlways)
		eventually(t, patience, func() string { return notRunning(t, annotated, "cluster-east") })
	})
	t.Run("Machine deleted: VM gone", func(t *testing.T) {
		if err := supervisor().Delete(t.Context(), annotated); err != nil {
			t.Fatal(err)
		}
		eventually(t, patience, func() string {
			if read(t, annotated) != nil {
				return "the Machine is there"
			}
			return ""
		})
		if got := virtualMachines(t, ns)["cluster-east"]; len(got) > 0 {
			t.Errorf("the finalizer went before the VirtualMachine: %v", got[0].Name)
		}
		existing := &vitistackv1alpha1.NetworkConfiguration{}
		if err := supervisor().Get(t.Context(), client.ObjectKeyFromObject(annotated),
			existing); client.IgnoreNotFound(err) != nil || err == nil {
			t.Errorf("the NetworkConfiguration is there: %v", err)
		}
	})
	t.Run("invalid config: Failed", func(t *testing.T) {
		invalid := machine(ns, "invalid", "cluster-nowhere")
		create(t, invalid)
		eventually(t, patience, func() string {
			return notFailed(t, invalid, vitistackv1alpha1.ReasonConfigNotFound,
				"KubevirtConfig cluster-nowhere not found in namespace kubevirt-configs")
		})
		if err := supervisor().Delete(t.Context(), invalid); err != nil {
			t.Fatal(err)
		}
		eventually(t, patience, func() string {
			if read(t, invalid) != nil {
				return "a Machine that was never placed cannot be deleted (D6)"
			}
			return ""
		})
	})
}

// TestNoDefault is what becomes of Machines that say nothing, where nobody else does.
func TestNoDefault(t *testing.T) {
	ns := namespace(t, "no-default")
	startOperator(t)
	undecided := machine(ns, "undecided", "")
	create(t, undecided)
	eventually(t, patience, func() string {
		return notFailed(t, undecided, vitistackv1alpha1.ReasonCannotDeterminePlacement,
			"machine no-default/undecided has no KubevirtConfig reference and 3 configs are available - cannot determine placement")
	})
	if got := virtualMachines(t, ns); len(got) > 0 {
		t.Fatalf("virtual machines are in %v", places(got))
	}
	before := undecided.DeepCopy()
	undecided.Annotations = map[string]string{vitistackv1alpha1.AnnotationKubevirtConfig: "cluster-north"}
	if err := supervisor().Patch(t.Context(), undecided, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, func() string { return notRunning(t, undecided, "cluster-north") })
}

func notInPhase(t *testing.T, of *vitistackv1alpha1.Machine, want vitistackv1alpha1.MachinePhase) string {
	t.Helper()
	m := read(t, of)
	if m.Status.Phase == want {
		return ""
	}
	return fmt.Sprintf("%s is %q, not %q: %+v", of.Name, m.Status.Phase, want, m.Status.Conditions)
}

func notRunning(t *testing.T, of *vitistackv1alpha1.Machine, config string) string {
	t.Helper()
	if why := notInPhase(t, of, vitistackv1alpha1.MachinePhaseRunning); why != "" {
		return why
	}
	m := read(t, of)
	if m.Status.KubevirtConfigRef == nil || m.Status.KubevirtConfigRef.Name != config {
		return fmt.Sprintf("%s is placed in %+v", of.Name, m.Status.KubevirtConfigRef)
	}
	if len(m.Status.IPAddresses) == 0 {
		return of.Name + " has no address"
	}
	return ""
}

func notFailed(t *testing.T, of *vitistackv1alpha1.Machine, reason, message string) string {
	t.Helper()
	if why := notInPhase(t, of, vitistackv1alpha1.MachinePhaseFailed); why != "" {
		return why
	}
	m := read(t, of)
	ready := m.Status.Condition(vitistackv1alpha1.ConditionReady)
	if ready == nil || ready.Reason != reason || !strings.Contains(ready.Message, message) {
		return fmt.Sprintf("%s: Ready is %+v", of.Name, ready)
	}
	return ""
}

func setRunStrategy(t *testing.T, of *vitistackv1alpha1.Machine, strategy kubevirtv1.VirtualMachineRunStrategy) {
	t.Helper()
	status := read(t, of).Status
	c := world.remote[status.KubevirtConfigRef.Name]
	vm := &kubevirtv1.VirtualMachine{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: of.Namespace, Name: status.VMName}, vm); err != nil {
		t.Fatal(err)
	}
	before := vm.DeepCopy()
	vm.Spec.RunStrategy = &strategy
	if err := c.Patch(t.Context(), vm, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

// places are the names of virtual machines by cluster.
func places(all map[string][]kubevirtv1.VirtualMachine) map[string][]string {
	names := map[string][]string{}
	for cluster, vms := range all {
		for _, vm := range vms {
			names[cluster] = append(names[cluster], vm.Name)
		}
	}
	return names
}
