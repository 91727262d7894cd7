package moves_test

import (
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody/moves"
)

// operator does what the judge says. A mutant changes one thing of it.
type operator struct {
	next func(moves.Case) moves.Next
	rare int // how many rare things happen in a history at most
	// A mistake is found sooner where clusters answer always, and where no operator sleeps.
	calm, alone bool
	// withoutFeed leaves out what the target's disks are fetched with: it doubles the states.
	withoutFeed bool

	unguardedRecord bool // writes the record over whatever is there
	unguardedLift   bool // starts the target whatever was written to it since
	deletesByLabel  bool // deletes whatever carries the labels
	forgetsGrave    bool // deletes the source without remembering it
	lateFence       bool // takes the fence from the source as it is at the commit
	paysBlindly     bool // a debt deletes whatever generation the source has
	leavesOffer     bool // a debt deletes the source, and not what its disks were offered with
}

// look is the first half of a pass: it reads both sides and decides.
func (o operator) look(s state) (pass, moves.Next) {
	if s.stage == none {
		if s.started || s.giveUp || s.deleting || !s.a.there || s.silent[0] || s.silent[1] {
			return pass{}, moves.Next{}
		}
		return pass{act: "Begin", ran: s.a.on()}, moves.Next{}
	}
	c := s.caseOf()
	next := o.next(c)
	p := pass{act: next.Act}
	switch next.Act {
	case moves.Make:
		p.fence = s.a.fenceNow()
	case moves.Commit:
		p.uid = s.b.uid
	}
	return p, next
}

// write is the second half. ok is false where the guard fails or the cluster does not answer.
func (o operator) write(s *state, slot int) (broken string) {
	p := s.passes[slot]
	s.passes[slot] = pass{}
	switch p.act {
	case "Begin", moves.Commit, moves.Settle, moves.GiveUp, moves.End:
		return o.record(s, p, slot)
	case moves.Stop, moves.Offer, moves.Clear, moves.Restore:
		return o.atSource(s, p, slot)
	case moves.Make, moves.Withdraw, moves.Lift, moves.Unmake:
		return o.atTarget(s, p, slot)
	case moves.Bury:
		s.buried = true
	case moves.Owe:
		s.owed, s.buried, s.owedFence = true, true, s.b.fence
	case moves.Tidy:
		if !s.silent[0] {
			s.offered = false
		}
		if !s.silent[1] {
			s.b.fed = false
			if !s.b.there {
				s.b.disks, s.b.data = false, 0
			}
		}
	}
	return ""
}

func (o operator) record(s *state, p pass, slot int) string {
	if s.gone || p.staleMachine && !o.unguardedRecord {
		return ""
	}
	s.touch('M', slot)
	switch p.act {
	case "Begin":
		s.stage, s.started, s.ran = begun, true, p.ran
	case moves.Commit:
		s.stage, s.atTarget, s.toUID, s.final = committed, true, p.uid, s.stage == aborting
		s.b.fed = s.b.there && !o.withoutFeed // before that it makes no difference, and only more states
		if o.lateFence {
			s.b.fence = s.a.fenceNow()
		}
	case moves.Settle:
		s.final = true
	case moves.GiveUp:
		s.stage, s.atTarget = aborting, false
	case moves.End:
		s.stage = none
	}
	return ""
}

func (o operator) atSource(s *state, p pass, slot int) string {
	if s.silent[0] {
		return ""
	}
	switch p.act {
	case moves.Offer:
		s.offered = s.offered || s.a.there && !p.staleMachine
		return ""
	case moves.Clear:
		if o.deletesByLabel {
			s.cloneA = false
		}
		if o.forgetsGrave {
			s.buried = false
		}
		if !s.a.there {
			s.a.disks, s.a.data = false, 0
			return ""
		}
	}
	if !s.a.there || p.staleA {
		return ""
	}
	s.touch('A', slot)
	switch p.act {
	case moves.Stop:
		if s.a.run {
			s.a.gen++
		}
		s.tokens++
		s.a.run, s.a.stopped, s.a.token = false, true, s.tokens
	case moves.Clear:
		s.a = vm{disks: true, data: s.a.data}
	case moves.Restore:
		if !s.a.run && s.ran {
			s.a.run = true
			s.a.gen++
		}
		s.a.stopped, s.a.over, s.a.token = false, true, 0
	}
	return ""
}

func (o operator) atTarget(s *state, p pass, slot int) string {
	if s.silent[1] {
		return ""
	}
	if p.act == moves.Make {
		if s.b.there { // AlreadyExists
			return ""
		}
		s.touch('B', slot)
		s.uids++
		s.b = vm{there: true, gen: 1, fence: p.fence, disks: true, uid: s.uids}
		return ""
	}
	if p.act == moves.Unmake && o.deletesByLabel {
		s.cloneB = false
	}
	if !s.b.there || p.staleB && (!o.unguardedLift || p.act != moves.Lift) {
		return ""
	}
	s.touch('B', slot)
	switch p.act {
	case moves.Withdraw:
		s.b.withdrawn = true
	case moves.Lift:
		s.b.lifted, s.b.withdrawn, s.b.run = true, false, s.ran
	case moves.Unmake:
		s.b = vm{disks: true, data: s.b.data}
	}
	return ""
}

// others do what belongs to other controllers of the operator: debts are paid, and what a tombstone
// names is kept off. paid says that something was done.
func (o operator) others(s *state) (what string) {
	switch {
	case s.buried && !s.silent[0] && s.a.there && s.a.run && s.stage == none && s.atTarget:
		s.a.run, s.a.stopped, s.a.token = false, false, 0
		s.a.gen++
		s.touch('A', -1)
		return "a tombstone stops the source"
	case s.owed && !s.silent[0] && s.stage == none && s.atTarget:
		switch {
		case s.a.there && s.a.on():
			return ""
		case s.a.there && (!s.a.stopped || s.a.fenceNow() != s.owedFence) && !o.paysBlindly && !s.gone:
			return "" // a person has to say which counts
		case !s.gone && (s.silent[1] || !s.b.there || s.b.uid != s.toUID) && !o.paysBlindly:
			return "" // what is owed may be the last copy
		}
		s.owed, s.offered = false, s.offered && o.leavesOffer
		s.a = vm{}
		return "the debt to the source is paid"
	case !s.silent[1] && s.b.there && !s.b.lifted && s.stage == none && !s.atTarget:
		s.b = vm{}
		s.touch('B', -1)
		return "what was never started is deleted"
	}
	return ""
}
