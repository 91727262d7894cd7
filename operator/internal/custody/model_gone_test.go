package custody_test

import (
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
)

// gone is the pass of a Machine that is being deleted.
func (o sight) gone() pass {
	reading, self := o.reading(), o.self()
	switch reading.Standing {
	case custody.Confirmed:
		return o.remove(self.ledger)
	case custody.Unconfirmed:
		if o.confirmed(reading) {
			return o.remove(self.ledger)
		}
	case custody.Lost:
		if next := o.restore(reading); len(next) > 0 {
			next[0].then = idle
			return next[0]
		}
		return o.orRelease(self.statusConfig, !o.silentIn(self.statusConfig))
	case custody.Broken:
		if self.statusConfig != 0 {
			return o.orRelease(self.statusConfig, true)
		}
	}
	return o.searchEverywhere()
}

// searchEverywhere looks for what a Machine with the finalizer and without a record has.
func (o sight) searchEverywhere() pass {
	found := o.counted(o.findLost(o.caseOf(nil, o.look(o.shape.configs...))))
	self := o.self()
	switch found.Is {
	case custody.Absent:
		if o.anySilent() {
			o.breaks("absence was concluded while a cluster was silent")
		}
		// The disks of a VirtualMachine that is gone are still recorded where the operator ended before
		// it wrote the status.
		return o.removeDisks(o.pass(deleteDisk, self.ledger))
	case custody.Yours:
		config, x := o.placed(found)
		again := o.pass(record, book{config: config, nonce: o.nonceOf(x), vm: x})
		return again
	default:
		return o.orRelease(max(self.ledger.config, self.statusConfig), found.Reason == vitistackv1alpha1.ReasonDuplicateVM)
	}
}

// remove deletes the recorded VirtualMachine, then its disks, and lets the Machine go when both are
// gone.
func (o sight) remove(ledger book) pass {
	found := o.counted(o.find(o.caseOf(&ledger, o.look(ledger.config))))
	if found.Is == custody.Undecided {
		return o.orRelease(ledger.config, false)
	}
	if found.Is == custody.Refused && found.Reason != vitistackv1alpha1.ReasonNameCollision {
		return o.orRelease(ledger.config, true)
	}
	if o.silentIn(ledger.config) {
		o.breaks("absence was concluded while the cluster was silent")
	}
	if found.Is == custody.Yours && found.Relation != custody.Restored && found.Relation != custody.OtherMachineGone {
		_, x := o.placed(found)
		return o.removeVM(o.withVM(ledger, x))
	}
	return o.removeDisks(o.pass(deleteDisk, ledger))
}

func (o sight) removeVM(p pass) pass {
	switch {
	case o.state.vm(p.vm).label != o.m:
		p.step, p.then = claim, writeDisks
	case o.self().disks&bit(p.vm) == 0 && !o.forgetsDisks:
		p.step = writeDisks
	default:
		p.step = deleteVM
	}
	if o.deletesByLabel {
		p.labelledToo = o.labelledVMs(p.ledger.config)
	}
	return p
}

func (o sight) removeDisks(p pass) pass {
	recorded := o.self().disks
	if o.disksByLabel {
		recorded |= o.labelledVMs(p.ledger.config)
	}
	for x := number(1); x <= maxVMs; x++ {
		if recorded&bit(x) != 0 && o.state.vm(x).disk && o.state.vm(x).where == clusterOf(p.ledger.config) {
			p.vm = x
			return p
		}
	}
	p.step = finalize
	return p
}

func bit(x number) uint8 { return 1 << x }

func (o sight) labelledVMs(config number) uint8 {
	var all uint8
	for i, v := range o.state.vms {
		if v.disk && v.label == o.m && v.where == clusterOf(config) {
			all |= bit(number(i + 1))
		}
	}
	return all
}

