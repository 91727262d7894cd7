package moves

import (
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Case is everything that the next step rests on.
type Case struct {
	Record vitistackv1alpha1.MoveRecord
	Wish   Wish
	Source Source
	Target Target
	// Buried says that the source's VirtualMachine is remembered as one that must never run again.
	Buried bool
	// Owed says that what is left in the silent source cluster is written down as a debt.
	Owed bool
}

// Wish is what people want.
type Wish struct {
	// GiveUp says that the move is not wanted any more, and Reason why.
	GiveUp bool
	Reason string
	// Deleting says that the Machine is being deleted.
	Deleting bool
	// Keep is the side whose disks count, by a person's word. "" is none.
	Keep vitistackv1alpha1.MoveSide
}

// Source is what a live look saw in the source cluster.
type Source struct {
	// Silent says that it gave no answer; nothing else counts then.
	Silent bool
	// There says that the VirtualMachine of the record is there, by its UID.
	There bool
	// Halted says that its run strategy keeps it off, Stopped that this move stopped it, and Over that
	// this move has done with it, so that no call of a process that slept can reach it any more.
	Halted, Stopped, Over bool
	// Fence tells one stop of it from every other: a token of that stop, and the metadata.generation,
	// which changes when somebody starts it. A restored backup takes the generation back, and not the
	// token.
	Fence string
	// Busy says that an instance or a Pod of it is left.
	Busy bool
	// Offered says that the disks are offered for this move, and Ready that they can be fetched.
	Offered, Ready bool
	// Left says that disks or other things of the record are left there.
	Left bool
}

// Target is what a live look saw in the target cluster.
type Target struct {
	// Silent says that it gave no answer; nothing else counts then.
	Silent bool
	// There says that the VirtualMachine that this move made is there.
	There bool
	// Taken says that the name belongs to another one.
	Taken bool
	// Fence is the source's that it carries; Lifted says that it may run, Withdrawn that it never will.
	Fence             string
	Lifted, Withdrawn bool
	// Halted says that its run strategy keeps it off, Running that the guest runs.
	Halted, Running bool
	// Copy is how far its disks are.
	Copy Copy
	// Left says that disks or other things of this move are left there without it.
	Left bool
}

// Copy is how far the disks of the target are.
type Copy int

// How far the disks are.
const (
	// Copying: some disk is not there yet.
	Copying Copy = iota
	// Whole: all disks are there, and have the sizes that the source offered.
	Whole
	// Wrong: a disk is there and is not what was offered.
	Wrong
)

// Act is what is to be done next.
type Act string

// The acts.
const (
	// Wait: nothing, until something changes.
	Wait Act = "Wait"
	// Stop the source: its run strategy becomes Halted.
	Stop Act = "Stop"
	// Offer the source's disks.
	Offer Act = "Offer"
	// Make the VirtualMachine at the target, off, with the source's fence.
	Make Act = "Make"
	// Commit: the record says that the Machine is at the target.
	Commit Act = "Commit"
	// Settle: the record says that the Machine does not go back any more.
	Settle Act = "Settle"
	// Withdraw the target's fence: it is never started.
	Withdraw Act = "Withdraw"
	// Lift the target's fence: its run strategy becomes what the source's was.
	Lift Act = "Lift"
	// GiveUp: the record says that the Machine stays where it was.
	GiveUp Act = "GiveUp"
	// Bury the source: it is remembered as one that must never run again.
	Bury Act = "Bury"
	// Clear the source: its VirtualMachine and disks are deleted.
	Clear Act = "Clear"
	// Owe writes down what is to be deleted at the source once that answers.
	Owe Act = "Owe"
	// Unmake the target: its VirtualMachine and disks are deleted.
	Unmake Act = "Unmake"
	// Restore the source: its run strategy becomes what it was, and this move is over for it.
	Restore Act = "Restore"
	// Tidy away what only the move needed, in both clusters.
	Tidy Act = "Tidy"
	// End: the record goes.
	End Act = "End"
)

// Next is the next step.
type Next struct {
	Act Act
	// Reason is why it waits, or why the move is given up: one of the reasons of a MachineMove.
	Reason string
	// Keep are the sides that a person may choose to end the waiting.
	Keep []vitistackv1alpha1.MoveSide
}
