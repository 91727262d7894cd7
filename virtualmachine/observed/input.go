package observed

import (
	"time"

	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Input is what a reconcile found out about one Machine.
type Input struct {
	// Machine with the status that it has.
	Machine *vitistackv1alpha1.Machine
	// Ledger says where the Machine is placed, nil where it is not or where the ledger cannot be read.
	Ledger *vitistackv1alpha1.Ledger
	// Adopted says that this reconcile took over an existing VirtualMachine.
	Adopted bool

	// Reached is the last step that was begun.
	Reached Step
	// Problems are what was met, in the order of the steps. The first decides what Ready says, but for loss of contact, which always does.
	Problems []Problem

	// Looked says that the remote cluster answered about the VirtualMachine, with authority: nil in VM then means that there is none.
	// Without it VM and VMI are ignored, and everything known about them stays as it was: silence is not absence.
	Looked bool
	// VM is the VirtualMachine, nil where there is none.
	VM *kubevirtv1.VirtualMachine
	// VMI is its running instance, nil where there is none.
	VMI *kubevirtv1.VirtualMachineInstance
	// DataVolumes are those of its disks, as far as they are known.
	DataVolumes []cdiv1beta1.DataVolume
	// NetworkConfiguration of the Machine, nil where there is none. It counts with IPSourceNetworkConfiguration.
	NetworkConfiguration *vitistackv1alpha1.NetworkConfiguration

	// Options of the operator.
	Options Options
	// Now is the current time, for the times in the status.
	Now time.Time
}

// Step is a step of a reconcile.
type Step int

// The steps, in their order.
const (
	// StepPlace chooses the remote cluster.
	StepPlace Step = iota
	// StepRemote gets the client of it.
	StepRemote
	// StepNetwork prepares the network.
	StepNetwork
	// StepStorage prepares the disks.
	StepStorage
	// StepVM creates or changes the VirtualMachine.
	StepVM
	// StepObserve reads what became of it.
	StepObserve
)

// Problem is something that keeps a Machine from being what it should be.
type Problem struct {
	// Condition is the type of the condition that it makes False. "" or Ready is for what concerns no other condition.
	Condition string
	// Reason is one of the reasons of package v1alpha1.
	Reason string
	// Message is a sentence for people: stable while the problem lasts, so without times and counters, and without anything of a Secret.
	Message string
	// Blocked says that nothing will change until a person acts. Else the problem passes by itself or by trying again.
	Blocked bool
	// Since is when contact was lost, for problems of RemoteReachable: they are reported only after Options.Hold. Zero means long ago.
	Since time.Time
}

// IPSource is where a Machine's public addresses are read.
type IPSource string

// The sources of addresses (IP_SOURCE).
const (
	// IPSourceVMI reads them from the running instance. It is the default.
	IPSourceVMI IPSource = "vmi"
	// IPSourceNetworkConfiguration reads them from the NetworkConfiguration.
	IPSourceNetworkConfiguration IPSource = "networkconfiguration"
)

// DefaultHold is how long contact must be lost before Machines say so.
const DefaultHold = 30 * time.Second

// Options are the operator's settings. The zero value works.
type Options struct {
	// IPSource is where public addresses are read (IP_SOURCE). "" means IPSourceVMI.
	IPSource IPSource
	// Hold is how long contact must be lost before Machines say so. 0 means DefaultHold, less than 0 none.
	Hold time.Duration
}

// HoldRemaining is after how long the status says that contact is lost, where it does not say so yet: the caller should come back then.
// 0 means that there is nothing to come back for.
func HoldRemaining(in Input) time.Duration {
	in.Now = in.Now.Truncate(time.Second) // as Status has it: else both would wait for the other in the second in which the hold ends
	contact := newReport(in).contact
	if contact == nil || contact.Since.IsZero() || !in.held(*contact) {
		return 0
	}
	return in.hold() - in.Now.Sub(contact.Since)
}

func (in Input) hold() time.Duration {
	if in.Options.Hold == 0 {
		return DefaultHold
	}
	return in.Options.Hold
}

// held says whether a loss of contact is too young to be told. One that a person must end is none that passes, and one that was told
// already stays told.
func (in Input) held(contact Problem) bool {
	if contact.Blocked || hasStatus(in.Machine.Status, vitistackv1alpha1.ConditionRemoteReachable, isFalse) {
		return false
	}
	if contact.Reason == vitistackv1alpha1.ReasonConnecting {
		return true
	}
	return !contact.Since.IsZero() && in.Now.Sub(contact.Since) < in.hold()
}

// deleting says whether the Machine is being deleted.
func (in Input) deleting() bool { return !in.Machine.DeletionTimestamp.IsZero() }
