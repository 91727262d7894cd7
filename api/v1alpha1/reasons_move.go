package v1alpha1

// Reasons of the conditions of a MachineMove or Evacuation. A refusal keeps the reason that a
// Machine would have had.
const (
	// ReasonMoved: the Machine is at the target, and nothing is left of the move.
	ReasonMoved = "Moved"
	// ReasonEvacuated: none of the chosen Machines is left in the cluster.
	ReasonEvacuated = "Evacuated"
	// ReasonMoveUnderWay: another move of the Machine is under way, or as many of its Evacuation as may
	// be. This one begins when that is over.
	ReasonMoveUnderWay = "MoveUnderWay"
	// ReasonSourceStopping: the guest shuts down in the source cluster.
	ReasonSourceStopping = "SourceStopping"
	// ReasonExporting: the source cluster prepares to offer the disks.
	ReasonExporting = "Exporting"
	// ReasonCopying: the target cluster fetches the disks.
	ReasonCopying = "Copying"
	// ReasonTargetStarting: the Machine is at the target, and its guest starts there.
	ReasonTargetStarting = "TargetStarting"
	// ReasonCleaningUp: what is left in the source cluster is being deleted.
	ReasonCleaningUp = "CleaningUp"
	// ReasonSourceSilent: the source cluster gives no answer, and nothing may be decided on its
	// silence.
	ReasonSourceSilent = "SourceSilent"
	// ReasonTargetSilent: the target cluster gives no answer.
	ReasonTargetSilent = "TargetSilent"
	// ReasonMachineNotFound: there is no Machine of that name in the namespace.
	ReasonMachineNotFound = "MachineNotFound"
	// ReasonNoVirtualMachine: the Machine has no virtual machine that could be moved.
	ReasonNoVirtualMachine = "NoVirtualMachine"
	// ReasonSameCluster: the target is the cluster in which the Machine is, perhaps under another
	// KubevirtConfig.
	ReasonSameCluster = "SameCluster"
	// ReasonTargetNotReady: the Machine cannot run in the target cluster.
	ReasonTargetNotReady = "TargetNotReady"
	// ReasonNoTarget: no cluster is ready for the Machine.
	ReasonNoTarget = "NoTarget"
	// ReasonCannotMove: the virtual machine has something that cannot go to another cluster.
	ReasonCannotMove = "CannotMove"
	// ReasonExportUnavailable: the source cluster cannot offer disks to another cluster.
	ReasonExportUnavailable = "ExportUnavailable"
	// ReasonSourceStarted: somebody started the source while its disks were copied, so that the copy is
	// older.
	ReasonSourceStarted = "SourceStarted"
	// ReasonSourceGone: the virtual machine is gone from the source cluster.
	ReasonSourceGone = "SourceGone"
	// ReasonTargetGone: the virtual machine is gone from the target cluster after the Machine was
	// placed there.
	ReasonTargetGone = "TargetGone"
	// ReasonMoveUndecided: what both clusters show contradicts the record, so that nothing is stopped,
	// started or deleted.
	ReasonMoveUndecided = "MoveUndecided"
	// ReasonTimedOut: a step took longer than spec.timeouts allows, and the move was given up.
	ReasonTimedOut = "TimedOut"
	// ReasonMoveAborted: the move was given up, and the Machine is where it was.
	ReasonMoveAborted = "MoveAborted"
	// ReasonImportFailing: a disk cannot be fetched at the moment. It is tried again.
	ReasonImportFailing = "ImportFailing"
	// ReasonDisksDiffer: a disk at the target is not what the source offered.
	ReasonDisksDiffer = "DisksDiffer"
	// ReasonMoveFailed: a move of the evacuation has failed.
	ReasonMoveFailed = "MoveFailed"
	// ReasonEvacuating: Machines are on their way.
	ReasonEvacuating = "Evacuating"
	// ReasonEvacuationPaused: spec.paused is set.
	ReasonEvacuationPaused = "EvacuationPaused"
	// ReasonMachinesStay: Machines cannot be moved.
	ReasonMachinesStay = "MachinesStay"
)

