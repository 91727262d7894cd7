package observed

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

const (
	isTrue    = metav1.ConditionTrue
	isFalse   = metav1.ConditionFalse
	isUnknown = metav1.ConditionUnknown
)

// report is an Input with its problems sorted out.
type report struct {
	Input

	// placed says that the Machine has a place, or had one: its ledger may be unreadable now.
	placed bool
	// trusted says that the ledger may be copied into the status. Where they differ, the copy is the only other witness.
	trusted bool
	// contact is the loss of contact with the remote cluster of a placed Machine, nil where there is none.
	contact *Problem
	// problem is the first other one, nil where there is none.
	problem *Problem
	// blocked is the first other one that a person must end, nil where there is none.
	blocked *Problem
	// problems are all by their condition, the first of each.
	problems map[string]Problem

	// vm, vmi and verdict are nil where nothing was seen.
	vm      *kubevirtv1.VirtualMachine
	vmi     *kubevirtv1.VirtualMachineInstance
	verdict *verdict
}

func newReport(in Input) *report {
	old := in.Machine.Status
	r := &report{
		Input:    in,
		placed:   in.Ledger != nil || old.KubevirtConfigRef != nil || hasStatus(old, vitistackv1alpha1.ConditionPlaced, isTrue),
		trusted:  in.Ledger != nil,
		problems: map[string]Problem{},
	}
	for _, p := range in.Problems {
		r.add(p)
	}
	if in.Looked && r.contact == nil {
		r.vm, r.vmi = in.VM, in.VMI
	} else {
		r.Looked = false
	}
	if r.vm != nil {
		v := judge(r.vm, r.vmi, in.DataVolumes)
		r.verdict = &v
	}
	return r
}

func (r *report) add(p Problem) {
	p.Condition = r.condition(p)
	if p.Reason == vitistackv1alpha1.ReasonLedgerConflict || p.Reason == vitistackv1alpha1.ReasonLedgerInvalid {
		r.trusted = false
	}
	if _, known := r.problems[p.Condition]; !known {
		r.problems[p.Condition] = p
	}
	if p.Condition == vitistackv1alpha1.ConditionRemoteReachable {
		if r.contact == nil {
			r.contact = &p
		}
		return
	}
	if r.problem == nil {
		r.problem = &p
	}
	if r.blocked == nil && p.Blocked {
		r.blocked = &p
	}
}

// condition is where a problem is told. A placed Machine stays placed: without its KubevirtConfig it cannot be reached, and any other
// objection to its place is Ready's alone. A Machine without a place has no cluster to lose contact with.
func (r *report) condition(p Problem) string {
	switch {
	case p.Condition == "":
		return vitistackv1alpha1.ConditionReady
	case r.placed && p.Condition == vitistackv1alpha1.ConditionPlaced:
		if slices.Contains([]string{vitistackv1alpha1.ReasonConfigNotFound, vitistackv1alpha1.ReasonConfigTerminating}, p.Reason) {
			return vitistackv1alpha1.ConditionRemoteReachable
		}
		return vitistackv1alpha1.ConditionReady
	case !r.placed && p.Condition == vitistackv1alpha1.ConditionRemoteReachable:
		return vitistackv1alpha1.ConditionPlaced
	default:
		return p.Condition
	}
}

func hasStatus(status vitistackv1alpha1.MachineStatus, conditionType string, wanted metav1.ConditionStatus) bool {
	condition := status.Condition(conditionType)
	return condition != nil && condition.Status == wanted
}
