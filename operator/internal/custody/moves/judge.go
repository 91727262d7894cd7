package moves

import (
	"cmp"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Next judges what is to be done next.
func (c Case) Next() Next {
	switch c.Record.Stage {
	case vitistackv1alpha1.MoveCommitted:
		return c.committed()
	case vitistackv1alpha1.MoveAborting:
		return c.aborting()
	default:
		return c.begun()
	}
}

func act(a Act) Next { return Next{Act: a} }

func wait(reason string, keep ...vitistackv1alpha1.MoveSide) Next {
	return Next{Act: Wait, Reason: reason, Keep: keep}
}

func giveUp(reason string) Next { return Next{Act: GiveUp, Reason: reason} }

// begun: the source is stopped and copied.
func (c Case) begun() Next {
	switch {
	case c.Target.Lifted && !c.Target.Silent: // a later self committed this move, and its record was lost
		return act(Commit)
	case c.Wish.Deleting:
		return giveUp(vitistackv1alpha1.ReasonMoveAborted)
	case c.Wish.GiveUp:
		return giveUp(cmp.Or(c.Wish.Reason, vitistackv1alpha1.ReasonMoveAborted))
	case c.Source.Silent:
		return wait(vitistackv1alpha1.ReasonSourceSilent)
	case c.Target.Silent: // it may have a copy, and the source would look as if it had never run since
		return wait(vitistackv1alpha1.ReasonTargetSilent)
	case !c.Source.There:
		return c.orphaned()
	case c.restarted():
		return giveUp(vitistackv1alpha1.ReasonSourceStarted)
	case !c.Source.Halted || !c.Source.Stopped:
		return act(Stop)
	case c.Source.Busy:
		return wait(vitistackv1alpha1.ReasonSourceStopping)
	default:
		return c.copying()
	}
}

// restarted reports whether somebody started the source after this move stopped it: what is at the
// target is older than what the source has.
func (c Case) restarted() bool {
	if c.Target.There {
		return !c.off()
	}
	return c.Source.Stopped && !c.Source.Halted
}

// off reports whether the source is off, and has been since its disks began to be copied.
func (c Case) off() bool {
	return c.Source.Halted && c.Source.Stopped && !c.Source.Busy && c.Source.Fence == c.Target.Fence
}

func (c Case) copying() Next {
	switch {
	case c.Target.There && c.Target.Withdrawn:
		return giveUp(vitistackv1alpha1.ReasonMoveUndecided)
	case c.Target.There && c.Target.Copy == Whole:
		return act(Commit)
	case c.Target.There && c.Target.Copy == Wrong:
		return giveUp(vitistackv1alpha1.ReasonDisksDiffer)
	case c.Target.Taken:
		return giveUp(vitistackv1alpha1.ReasonNameCollision)
	case !c.Source.Offered:
		return act(Offer)
	case !c.Source.Ready:
		return wait(vitistackv1alpha1.ReasonExporting)
	case !c.Target.There:
		return act(Make)
	default:
		return wait(vitistackv1alpha1.ReasonCopying)
	}
}

// orphaned: the source's VirtualMachine is gone. A whole copy is the only one that is left.
func (c Case) orphaned() Next {
	if c.whole() {
		return act(Commit)
	}
	return giveUp(vitistackv1alpha1.ReasonSourceGone)
}

// whole reports whether the target has a copy that can be the Machine's.
func (c Case) whole() bool { return c.Target.There && c.Target.Copy == Whole }

// committed: the Machine is at the target.
func (c Case) committed() Next {
	switch {
	case c.Target.Silent && !c.Wish.Deleting:
		return wait(vitistackv1alpha1.ReasonTargetSilent)
	case !c.Target.There && !c.Wish.Deleting:
		return c.bereft()
	case c.Target.Withdrawn && !c.Wish.Deleting && !c.Record.Final && (c.Source.There || c.Source.Silent):
		return giveUp(vitistackv1alpha1.ReasonSourceStarted)
	case c.Wish.Deleting, c.Target.Lifted:
		return c.moved()
	case c.Target.Withdrawn && !c.Record.Final: // the source is gone since
		return act(Settle)
	case !c.Source.Silent && c.Source.There && !c.off() && !c.Record.Final:
		return act(Withdraw)
	default: // a silent source is kept off by its own run strategy
		return act(Lift)
	}
}

// bereft: the target's VirtualMachine is gone after the Machine was placed there. Whether it ever
// ran nobody can tell, so that a person has to say that the source's disks are to count again.
func (c Case) bereft() Next {
	switch {
	case c.Source.Silent:
		return wait(vitistackv1alpha1.ReasonTargetGone)
	case c.Source.There && c.Wish.Keep == vitistackv1alpha1.MoveSideSource:
		return giveUp(vitistackv1alpha1.ReasonTargetGone)
	case c.Source.There:
		return wait(vitistackv1alpha1.ReasonTargetGone, vitistackv1alpha1.MoveSideSource)
	case !c.Buried:
		return act(Bury)
	default: // both are gone: the Machine's own conditions say what helps
		return c.cleared()
	}
}

// moved: the guest runs at the target, or is about to. What is left of the source goes.
func (c Case) moved() Next {
	waits := c.Record.Ran && !c.Target.Running && !c.Target.Halted && !c.Wish.Deleting
	switch {
	case c.Source.Silent && waits:
		return wait(vitistackv1alpha1.ReasonTargetStarting)
	case c.Source.Silent && !c.Owed:
		return act(Owe)
	case c.Source.Silent && c.Target.Left:
		return act(Tidy)
	case c.Source.Silent:
		return act(End)
	case c.Source.There && !c.Source.Halted:
		return act(Stop)
	case c.Source.There && c.Source.Busy:
		return wait(vitistackv1alpha1.ReasonSourceStopping)
	case c.Source.There && !c.mayClear():
		return wait(vitistackv1alpha1.ReasonSourceStarted, vitistackv1alpha1.MoveSideTarget)
	case waits:
		return wait(vitistackv1alpha1.ReasonTargetStarting)
	case !c.Buried: // one that is gone may come back from a backup
		return act(Bury)
	case c.Source.There || c.Source.Left:
		return act(Clear)
	default:
		return c.cleared()
	}
}

// mayClear reports whether the source has nothing that the target lacks.
func (c Case) mayClear() bool {
	return c.Wish.Deleting || c.Wish.Keep == vitistackv1alpha1.MoveSideTarget ||
		c.Source.Stopped && c.Source.Fence == c.Target.Fence
}

// cleared: only what the move needed is left, if anything.
func (c Case) cleared() Next {
	if c.Source.Offered || c.Target.Left {
		return act(Tidy)
	}
	return act(End)
}

// aborting: the Machine stays where it was. The copy goes only while its original is seen.
func (c Case) aborting() Next {
	switch {
	case c.Target.Lifted && !c.Target.Silent:
		return act(Commit)
	case c.Source.Silent && !c.Wish.Deleting:
		return wait(vitistackv1alpha1.ReasonSourceSilent)
	case !c.Source.Silent && !c.Source.There && c.Target.Silent && !c.Wish.Deleting:
		return wait(vitistackv1alpha1.ReasonTargetSilent)
	case !c.Source.Silent && !c.Source.There && c.whole() && !c.Wish.Deleting:
		return act(Commit)
	case !c.Target.Silent && c.Target.There:
		return act(Unmake)
	case c.Source.Offered:
		return act(Tidy)
	case !c.Source.Silent && c.Source.There && !c.Source.Over: // what a silent target has is never started
		return act(Restore)
	default:
		return c.cleared()
	}
}