// moveReasons say what the reasons above mean.
var moveReasons = []ReasonInfo{
	{Reason: ReasonMoved, MoveConditions: moveConditions, Good: true},
	{Reason: ReasonEvacuated, MoveConditions: moveConditions, Good: true},
	{
		Reason: ReasonMoveUnderWay, MoveConditions: moveConditions, Acts: ActorTime,
		Help: "it begins by itself; delete it where it is not wanted any more",
	},
	{
		Reason: ReasonSourceStopping, MoveConditions: moveConditions, Acts: ActorCluster,
		Help: "it ends when the instance and its Pods are gone, or with spec.timeouts.stop",
	},
	{
		Reason: ReasonExporting, MoveConditions: moveConditions, Acts: ActorCluster,
		Help: "it ends when KubeVirt's VirtualMachineExport is ready, or with spec.timeouts.export",
	},
	{
		Reason: ReasonCopying, MoveConditions: moveConditions, Acts: ActorCluster,
		Help: "it ends when all DataVolumes there have succeeded, or with spec.timeouts.copy",
	},
	{
		Reason: ReasonTargetStarting, MoveConditions: moveConditions, Acts: ActorCluster,
		Help: "it ends when the guest runs; the Machine's conditions say what keeps it",
	},
	{
		Reason: ReasonCleaningUp, MoveConditions: moveConditions, Acts: ActorCluster,
		Help: "it ends when all is gone; the message names what is left",
	},
	{
		Reason: ReasonSourceSilent, MoveConditions: moveConditions, Acts: ActorCluster,
		Help: "it goes on when the cluster answers",
	},
	{
		Reason: ReasonTargetSilent, MoveConditions: moveConditions, Acts: ActorCluster,
		Help: "it goes on when the cluster answers; spec.abort gives the move up",
	},
	{
		Reason: ReasonMachineNotFound, MoveConditions: moveConditions, Acts: ActorPerson,
		Help: "create the MachineMove beside its Machine, with its name",
	},
	{
		Reason: ReasonNoVirtualMachine, MoveConditions: moveConditions, Acts: ActorPerson,
		Help: "wait until the Machine is placed and its virtual machine is there, then make a new MachineMove",
	},
	{
		Reason: ReasonSameCluster, MoveConditions: moveConditions, Acts: ActorPerson,
		Help: "name another cluster",
	},
	{
		Reason: ReasonTargetNotReady, MoveConditions: moveConditions, Acts: ActorPerson,
		Help: "do what the message says, or name another cluster: kubectl machine fits shows which ones would do",
	},
	{
		Reason: ReasonNoTarget, MoveConditions: moveConditions, Acts: ActorPerson,
		Help: "kubectl machine fits shows what each one lacks",
	},
	{
		Reason: ReasonCannotMove, MoveConditions: moveConditions, Acts: ActorPerson,
		Help: "take off what the message names, or leave the Machine where it is",
	},
	{
		Reason: ReasonExportUnavailable, MoveConditions: moveConditions, Acts: ActorPerson,
		Help: "let the source cluster offer them, as deploy/docs/move.md says",
	},
	{
		Reason: ReasonSourceStarted, MoveConditions: moveConditions, Acts: ActorPerson,
		Help: "stop the source; where the message asks for it, spec.keep says which copy counts",
	},
	{
		Reason: ReasonSourceGone, MoveConditions: moveConditions, Acts: ActorPerson,
		Help: "find out who deleted it; where the message asks for it, spec.keep: Target goes on with the copy",
	},
	{
		Reason: ReasonTargetGone, MoveConditions: moveConditions, Acts: ActorPerson,
		Help: "find out who deleted it; spec.keep: Source goes back to the source's disks",
	},
	{
		Reason: ReasonMoveUndecided, MoveConditions: moveConditions, Acts: ActorPerson,
		Help: "look at both virtual machines; spec.keep says which copy counts",
	},
	{
		Reason: ReasonTimedOut, MoveConditions: moveConditions, Acts: ActorPerson,
		Help: "mend what the message names and make a new MachineMove, with longer timeouts where it was only slow",
	},
	{
		Reason: ReasonMoveAborted, MoveConditions: moveConditions, Acts: ActorPerson,
		Help: "make a new MachineMove where it is still wanted",
	},
	{
		Reason: ReasonImportFailing, MoveConditions: moveConditions, Acts: ActorCluster,
		Help: "mend what the message names; spec.timeouts.copy gives the move up",
	},
	{
		Reason: ReasonDisksDiffer, MoveConditions: moveConditions, Acts: ActorPerson,
		Help: "the move is given up; look for what changes the disk, and make a new MachineMove",
	},
	{
		Reason: ReasonMoveFailed, MoveConditions: moveConditions, Acts: ActorPerson,
		Help: "look at the MachineMoves that the message names, mend what they say, and delete them to go on",
	},
	{
		Reason: ReasonEvacuating, MoveConditions: moveConditions, Acts: ActorCluster,
		Help: "it ends by itself",
	},
	{
		Reason: ReasonEvacuationPaused, MoveConditions: moveConditions, Acts: ActorPerson,
		Help: "set spec.paused to false",
	},
	{
		Reason: ReasonMachinesStay, MoveConditions: moveConditions, Acts: ActorPerson,
		Help: "status.stays says which, why, and what to do",
	},
}

var moveConditions = []string{ConditionReady, ConditionStalled}
