package custody_test

// event is one thing that happens, for a trace.
type event struct {
	what string
	a, b number
}

// next is what may follow a state.
type next struct {
	event  event
	state  state
	broken string
}

// rare actions happen at most once each, deleting a VirtualMachine at most twice.
const (
	copied uint32 = 1 << iota
	copiedBack
	forged
	lost
	fellSilent
	cameLate
	foundPlain
	foundForeign
	consented
	recreated
	forced
	tookOne
	tookTwo
	restoredMachine
	changedLeader
	sentCreation
)

// exploration walks from a state to all that may follow.
type exploration struct {
	operator *operator
	state    state
	emit     func(next)
}

// rarely emits what a rare action makes of the state, if there is one left.
func (e exploration) rarely(which uint32, what string, a, b number, change func(*state) bool) {
	if e.state.rare == 0 || e.state.done&which != 0 || e.state.sending() && which < changedLeader {
		return
	}
	s := e.state
	s.rare--
	s.done |= which
	if change(&s) {
		e.emit(next{event: event{what, a, b}, state: s})
	}
}

func (e exploration) freely(what string, a, b number, change func(*state)) {
	s := e.state
	change(&s)
	e.emit(next{event: event{what, a, b}, state: s})
}

// people are the actions of those who write Machines and VirtualMachines by hand.
func (e exploration) people() {
	for m := number(1); m <= machines; m++ {
		self := *e.state.machine(m)
		other := *e.state.machine(3 - m)
		if !self.born && (!e.operator.shape.sameName || other.born && !other.exists) {
			e.freely("a person creates Machine", m, 0, func(s *state) { s.machine(m).born, s.machine(m).exists = true, true })
		}
		if self.exists && !self.deleting {
			e.freely("a person deletes Machine", m, 0, func(s *state) {
				s.touched(m, -1)
				if s.machine(m).deleting = true; !s.machine(m).held {
					*s.machine(m) = machine{born: true}
				}
			})
		}
		if self.exists {
			e.writers(m, self)
		}
		e.backup(m, self, other)
	}
	e.remote()
}

// changes is a rare change of a Machine's own annotations.
func (e exploration) changes(which uint32, what string, m, b number, change func(*machine)) {
	e.rarely(which, what, m, b, func(s *state) bool {
		s.touched(m, -1)
		change(s.machine(m))
		return true
	})
}

func (e exploration) writers(m number, self machine) {
	if self.ledger.config != 0 {
		e.changes(lost, "all annotations are lost of Machine", m, 0, func(m *machine) {
			m.ledger, m.reference, m.adopt, m.adoptConfig, m.recreate, m.force, m.disks = book{}, 0, 0, 0, 0, false, 0
			m.wasRecorded = m.statusVM // nothing else remembers
			if m.statusConfig == 0 {
				m.mac = 0 // and there is no NetworkConfiguration yet
			}
		})
	}
	if gone := max(self.ledger.vm, self.statusVM); gone != 0 && !e.state.vm(gone).there {
		e.changes(recreated, "a person consents to recreate for Machine, VM", m, gone, func(m *machine) { m.recreate = gone })
	}
	if self.held && !self.force {
		e.changes(forced, "a person force-releases Machine", m, 0, func(m *machine) { m.force = true })
	}
	for x := number(1); x <= e.state.made; x++ {
		v := *e.state.vm(x)
		if !v.there || v.owner == m {
			continue
		}
		if v.label != m { // to name a copy with its own labels is as good as consent, which the author may give
			e.forge(m, x, v)
		}
		for _, config := range e.operator.shape.configs {
			if clusterOf(config) == v.where {
				e.changes(consented, "a person consents to adopt for Machine, VM", m, x, func(m *machine) {
					m.adoptConfig, m.adopt = config, x
				})
			}
		}
	}
}

func (e exploration) forge(m, x number, v vm) {
	e.changes(forged, "a tenant forges the ledger of Machine, naming VM", m, x, func(m *machine) {
		m.ledger, m.held = book{config: v.where + 1, nonce: max(v.nonce, 1), vm: x}, true
		m.wasRecorded = m.statusVM
	})
}

// backup restores a Machine from before it was placed, or a VirtualMachine under a new UID.
func (e exploration) backup(m number, self, other machine) {
	if e.state.passes[m-1].step != idle || e.state.passes[formerLeader].step != idle {
		return // a restored etcd cuts off whoever held its lease
	}
	if self.born && (self.exists && self.ledger.config != 0 || !self.exists &&
		(!e.operator.shape.sameName || !other.exists)) {
		e.rarely(restoredMachine, "a backup from before the placement restores Machine", m, 0, func(s *state) bool {
			s.touched(m, -1)
			*s.machine(m) = machine{born: true, exists: true}
			return true
		})
	}
	if self.exists && self.ledger.vm != 0 {
		e.rarely(restoredMachine, "a backup from before the UID was learnt restores Machine", m, 0, func(s *state) bool {
			s.touched(m, -1)
			r := s.machine(m)
			*r = machine{
				born: true, exists: true, held: true, reference: r.reference, mac: r.mac,
				ledger: book{config: r.ledger.config, nonce: r.ledger.nonce},
			}
			return true
		})
	}
	for x := number(1); x <= e.state.made; x++ {
		v := *e.state.vm(x)
		if v.there || v.owner != m || v.person {
			continue
		}
		e.rarely(restoredMachine, "a backup tool restores VM of Machine", x, m, func(s *state) bool {
			v.restored, v.late = true, false
			elsewhere := self.ledger.config != 0 && clusterOf(self.ledger.config) != v.where
			if s.owned(m) > 0 || !self.exists || elsewhere {
				v.owner, v.person = 0, true
			}
			_, done := s.add(v)
			return done
		})
	}
}

// remote is what people do in the remote clusters.
func (e exploration) remote() {
	for x := number(1); x <= e.state.made; x++ {
		v := *e.state.vm(x)
		if v.there && v.label != 0 && v.label != foreign && !v.person {
			e.rarely(copied, "a person clones VM", x, 0, func(s *state) bool {
				clone := v
				clone.name, clone.owner, clone.given, clone.person = copyName, 0, 0, true
				_, done := s.add(clone)
				return done
			})
		}
		if v.label != 0 && v.label != foreign && !v.person {
			e.rarely(copiedBack, "a person makes another VM with the name and labels of VM", x, 0, func(s *state) bool {
				back := v
				back.mac, back.nonce, back.owner, back.given, back.person, back.restored = 8, 0, 0, 0, true, false
				if s.named(v.where, v.name) != 0 {
					back.where = 1 - v.where
				}
				_, done := s.add(back)
				return done
			})
		}
		if !v.there {
			continue
		}
		which := tookOne
		if e.state.done&tookOne != 0 {
			which = tookTwo
		}
		e.rarely(which, "a person deletes VM", x, 0, func(s *state) bool {
			s.vm(x).there, s.vm(x).disk = false, false
			return true
		})
	}
	for where := range cluster(2) {
		e.rarely(foundPlain, "a person makes an unlabelled VM of the name in cluster", where, 0, func(s *state) bool {
			_, done := s.add(vm{where: where, name: 1, mac: 9, person: true})
			if done && where == 0 {
				_, _ = s.add(vm{where: 1, name: 1, mac: 9, person: true})
			}
			return done
		})
		e.rarely(foundForeign, "another supervisor has a VM of the name in cluster", where, 0, func(s *state) bool {
			_, done := s.add(vm{where: where, name: 1, mac: 9, label: foreign, person: true})
			return done
		})
	}
}
