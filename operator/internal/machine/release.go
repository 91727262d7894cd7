package machine

import (
	"context"
	"slices"
	"time"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/removal"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// orRelease lets a Machine go whose deletion cannot be finished, if a person consents and the
// reason has lasted: what it has in that cluster is abandoned, or owed. Without that the report
// stays as it is.
func (r *MachineReconciler) orRelease(ctx context.Context, view report) report {
	ledger := r.lastKnown(view.Machine)
	if ledger == nil || !r.mayRelease(view, ledger.Config) {
		return view
	}
	note := "abandoned what is left in " + ledger.Config
	switch view.Machine.Annotations[vitistackv1alpha1.AnnotationForceRelease] {
	case ledger.Config:
	case ledger.Config + vitistackv1alpha1.ForceReleaseDeleteLater:
		if err := r.owe(ctx, view.Machine, *ledger); err != nil {
			return view.ended(view.Reached, err)
		}
		note = "let the Machine go; what is left in " + ledger.Config + " is deleted when it answers again"
	default:
		return view
	}
	if err := r.oweOrigin(ctx, view.Machine); err != nil {
		return view.ended(view.Reached, err)
	}
	r.event(view.Machine, eventWarning, "Released", "Delete", note)
	supervisor := r.supervisor(view.reads)
	if err := removal.GiveUpAddresses(ctx, supervisor, view.Machine, r.settings.Desired); err != nil {
		return view.ended(observed.StepNetwork, err)
	}
	if err := r.letGo(ctx, view.Machine); err != nil {
		return view.ended(observed.StepObserve, err)
	}
	view.gone, view.err = true, nil
	return view
}

// lastKnown is the ledger, or what the status still has of a lost or broken one. nil where neither
// tells a place.
func (r *MachineReconciler) lastKnown(machine *vitistackv1alpha1.Machine) *vitistackv1alpha1.Ledger {
	reading := r.read(machine)
	if reading.Standing == custody.Confirmed || reading.Standing == custody.Unconfirmed {
		if reading.Standing == custody.Unconfirmed { // its cluster will tell by labels and nonce which one it is
			reading.Ledger.VMUID = ""
		}
		return &reading.Ledger
	}
	copied := machine.Status.KubevirtConfigRef
	if copied == nil {
		return nil
	}
	return &vitistackv1alpha1.Ledger{
		Config: copied.Name, ClusterUID: copied.ClusterUID, Namespace: machine.Namespace,
		VMName: machine.Status.VMName, VMUID: machine.Status.MachineID, Nonce: newNonce(),
	}
}

// mayRelease reports whether what holds a deletion is a lasting state: of the connection to the
// cluster, or of the record. One late call of a cluster that answers otherwise is none, and neither
// is a contact that is still being made.
func (r *MachineReconciler) mayRelease(view report, config string) bool {
	p, isProblem := problem.As(view.err)
	if !isProblem {
		return false
	}
	records := []string{
		vitistackv1alpha1.ReasonLedgerConflict, vitistackv1alpha1.ReasonLedgerInvalid, vitistackv1alpha1.ReasonDuplicateVM,
	}
	if slices.Contains(records, p.Reason) {
		return true
	}
	state, found := r.KubevirtClientMgr.State(config)
	switch {
	case !found:
		return p.Reason == vitistackv1alpha1.ReasonConfigNotFound || p.Reason == vitistackv1alpha1.ReasonMoving
	case state.Ready():
		return p.Reason == vitistackv1alpha1.ReasonIdentityChanged || p.Reason == vitistackv1alpha1.ReasonIdentityUnverified
	case state.Reason == vitistackv1alpha1.ReasonConnecting, state.Reason == vitistackv1alpha1.ReasonNotSynced,
		state.Reason == clientmgr.ReasonAsleep:
		return false
	default:
		return state.Since.IsZero() || view.Now.Sub(state.Since) >= r.releaseAfter()
	}
}

// releaseAfter is how long a cluster must have given no answer.
func (r *MachineReconciler) releaseAfter() time.Duration {
	if hold := r.settings.Observed.Hold; hold > 0 {
		return hold
	}
	return observed.DefaultHold
}

// owe writes down what is left of a Machine before it is let go.
func (r *MachineReconciler) owe(
	ctx context.Context, machine *vitistackv1alpha1.Machine, ledger vitistackv1alpha1.Ledger,
) error {
	at := problem.At{Condition: vitistackv1alpha1.ConditionReady, Doing: "recording the debt"}
	if err := ledger.Validate(); err != nil { // it could be neither read nor paid
		return problem.Person(at.Condition, vitistackv1alpha1.ReasonLedgerInvalid, "what is left in %s cannot be owed: %v",
			ledger.Config, err)
	}
	debt := removal.Debt{Machine: machine.Name, UID: machine.UID, Ledger: ledger}
	if ledger.VMUID == "" {
		debt.Late = r.clock.Now().Add(removal.LateCreation)
	}
	if disks, err := vitistackv1alpha1.DiskRecordOf(machine); err == nil {
		debt.Disks = disks
	}
	return problem.Supervisor(r.payer.Owe(ctx, debt), at)
}

// oweLate writes down the VirtualMachine of a Machine that goes before anybody saw one: a creation that
// was cut off, by a kill or a timeout, may go on in its API server and arrive after the last look.
func (r *MachineReconciler) oweLate(ctx context.Context, machine *vitistackv1alpha1.Machine) error {
	reading := r.read(machine)
	isRecorded := reading.Standing == custody.Confirmed || reading.Standing == custody.Unconfirmed
	_, isSeen := machine.Annotations[vitistackv1alpha1.AnnotationPlacementDisks]
	_, exists := r.KubevirtClientMgr.State(reading.Ledger.Config)
	if !isRecorded || reading.Ledger.VMUID != "" || isSeen || !exists {
		return nil
	}
	return r.owe(ctx, machine, reading.Ledger)
}

// oweOrigin writes down what a move that is under way has left in the cluster that the Machine came
// from. What it made and never started is nobody's, and goes by itself.
func (r *MachineReconciler) oweOrigin(ctx context.Context, machine *vitistackv1alpha1.Machine) error {
	record, moving, err := vitistackv1alpha1.MoveRecordOf(machine)
	if err != nil || !moving || record.Stage != vitistackv1alpha1.MoveCommitted {
		return nil
	}
	debt := removal.Debt{Machine: machine.Name, UID: machine.UID, Ledger: record.From, Move: record.ID}
	return problem.Supervisor(r.payer.Owe(ctx, debt),
		problem.At{Condition: vitistackv1alpha1.ConditionReady, Doing: "recording the debt"})
}
