package observed

import (
	"cmp"
	"time"

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
	sorted

	// placed says that the Machine has a place, or had one: its ledger may be unreadable now.
	placed bool
	// trusted says that the ledger may be copied into the status. Where they differ, the copy is
	// the only other witness.
	trusted bool

	// vm, vmi and verdict are nil where nothing was seen.
	vm      *kubevirtv1.VirtualMachine
	vmi     *kubevirtv1.VirtualMachineInstance
	verdict *verdict
}

// sorted are the problems, each by what it means for the status. A field is nil where there is
// none.
type sorted struct {
	// contact is the loss of contact with the remote cluster of a placed Machine.
	contact *Problem
	// problem is the first other one that keeps Ready from being True.
	problem *Problem
	// failing is the first other one with which a Machine without a virtual machine is Failed.
	failing *Problem
	// harmless is the first one with which Ready can be True.
	harmless *Problem
	// problems are all by their condition, the first of each.
	problems map[string]Problem
	// hiddenFor is after how long a problem is told that is left out here for its youth, 0 for
	// none.
	hiddenFor time.Duration
}

func newReport(in Input) *report {
	old := in.Machine.Status
	r := &report{
		Input:  in,
		sorted: sorted{problems: map[string]Problem{}},
		placed: in.Ledger != nil || old.KubevirtConfigRef != nil ||
			hasStatus(old, vitistackv1alpha1.ConditionPlaced, isTrue),
		trusted: in.Ledger != nil,
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
		v := judge(r.vm, r.vmi, in.DataVolumes).asAsked(in.Machine)
		r.verdict = &v
	}
	return r
}

func (r *report) add(p Problem) {
	p.Condition = r.condition(p)
	info := p.info()
	if info.DoubtsLedger {
		r.trusted = false
	}
	lost := p.Condition == vitistackv1alpha1.ConditionRemoteReachable
	if !lost && r.heldRetry(p) {
		r.hiddenFor = soonest(r.hiddenFor, r.holdOf(p))
		return
	}
	if _, known := r.problems[p.Condition]; !known {
		r.problems[p.Condition] = p
	}
	switch {
	case lost:
		r.contact = first(r.contact, p)
	case info.Harmless:
		r.harmless = first(r.harmless, p)
	default:
		r.problem = first(r.problem, p)
		if p.fails() {
			r.failing = first(r.failing, p)
		}
	}
}

// first is the one that is known, else the next one.
func first(known *Problem, next Problem) *Problem {
	if known != nil {
		return known
	}
	return &next
}

// condition is where a problem is told. A placed Machine stays placed: some problems of its place
// are loss of contact with it, and any other is Ready's alone. A Machine without a place has no
// cluster to lose contact with.
func (r *report) condition(p Problem) string {
	info := p.info()
	condition := cmp.Or(p.Condition, info.Condition, vitistackv1alpha1.ConditionReady)
	switch {
	case r.placed && condition == vitistackv1alpha1.ConditionPlaced && info.LosesContact:
		return vitistackv1alpha1.ConditionRemoteReachable
	case r.placed && condition == vitistackv1alpha1.ConditionPlaced:
		return vitistackv1alpha1.ConditionReady
	case !r.placed && condition == vitistackv1alpha1.ConditionRemoteReachable:
		return vitistackv1alpha1.ConditionPlaced
	default:
		return condition
	}
}

func hasStatus(status vitistackv1alpha1.MachineStatus, conditionType string, wanted metav1.ConditionStatus) bool {
	condition := status.Condition(conditionType)
	return condition != nil && condition.Status == wanted
}