// orRelease lets a Machine go where a person consents and the state that holds it lasts.
func (o sight) orRelease(config number, lasts bool) pass {
	if config == 0 || !o.self().force {
		return pass{}
	}
	lasts = lasts || o.state.silent[clusterOf(config)]
	if !lasts && !o.releasesLate {
		return pass{}
	}
	return pass{step: finalize, machine: o.m, released: lasts, config: config}
}

// write does the next write of a pass. It returns what that broke, "" for nothing.
func (o *operator) write(s *state, slot int) (broken string) {
	p := s.passes[slot]
	s.passes[slot] = pass{}
	w := writing{operator: o, state: s, slot: slot, pass: p}
	next := w.do()
	if slot == formerLeader && (s.inFlight || next.step == claim) { // see crash
		next = pass{}
	}
	if s.passes[slot].step == idle && next.step != idle {
		s.passes[slot] = next
	}
	if slot == formerLeader {
		s.inFlight = false
	}
	return w.broken
}

type writing struct {
	*operator
	state  *state
	slot   int
	pass   pass
	broken string
}

func (w *writing) breaks(what string) {
	if w.broken == "" {
		w.broken = what
	}
}

// guarded reports whether a write to the Machine goes through, and tells other passes of it.
func (w *writing) guarded() bool {
	if !w.state.machine(w.pass.machine).exists || w.pass.stale && !w.unguardedRecords {
		return false
	}
	w.state.touched(w.pass.machine, w.slot)
	return true
}

func (w *writing) do() pass {
	p := w.pass
	self := w.state.machine(p.machine)
	switch p.step {
	case record, fence, learn:
		return w.record(self)
	case create:
		return w.create(self)
	case claim:
		return w.claim()
	case writeDisks:
		if w.guarded() {
			self.disks |= bit(p.vm)
			p.step = deleteVM
			return p
		}
	case deleteVM:
		return w.deleteVM(self)
	case deleteDisk:
		return w.deleteDisk(self)
	case writeStatus:
		if w.guarded() {
			self.statusConfig = p.ledger.config
			if p.vm != 0 {
				self.statusVM = p.vm
			}
		}
	case finalize:
		w.finalize(self)
	}
	return pass{}
}

func (w *writing) silent() bool { return w.state.silent[clusterOf(w.pass.config)] }

// record writes the ledger, with the finalizer and the reference.
func (w *writing) record(self *machine) pass {
	p := w.pass
	if !w.guarded() {
		return pass{}
	}
	p.ledger.nonce = w.state.nonce(p.ledger.nonce)
	if p.ledger.vm != 0 {
		w.taken(self)
	}
	self.ledger, self.held = p.ledger, true
	if self.mac == 0 { // the network record: what the VirtualMachine has, else what is given to the Machine
		self.mac = p.machine
		if p.ledger.vm != 0 {
			self.mac = w.state.vm(p.ledger.vm).mac
		}
	}
	if self.reference == 0 {
		self.reference = p.ledger.config
	}
	sees := sight{operator: w.operator, state: w.state, m: p.machine, late: -1, verdict: &w.broken}
	switch {
	case p.step == learn:
		return sees.after(writeStatus, p)
	case p.step == fence, p.then == create:
		p.step, p.fenced = create, true
		return p
	case p.then == claim, p.then == writeStatus:
		return sees.after(p.then, p)
	}
	return pass{}
}

// taken holds that a VirtualMachine that comes into a record is the Machine's, or a person gave it,
// or search found the only one.
func (w *writing) taken(self *machine) {
	p := w.pass
	x := w.state.vm(p.ledger.vm)
	given := w.given(*self, p.ledger.vm)
	nothingTells := self.mac == 0 && x.label == p.machine && x.name == w.shape.nameOf(p.machine)
	switch {
	case x.owner == p.machine, given, nothingTells, p.searched && x.label == 0:
		x.given |= bit(p.machine)
		if x.label == p.machine { // there is nothing left to claim
			x.owner = p.machine
		}
	case x.there:
		w.breaks("a VirtualMachine was taken that nobody gave")
	}
	self.wasRecorded = p.ledger.vm
}

