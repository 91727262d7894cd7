package moves_test

import (
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody/moves"
)

// The model explores every order in which the steps of a move, crashes of the operator, silences,
// restored backups and people's hands can follow each other, with the judge itself in it. A state is
// a value without pointers, so that Go's maps tell equal ones.
//
// Taken for granted: writes carry UID and resourceVersion; a call that was sent ends before a person
// or a backup tool does the next thing, but a process that sleeps before a call may wake up at any
// time; a restored backup brings objects back and not the contents of volumes that were deleted.

// vm is a VirtualMachine with its disks.
type vm struct {
	there bool
	run   bool  // its run strategy starts it
	up    bool  // an instance is there
	gen   uint8 // metadata.generation
	data  uint8 // the version of what is on its disks, 0 for nothing whole
	disks bool  // the disks are there
	uid   uint8 // target

	stopped, over     bool  // source: stopped by this move, and done with
	token             uint8 // source: of the stop
	fence             uint16
	lifted, withdrawn bool // target
	fed               bool // target: what its disks are fetched with is there
}

// fenceNow is what tells the present stop of a source from every other.
func (v vm) fenceNow() uint16 { return uint16(v.token)<<8 | uint16(v.gen) }

func fenceText(fence uint16) string { return string(rune(fence)) }

func (v vm) on() bool { return v.there && (v.run || v.up) }

type stage uint8

const (
	none stage = iota
	begun
	committed
	aborting
)

// pass is what an operator has in hand between its look and its write. The stale bits say that an
// object was written since the look, so that a guarded write fails.
type pass struct {
	act                          moves.Act
	fence                        uint16
	uid                          uint8
	staleMachine, staleA, staleB bool
	ran                          bool
}

// state is everything at one moment.
type state struct {
	a, b           vm
	backupA        vm
	stage          stage
	atTarget       bool // the ledger names the target
	final          bool
	started        bool // the record was written once
	ran            bool
	offered        bool // the source offers its disks
	silent         [2]bool
	buried         bool
	toUID          uint8 // of the target, by the record
	uids           uint8 // given at the target
	owed           bool
	owedFence      uint16
	tokens         uint8 // of stops, given
	giveUp         bool
	deleting, gone bool
	keep           uint8 // 1 the source, 2 the target
	cloneA, cloneB bool  // a person's copies with the Machine's labels
	newest         uint8
	done           uint16 // the rare things that have happened
	passes         [2]pass
}

// The rare things, each at most once in a history.
const (
	startedByHand uint16 = 1 << iota
	stoppedByHand
	sourceDeletedByHand
	targetDeletedByHand
	gaveUp
	machineDeleted
	sourceRestored
	targetRestored
	kept
)

func (s *state) has(rare uint16) bool { return s.done&rare != 0 }

// touch marks what was written as stale for all passes but one.
func (s *state) touch(what rune, but int) {
	for i := range s.passes {
		if i == but || s.passes[i].act == "" {
			continue
		}
		switch what {
		case 'M':
			s.passes[i].staleMachine = true
		case 'A':
			s.passes[i].staleA = true
		case 'B':
			s.passes[i].staleB = true
		}
	}
}

// initial is a Machine at the source whose guest runs, and a move that is wished.
func initial() state {
	a := vm{there: true, run: true, up: true, gen: 1, data: 1, disks: true}
	return state{a: a, backupA: a, newest: 1, cloneA: true, cloneB: true}
}

// caseOf is what a look shows.
func (s *state) caseOf() moves.Case {
	record := vitistackv1alpha1.MoveRecord{Ran: s.ran, Was: "Always", Final: s.final}
	switch s.stage {
	case committed:
		record.Stage = vitistackv1alpha1.MoveCommitted
	case aborting:
		record.Stage = vitistackv1alpha1.MoveAborting
	default:
		record.Stage = vitistackv1alpha1.MoveBegun
	}
	c := moves.Case{
		Record: record,
		Wish:   moves.Wish{GiveUp: s.giveUp, Deleting: s.deleting},
		Buried: s.buried,
	}
	switch s.keep {
	case 1:
		c.Wish.Keep = vitistackv1alpha1.MoveSideSource
	case 2:
		c.Wish.Keep = vitistackv1alpha1.MoveSideTarget
	}
	c.Source = moves.Source{Silent: s.silent[0]}
	if !s.silent[0] {
		c.Source = moves.Source{There: s.a.there, Offered: s.offered, Ready: s.offered, Left: s.a.disks && !s.a.there}
		if s.a.there {
			c.Source.Halted, c.Source.Stopped, c.Source.Over, c.Source.Busy = !s.a.run, s.a.stopped, s.a.over, s.a.up
			c.Source.Fence = fenceText(s.a.fenceNow())
		}
	}
	c.Target = moves.Target{Silent: s.silent[1]}
	if !s.silent[1] {
		there := s.b.there && (s.stage != committed || s.b.uid == s.toUID)
		fed := s.b.fed && there && s.stage == committed && !c.Source.There
		c.Target = moves.Target{There: there, Left: s.b.disks && !s.b.there || fed, Taken: s.b.there && !there}
		if there {
			c.Target.Fence, c.Target.Lifted, c.Target.Withdrawn = fenceText(s.b.fence), s.b.lifted, s.b.withdrawn
			c.Target.Halted, c.Target.Running = !s.b.run, s.b.up
			if s.b.data != 0 {
				c.Target.Copy = moves.Whole
			}
		}
	}
	c.Owed = s.owed
	return c
}
