package custody_test

import (
	"math/bits"
	"slices"
)

// The model explores every order in which an operator's writes, crashes, silent clusters and
// people's actions can follow each other, within bounds. The judge in it is the real one. States
// are values without pointers, so that Go's maps tell equal ones.
//
// What it takes for granted: a call that was sent ends before a person or a backup tool does the
// next thing; deleting a Machine is the exception. A paused process that has sent nothing may wake
// up at any time, but not after a backup of the supervisor was restored.

// Numbers of objects begin at one; zero is none. Clusters are counted from zero.
type (
	number  = uint8
	cluster = uint8
)

const (
	machines = 2
	maxVMs   = 5
	foreign  = 3 // the label of another supervisor
	copyName = 3 // the name of a person's copy
)

// book is a ledger: a config, a nonce, and a VirtualMachine's UID once that is known.
type book struct{ config, nonce, vm number }

// machine is a Machine object. What begins with was is no part of it: the model remembers it to
// judge by.
type machine struct {
	born, exists, deleting, held bool
	ledger                       book
	reference                    number
	statusConfig, statusVM       number
	mac                          number // 0 where neither network record nor NetworkConfiguration is there
	disks                        uint8  // a bit for each VirtualMachine whose disk is recorded
	adoptConfig, adopt, recreate number
	force                        bool
	wasRecorded, wasRecreated    number
}

// vm is a VirtualMachine object with its disk. owner is the Machine whose it is in truth, which the
// judge cannot see; given has a bit for each Machine that may take it over, which is done when its
// labels are there.
type vm struct {
	there, disk            bool
	where                  cluster
	name, label, nonce     number
	mac                    number
	owner, given           number
	late, restored, person bool
}

// pass is what an operator has in hand between two writes.
type pass struct {
	step        step
	machine     number
	stale       bool // the Machine was changed since it was read, so that guarded writes fail
	fenced      bool
	released    bool
	consented   bool // the creation rests on the consent to recreate
	searched    bool // the one unclaimed VirtualMachine of this name was found while every cluster answered
	config      number
	ledger      book
	vm          number
	labelledToo uint8 // for mutants: VirtualMachines or disks that go as well
	then        step
}

// step is the write that comes next.
type step uint8

const (
	idle step = iota
	record
	fence
	create
	claim
	learn
	writeDisks
	deleteVM
	deleteDisk
	writeStatus
	finalize
)

var stepNames = []string{
	"ends", "records", "fences", "creates", "claims", "learns the UID", "records the disks", "deletes the VM",
	"deletes a disk",
	"writes the status", "takes the finalizer off",
}

// state is everything at one moment. passes has one for each Machine, and last that of a former
// leader or of a call in flight.
type state struct {
	machines [machines]machine
	vms      [maxVMs]vm
	made     number
	silent   [2]bool
	passes   [machines + 1]pass
	inFlight bool // the last pass is a call that was sent by a process that is gone
	rare     uint8
	done     uint32
}

const formerLeader = machines

func (s *state) machine(m number) *machine { return &s.machines[m-1] }
func (s *state) vm(x number) *vm           { return &s.vms[x-1] }

// touched tells all passes but one that a Machine was changed.
func (s *state) touched(m number, but int) {
	for i := range s.passes {
		if i != but && s.passes[i].step != idle && s.passes[i].machine == m {
			s.passes[i].stale = true
		}
	}
}

// named is the VirtualMachine of a name in a cluster.
func (s *state) named(where cluster, name number) number {
	return number(slices.IndexFunc(s.vms[:], func(v vm) bool { return v.there && v.where == where && v.name == name }) + 1)
}

// add makes a VirtualMachine; false where the model has no room for another one or the name is
// taken.
func (s *state) add(v vm) (number, bool) {
	if s.made == maxVMs || s.named(v.where, v.name) != 0 {
		return 0, false
	}
	v.there, v.disk = true, true
	s.vms[s.made] = v
	s.made++
	return s.made, true
}

// owned counts the VirtualMachines that are a Machine's in truth.
func (s *state) owned(m number) int {
	count := 0
	for _, v := range s.vms {
		if v.there && v.owner == m {
			count++
		}
	}
	return count
}

// newNonce stands for a nonce that is chosen when it is written.
const newNonce = 31

// nonce is the least that is nowhere in use, where a new one is asked for. Least ones keep equal
// states equal.
func (s *state) nonce(wanted number) number {
	if wanted != newNonce {
		return wanted
	}
	used := uint32(1)
	for _, m := range s.machines {
		used |= 1 << m.ledger.nonce
	}
	for _, v := range s.vms {
		used |= 1 << v.nonce
	}
	for _, p := range s.passes {
		used |= 1 << p.ledger.nonce
	}
	return number(bits.TrailingZeros32(^used))
}

// sending says that a creation was sent, or is about to be sent behind its fence.
func (s *state) sending() bool {
	return slices.ContainsFunc(s.passes[:], func(p pass) bool { return p.step == create && p.fenced })
}
