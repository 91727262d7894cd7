package custody

import (
	"fmt"
	"slices"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Record is a ledger that counts, with the other UIDs that its cluster had.
type Record struct {
	vitistackv1alpha1.Ledger
	// FormerClusterUIDs are earlier identities of the KubevirtConfig's cluster, each replaced with
	// a person's consent.
	FormerClusterUIDs []string
}

// in reports whether a look went to the cluster of the record. Two KubevirtConfigs that lead to one
// cluster are the same to it.
func (r Record) in(l Look) bool {
	switch {
	case r.ClusterUID == "":
		return l.Config == r.Config
	case l.ClusterUID == "":
		return false // a record that knows its cluster is never answered by one that cannot say which it is
	case l.ClusterUID == r.ClusterUID:
		return true
	default:
		return l.Config == r.Config && slices.Contains(r.FormerClusterUIDs, r.ClusterUID)
	}
}

// Rebound is the ledger for the identity that its KubevirtConfig has now, where a person accepted
// that one; false where the ledger stays as it is. A ledger that names no VirtualMachine by its UID
// is never bound anew: in another cluster it could meet one that is not the Machine's.
func (r Record) Rebound(clusterUID string) (vitistackv1alpha1.Ledger, bool) {
	ledger := r.Ledger
	if ledger.VMUID == "" || clusterUID == "" || !slices.Contains(r.FormerClusterUIDs, ledger.ClusterUID) {
		return ledger, false
	}
	ledger.ClusterUID = clusterUID
	return ledger, true
}

// Standing is what a Machine's ledger is worth.
type Standing int

// The standings of a ledger.
const (
	// None: the Machine has no ledger.
	None Standing = iota
	// Confirmed: the operator's finalizer is there and the status says the same, down to the
	// VirtualMachine's UID where the ledger names one.
	Confirmed
	// Unconfirmed: nothing says the same. The VirtualMachine's labels and nonce may still do so,
	// see ConfirmedBy.
	Unconfirmed
	// Lost: there is no ledger, and the status says that there was one.
	Lost
	// Broken: the ledger cannot be read, or contradicts the status. Nothing is decided by it.
	Broken
)

// Reading is a Machine's ledger as it stands in its annotation, and what that is worth.
type Reading struct {
	Standing Standing
	// Ledger is set with Confirmed and Unconfirmed; with Lost it has what the status still knows.
	Ledger vitistackv1alpha1.Ledger
	// Reason and Message say what is wrong with a Broken one.
	Reason, Message string
}

// Read reads a Machine's ledger. providerID is what status.providerID is for a ledger: it is the
// copy that foreign definitions keep. former are the earlier identities of a KubevirtConfig's
// cluster: the operator may have ended between binding the ledger to the present one and the
// status.
func Read(
	machine *vitistackv1alpha1.Machine, held bool, providerID func(vitistackv1alpha1.Ledger) string,
	former func(config string) []string,
) Reading {
	const annotation = vitistackv1alpha1.AnnotationPlacement
	text, written := machine.Annotations[annotation]
	status := machine.Status
	if !written {
		return readLost(machine)
	}
	ledger, err := vitistackv1alpha1.ParseLedger(text)
	if err != nil {
		return broken(vitistackv1alpha1.ReasonLedgerInvalid, "annotation %s cannot be read (%v); "+
			"take it off, and the operator looks for the virtual machine again", annotation, err)
	}
	move, moving, err := vitistackv1alpha1.MoveRecordOf(machine)
	if err != nil {
		return broken(vitistackv1alpha1.ReasonLedgerInvalid, "the ledger says that the Machine is being moved, and "+
			"annotation %s cannot be read (%v); restore it, nothing is done until then", vitistackv1alpha1.AnnotationMove, err)
	}
	copied := status.KubevirtConfigRef
	if moving && copied != nil && (isCopyOf(*copied, move.From) || isCopyOf(*copied, move.To)) {
		copied = nil // the status may not know yet on which side the Machine is
	}
	if copied != nil && (copied.Name != ledger.Config || copied.ClusterUID != "" &&
		copied.ClusterUID != ledger.ClusterUID &&
		!slices.Contains(former(ledger.Config), copied.ClusterUID)) {
		return broken(vitistackv1alpha1.ReasonLedgerConflict,
			"annotation %s names cluster %s (%s), the status %s (%s); take the annotation off if the status is right",
			annotation, ledger.Config, ledger.ClusterUID, copied.Name, copied.ClusterUID)
	}
	if ledger.Namespace != machine.Namespace {
		return broken(vitistackv1alpha1.ReasonLedgerConflict, "annotation %s was copied from a Machine of namespace %s; "+
			"take it off", annotation, ledger.Namespace)
	}
	if held && (moving && confirmsMove(status, move) || confirms(status, ledger, providerID)) {
		return Reading{Standing: Confirmed, Ledger: ledger}
	}
	return Reading{Standing: Unconfirmed, Ledger: ledger}
}

// isCopyOf reports whether a status names the place of a ledger.
func isCopyOf(copied vitistackv1alpha1.KubevirtConfigReferenceStatus, ledger vitistackv1alpha1.Ledger) bool {
	return copied.Name == ledger.Config && (copied.ClusterUID == "" || copied.ClusterUID == ledger.ClusterUID)
}

// confirmsMove reports whether the status names the VirtualMachine of either side of a move. The
// target's is not known before the commit, and a status that names none confirms none.
func confirmsMove(status vitistackv1alpha1.MachineStatus, move vitistackv1alpha1.MoveRecord) bool {
	return status.MachineID != "" && (status.MachineID == move.From.VMUID || status.MachineID == move.To.VMUID)
}

// confirms reports whether the status says what a ledger says. The UID of a VirtualMachine decides
// what is changed and deleted, so that a ledger which names one is confirmed by the same UID alone.
func confirms(
	status vitistackv1alpha1.MachineStatus, ledger vitistackv1alpha1.Ledger,
	providerID func(vitistackv1alpha1.Ledger) string,
) bool {
	if ledger.VMUID != "" {
		return status.MachineID == ledger.VMUID
	}
	return status.KubevirtConfigRef != nil || status.ProviderID == providerID(ledger)
}

func readLost(machine *vitistackv1alpha1.Machine) Reading {
	copied := machine.Status.KubevirtConfigRef
	if copied == nil {
		return Reading{}
	}
	return Reading{Standing: Lost, Ledger: vitistackv1alpha1.Ledger{
		Config: copied.Name, ClusterUID: copied.ClusterUID, Namespace: machine.Namespace, VMName: machine.Status.VMName,
		VMUID: machine.Status.MachineID,
	}}
}

func broken(reason, format string, args ...any) Reading {
	return Reading{Standing: Broken, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// ConfirmedBy reports whether a VirtualMachine confirms a ledger: no controller owns it, it carries
// the Machine's labels, and the nonce or the UID that the ledger names. Whoever can write a Machine
// cannot write that.
func (s Subject) ConfirmedBy(ledger vitistackv1alpha1.Ledger, vm Sighting) bool {
	if vm.Controlled || vm.Name != ledger.VMName || !s.labelled(vm.Labels) {
		return false
	}
	if ledger.VMUID != "" {
		return string(vm.UID) == ledger.VMUID
	}
	return ledger.Nonce != "" && vm.Nonce == ledger.Nonce
}

// References are what a Machine asks for: spec.kubevirtConfigRef.name and the annotation
// vitistack.io/kubevirt-config. "" is nothing.
func References(machine *vitistackv1alpha1.Machine) [2]string {
	field := ""
	if machine.Spec.KubevirtConfigRef != nil {
		field = machine.Spec.KubevirtConfigRef.Name
	}
	return [2]string{field, machine.Annotations[vitistackv1alpha1.AnnotationKubevirtConfig]}
}
