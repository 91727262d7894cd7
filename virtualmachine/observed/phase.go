package observed

import (
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// setPhase sets phase, and the failure that belongs to it. An empty answer of the functions below
// leaves both.
func (r *report) setPhase(status *vitistackv1alpha1.MachineStatus) {
	phase := r.phase()
	if phase == "" {
		return
	}
	status.Phase, status.FailureReason, status.FailureMessage = phase, "", ""
	switch failed := phase == vitistackv1alpha1.MachinePhaseFailed; {
	case r.verdict != nil && phase == r.verdict.phase && r.verdict.isFailure():
		status.FailureReason, status.FailureMessage = r.verdict.reason, sentence(r.verdict.message)
	case failed && r.failing != nil:
		status.FailureReason, status.FailureMessage = word(r.failing.Reason), sentence(r.failing.Message)
	}
}

// phase is the phase, "" where it stays.
func (r *report) phase() vitistackv1alpha1.MachinePhase {
	switch {
	case r.deleting():
		return r.deletingPhase()
	case r.contact != nil:
		return r.unheardPhase()
	case r.verdict != nil:
		return r.stay(r.verdict.phase, vitistackv1alpha1.MachinePhaseCreating)
	case r.vmKnown() && !r.Looked:
		return r.stay("", vitistackv1alpha1.MachinePhaseCreating)
	case r.failing != nil:
		return vitistackv1alpha1.MachinePhaseFailed
	case r.placed:
		return vitistackv1alpha1.MachinePhaseCreating
	default:
		return vitistackv1alpha1.MachinePhasePending
	}
}

// deletingPhase: the virtual machine is gone once somebody looked, or if there never was one, and
// nothing else is left to wait for.
func (r *report) deletingPhase() vitistackv1alpha1.MachinePhase {
	gone := r.Looked && r.vm == nil || !r.placed
	if gone && r.problem == nil && r.contact == nil {
		return vitistackv1alpha1.MachinePhaseTerminated
	}
	return vitistackv1alpha1.MachinePhaseTerminating
}

// unheardPhase is the phase while there is no contact: the one that it was. Only a failure to be
// placed is over once it is placed.
func (r *report) unheardPhase() vitistackv1alpha1.MachinePhase {
	old := r.Machine.Status
	if old.Phase == vitistackv1alpha1.MachinePhaseFailed && !hasStatus(old, vitistackv1alpha1.ConditionPlaced, isTrue) &&
		!r.vmKnown() {
		return vitistackv1alpha1.MachinePhasePending
	}
	return r.stay("", vitistackv1alpha1.MachinePhasePending)
}

// stay is the new phase; where there is none the old one stays; where there is none either it is
// the first.
func (r *report) stay(next, first vitistackv1alpha1.MachinePhase) vitistackv1alpha1.MachinePhase {
	if next == "" && r.Machine.Status.Phase == "" {
		return first
	}
	return next
}

// vmKnown says that the VirtualMachine was seen at some time.
func (r *report) vmKnown() bool {
	return r.Ledger != nil && r.Ledger.VMUID != "" || r.Machine.Status.MachineID != ""
}
