package moving

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// stepsOf is a move in lines: its steps with their times, its disks, and what it says.
func stepsOf(move *vitistackv1alpha1.MachineMove) string {
	out, status := &strings.Builder{}, move.Status
	fmt.Fprintf(out, "MachineMove %s/%s  %s  %s → %s\n", move.Namespace, move.Name,
		cmp.Or(status.Phase, vitistackv1alpha1.MovePhasePending), cmp.Or(status.From, "?"),
		cmp.Or(status.To, move.Spec.To, "the cluster that it fits best"))
	for _, step := range status.Steps {
		sign, took := "…", ""
		if step.Phase.Over() {
			continue
		}
		if step.EndedAt != nil {
			sign, took = "✓", "  "+duration.HumanDuration(step.EndedAt.Sub(step.StartedAt.Time))
		}
		fmt.Fprintf(out, "  %s %s%s\n", sign, step.Phase, took)
		if step.Phase == vitistackv1alpha1.MovePhaseCopying && step.EndedAt == nil {
			disksOf(out, status)
		}
	}
	ready := meta.FindStatusCondition(status.Conditions, vitistackv1alpha1.ConditionReady)
	if ready == nil {
		out.WriteString("  nothing was said about it yet: does an operator run?\n")
		return out.String()
	}
	fmt.Fprintf(out, "  %s: %s\n", ready.Reason, ready.Message)
	if info, known := vitistackv1alpha1.InfoOf(ready.Reason); known && info.Help != "" {
		fmt.Fprintf(out, "  What to do: %s.\n", info.Help)
	}
	return out.String()
}

func disksOf(out *strings.Builder, status vitistackv1alpha1.MachineMoveStatus) {
	for _, disk := range status.Disks {
		fmt.Fprintf(out, "      %s  %s  %s\n", disk.Name, share(disk.Copied, disk.Bytes), disk.Phase)
	}
	if len(status.Disks) != 1 && status.Bytes > 0 {
		fmt.Fprintf(out, "      together  %s\n", share(status.Copied, status.Bytes))
	}
}

// share is how much of a size is done.
func share(done, size int64) string {
	if size <= 0 {
		return "of unknown size"
	}
	return fmt.Sprintf("%d %% of %s", done*100/size, resource.NewQuantity(size, resource.BinarySI))
}

// standsStill says whether conditions that were written for this generation, or a later one, say that
// a person must act, and since when they do.
func standsStill(conditions []metav1.Condition, generation int64) (still bool, since time.Time) {
	stalled := meta.FindStatusCondition(conditions, vitistackv1alpha1.ConditionStalled)
	if stalled == nil || stalled.Status != metav1.ConditionTrue || stalled.ObservedGeneration < generation {
		return false, time.Time{}
	}
	return true, stalled.LastTransitionTime.Time
}
