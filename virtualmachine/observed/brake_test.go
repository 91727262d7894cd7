package observed_test

import (
	"testing"

	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// TestDeletionHeld: the condition is the record of the brake, so that it says what it said until the
// deletion was let go.
func TestDeletionHeld(t *testing.T) {
	ran := input(with(virtualMachine("Running"), instance(kubevirtv1.Running)))
	says := func(status vitistackv1alpha1.MachineStatus) (held, ready string, generation int64) {
		if c := status.Condition(vitistackv1alpha1.ConditionDeletionHeld); c != nil {
			held, generation = string(c.Status)+"/"+c.Reason, c.ObservedGeneration
		}
		c := status.Condition(vitistackv1alpha1.ConditionReady)
		return held, string(c.Status) + "/" + c.Reason, generation
	}
	generation := func(of int64) func(*observed.Input) {
		return func(in *observed.Input) { in.Machine.Generation = of }
	}
	if held, _, _ := says(observed.Status(ran)); held != "" {
		t.Errorf("a Machine that is not deleted has the condition: %s", held)
	}
	braked := input(after(ran), deleting, generation(5), stoppedAt(observed.StepPlace, problem("DeletionHeld")))
	held, ready, of := says(observed.Status(braked))
	if held != "True/DeletionHeld" || ready != "False/DeletionHeld" || of != 5 {
		t.Errorf("held: %s, Ready %s, of generation %d", held, ready, of)
	}
	again := input(after(braked), deleting, generation(6), stoppedAt(observed.StepPlace, problem("DeletionHeld")))
	if held, _, of := says(observed.Status(again)); held != "True/DeletionHeld" || of != 5 {
		t.Errorf("the generation that was held is forgotten: %s of generation %d", held, of)
	}
	silent := input(after(braked), deleting, stoppedAt(observed.StepPlace, problem("LedgerConflict")))
	if held, _, _ := says(observed.Status(silent)); held != "True/DeletionHeld" {
		t.Errorf("a reconcile that did not get as far as the brake says %q", held)
	}
	released := input(after(braked), deleting, with(virtualMachine("Terminating"), nil),
		func(in *observed.Input) { in.Released = true })
	if held, ready, _ := says(observed.Status(released)); held != "False/DeletionReleased" || ready != "False/Deleting" {
		t.Errorf("let go: %s, Ready %s", held, ready)
	}
	single := input(after(ran), deleting, with(virtualMachine("Terminating"), nil),
		func(in *observed.Input) { in.Released = true })
	if held, _, _ := says(observed.Status(single)); held != "" {
		t.Errorf("a deletion that was never held has the condition: %s", held)
	}
}
