package observed

import (
	"cmp"
	"time"

	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Input is what a reconcile found out about one Machine.
type Input struct {
	// Machine with the status that it has.
	Machine *vitistackv1alpha1.Machine
	// Ledger says where the Machine is placed, nil where it is not or where the ledger cannot be
	// read.
	Ledger *vitistackv1alpha1.Ledger
	// Adopted says that this reconcile took over an existing VirtualMachine.
	Adopted bool

	// Applied says that the reconcile reached its end: all that the Machine's spec asks for has
	// been written. Without it observedGeneration stays, and Ready is not True of a newer
	// generation.
	Applied bool
	// Reached is the last step that was begun.
	Reached Step
	// Problems are what was met, in the order of the steps. The first decides what Ready says, but
	// for loss of contact, which always does.
	Problems []Problem

	// Looked says that the remote cluster answered about the VirtualMachine, with authority: nil in
	// VM then means that there is none. Without it VM and VMI are ignored, and everything known
	// about them stays as it was: silence is not absence.
	Looked bool
	// VM is the VirtualMachine, nil where there is none.
	VM *kubevirtv1.VirtualMachine
	// VMI is its running instance, nil where there is none.
	VMI *kubevirtv1.VirtualMachineInstance
	// DataVolumes are those of its disks, as far as they are known.
	DataVolumes []cdiv1beta1.DataVolume
	// Network is what the supervisor knows about the Machine's network.
	Network Network
	// Released says that nothing holds the Machine's deletion: it was asked, and goes on.
	Released bool
	// Copies are objects that carry the Machine's labels and are not its own, for example
	// "VirtualMachine web-copy in cluster-east". They count where Looked is set.
	Copies []string

	// Options of the operator.
	Options Options
	// Now is the current time, for the times in the status.
	Now time.Time
}

// Network is what the supervisor knows about a Machine's network.
type Network struct {
	// Record is how the virtual machine is attached to networks. Without attachments no address is
	// waited for.
	Record vitistackv1alpha1.NetworkRecord
	// Configurations are the Machine's NetworkConfigurations.
	Configurations []vitistackv1alpha1.NetworkConfiguration
	// Static are the recorded interfaces that get their addresses from their NetworkNamespace. The
	// guests of all others ask for addresses themselves (DHCP).
	Static []string
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
	// Condition is the type of the condition that it makes False. "" means the one of its reason,
	// else Ready.
	Condition string
	// Reason is one of the reasons of package v1alpha1, or a strategy's own.
	Reason string
	// Message is a sentence for people. It is stable while the problem lasts, so without times and
	// counters, and it has nothing of a Secret.
	Message string
	// Acts is who ends it. "" means whom the reason names, else v1alpha1.ActorTime.
	Acts vitistackv1alpha1.Actor
	// Since is when it began: contact that was lost, or a call that is tried again, is reported
	// only after Options.Hold. The caller keeps it from one reconcile to the next. Zero means long
	// ago.
	Since time.Time
}

// Blocked says that nothing will change until a person acts.
func (p Problem) Blocked() bool { return p.acts() == vitistackv1alpha1.ActorPerson }

func (p Problem) acts() vitistackv1alpha1.Actor {
	return cmp.Or(p.Acts, p.info().Acts, vitistackv1alpha1.ActorTime)
}

// info is what the reason means. It is empty for a strategy's own reason.
func (p Problem) info() vitistackv1alpha1.ReasonInfo {
	info, _ := vitistackv1alpha1.InfoOf(p.Reason)
	return info
}

// fails says that a Machine without a virtual machine is Failed meanwhile.
func (p Problem) fails() bool {
	info, known := vitistackv1alpha1.InfoOf(p.Reason)
	return p.Blocked() && (info.FailsUnplaced || !known)
}

// IPSource is where a Machine's public addresses are read.
type IPSource string

// The sources of addresses (IP_SOURCE).
const (
	// IPSourceVMI reads them from the running instance. It is the default.
	IPSourceVMI IPSource = "vmi"
	// IPSourceNetworkConfiguration reads them from the NetworkConfigurations.
	IPSourceNetworkConfiguration IPSource = "networkconfiguration"
)

// DefaultHold is how long contact must be lost before Machines say so.
const DefaultHold = 30 * time.Second

// Options are the operator's settings. The zero value works.
type Options struct {
	// IPSource is where public addresses are read (IP_SOURCE). "" means IPSourceVMI.
	IPSource IPSource
	// Hold is how long contact must be lost, and how long a call must fail, before Machines say so;
	// and how long something must be wrong before an Event says so. 0 means DefaultHold, less than
	// 0 none.
	Hold time.Duration
}

func (o Options) hold() time.Duration {
	if o.Hold == 0 {
		return DefaultHold
	}
	return o.Hold
}

// deleting says whether the Machine is being deleted.
func (in Input) deleting() bool { return !in.Machine.DeletionTimestamp.IsZero() }