// given reports whether a person gave a VirtualMachine to a Machine, and may do so.
func (w *writing) given(self machine, x number) bool {
	v := *w.state.vm(x)
	return self.adopt == x && clusterOf(self.adoptConfig) == v.where && v.label != foreign &&
		(v.owner == 0 || !w.state.machine(v.owner).exists)
}

func (w *writing) create(self *machine) pass {
	p := w.pass
	if w.silent() {
		return pass{}
	}
	p.ledger.nonce = w.state.nonce(p.ledger.nonce)
	x, made := w.state.add(vm{
		where: clusterOf(p.config), name: w.shape.nameOf(p.machine), label: p.machine, nonce: p.ledger.nonce,
		mac:   max(self.mac, p.machine),
		owner: p.machine, late: w.slot == formerLeader,
	})
	if !made {
		return pass{}
	}
	switch {
	case p.consented && self.wasRecreated == self.recreate:
		w.breaks("one consent made two new VirtualMachines")
	case p.consented:
		self.wasRecreated = self.recreate
	case w.slot != formerLeader && self.wasRecorded != 0 && self.recreate != self.wasRecorded &&
		self.wasRecreated != self.wasRecorded && self.exists:
		w.breaks("a VirtualMachine that vanished was made anew without consent")
	}
	if p.then == record {
		p.step, p.then, p.vm = record, writeStatus, x
		return p
	}
	return pass{}
}

func (w *writing) claim() pass {
	p := w.pass
	x := w.state.vm(p.vm)
	if w.silent() || !x.there {
		return pass{}
	}
	if x.given&bit(p.machine) != 0 || w.given(*w.state.machine(p.machine), p.vm) {
		x.owner, x.late = p.machine, x.late || w.slot == formerLeader
	}
	w.mayTouch(*x, "labelled")
	x.label, x.nonce = p.machine, p.ledger.nonce
	sees := sight{operator: w.operator, state: w.state, m: p.machine, late: -1, verdict: &w.broken}
	if p.then == writeDisks {
		return sees.removeVM(p)
	}
	return sees.after(learn, p)
}

func (w *writing) mayTouch(x vm, how string) {
	if x.owner != w.pass.machine {
		w.breaks("a VirtualMachine or disk was " + how + " that is not the Machine's")
	}
}

func (w *writing) deleteVM(self *machine) pass {
	p := w.pass
	if w.silent() {
		return pass{}
	}
	for i := range w.state.vms {
		x := &w.state.vms[i]
		if y := number(i + 1); x.there && (y == p.vm || p.labelledToo&bit(y) != 0) {
			w.mayTouch(*x, "deleted")
			x.there = false
		}
	}
	if self.exists && !self.deleting {
		w.breaks("a VirtualMachine of a Machine that is wanted was deleted")
	}
	if w.finalizesFirst {
		p.step = finalize
		return p
	}
	return pass{}
}

func (w *writing) deleteDisk(self *machine) pass {
	x := w.state.vm(w.pass.vm)
	if w.silent() || !self.exists {
		return pass{}
	}
	w.mayTouch(*x, "deleted")
	x.disk = false
	return pass{}
}

// finalize takes the finalizer off. What is the Machine's must be gone, or a person gave it up
// because its cluster is silent for long.
func (w *writing) finalize(self *machine) {
	if !w.guarded() {
		return
	}
	for _, v := range w.state.vms {
		// The check for orphans tells of the first two. A person's that lost its record before its
		// address was kept is named as a copy.
		told := v.late || v.restored || v.person && v.mac != self.mac || v.owner != w.pass.machine
		// the record of disks went, or went to another cluster
		forgotten := w.state.done&(lost|forged|consented|restoredMachine) != 0
		if (v.there || v.disk && !forgotten) && !told && !w.pass.released {
			w.breaks("a Machine was let go while its VirtualMachine or disk was there")
		}
	}
	*self = machine{born: true}
}
