package custody_test

import (
	"fmt"
	"hash/maphash"
	"strings"
)

// clusters fall silent and answer again.
func (e exploration) clusters() {
	for where := range cluster(2) {
		if e.state.silent[where] {
			e.freely("answers again: cluster", where, 0, func(s *state) { s.silent[where] = false })
			continue
		}
		e.rarely(fellSilent, "falls silent: cluster", where, 0, func(s *state) bool {
			s.silent[where] = true
			return true
		})
	}
}

// operators start passes, write, crash and are replaced.
func (e exploration) operators() {
	for m := number(1); m <= machines; m++ {
		if p := e.state.passes[m-1]; p.step != idle {
			e.step(int(m - 1))
			e.crash(m, p)
			continue
		}
		self := e.state.machine(m)
		if !self.exists || self.deleting && !self.held {
			continue
		}
		e.begin(m, -1, "reconciles Machine")
		for where := range 2 {
			e.late(m, where)
		}
	}
	if e.state.passes[formerLeader].step != idle {
		e.step(formerLeader)
		e.freely("what the former leader had in hand is lost", 0, 0, func(s *state) {
			s.passes[formerLeader], s.inFlight = pass{}, false
		})
	}
}

// late is a pass in which the one answer of a cluster that is well comes too late.
func (e exploration) late(m number, where int) {
	if e.state.rare == 0 || e.state.done&cameLate != 0 || e.state.silent[where] {
		return
	}
	e.state.rare--
	e.state.done |= cameLate
	e.begin(m, where, "reconciles with a late answer Machine")
}

// begin emits the first write of each pass that a Machine may begin.
func (e exploration) begin(m number, late int, what string) {
	broken := ""
	s := e.state
	passes := sight{operator: e.operator, state: &s, m: m, late: late, verdict: &broken}.start()
	for _, p := range passes {
		if p.step == idle && broken == "" {
			continue
		}
		after := e.state
		after.passes[m-1] = p
		e.emit(next{event: event{what + ", which then " + stepNames[p.step], m, 0}, state: after, broken: broken})
	}
}

func (e exploration) step(slot int) {
	s := e.state
	p := s.passes[slot]
	who := "the operator " + stepNames[p.step]
	if slot == formerLeader {
		who = "a former leader " + stepNames[p.step]
	}
	broken := e.operator.write(&s, slot)
	e.emit(next{event: event{who + ": Machine, VM", p.machine, p.vm}, state: s, broken: broken})
}

// crash ends a process before a write, or after a creation was sent, or lets it sleep while another
// one takes its place.
func (e exploration) crash(m number, p pass) {
	e.freely("the operator crashes before it "+stepNames[p.step]+": Machine", m, 0, func(s *state) {
		s.passes[m-1] = pass{}
	})
	if e.state.passes[formerLeader].step != idle {
		return
	}
	if p.step == create {
		e.rarely(sentCreation, "the operator crashes with a creation in flight for Machine", m, 0, func(s *state) bool {
			s.passes[formerLeader], s.passes[m-1], s.inFlight = p, pass{}, true
			return true
		})
	}
	if p.step == claim {
		// a leader that sleeps here for as long as a Machine's end and another one's adoption labels for
		// a Machine that is gone
		return
	}
	e.rarely(changedLeader, "another operator takes over, and the former leader sleeps before it "+stepNames[p.step]+": Machine", m, 0,
		func(s *state) bool {
			s.passes[formerLeader], s.passes[m-1] = p, pass{}
			return true
		})
}

func (e exploration) all() {
	e.people()
	e.clusters()
	e.operators()
}

// result is what an exploration came to.
type result struct {
	states int
	broken string // "" where nothing is broken
	trace  []event
	cut    bool // the bound on states was reached
}

// origin is how a state was reached first.
type origin struct {
	from  int32
	event event
}

// explore visits every state that can be reached, nearest first, so that the trace to what is
// broken is a shortest one. States that are done with are remembered by 64 bits of their hash, as
// model checkers do: of a hundred million states two collide with a probability below 1 in 3,000.
func explore(o *operator, bound int) result {
	first := state{rare: o.shape.rare}
	first.machines[0] = machine{born: true, exists: true}
	seed := maphash.MakeSeed()
	known := map[uint64]struct{}{maphash.Comparable(seed, first): {}}
	origins := []origin{{from: -1}}
	result := result{}
	var level, below []state
	for below = append(below, first); len(below) > 0 && result.broken == "" && !result.cut; {
		level, below = below, nil
		for i, begun := 0, len(origins)-len(level); i < len(level) && result.broken == ""; i++ {
			exploration{operator: o, state: level[i], emit: func(n next) {
				if result.broken != "" {
					return
				}
				if broken := n.fault(); broken != "" {
					result.broken, result.trace = broken, trace(origins, int32(begun+i), n.event)
					return
				}
				hash := maphash.Comparable(seed, n.state)
				if _, seen := known[hash]; !seen {
					known[hash] = struct{}{}
					below, origins = append(below, n.state), append(origins, origin{int32(begun + i), n.event})
				}
			}}.all()
		}
		result.cut = len(origins) > bound
	}
	result.states = len(origins)
	return result
}

// fault is what a step broke, "" for nothing.
func (n next) fault() string {
	for m := number(1); m <= machines && n.broken == ""; m++ {
		if n.state.owned(m) > 1 {
			return "two VirtualMachines of one Machine may run"
		}
	}
	return n.broken
}

func trace(origins []origin, at int32, last event) []event {
	events := []event{last}
	for ; at > 0; at = origins[at].from {
		events = append([]event{origins[at].event}, events...)
	}
	return events
}

func (r result) String() string {
	var text strings.Builder
	for i, e := range r.trace {
		fmt.Fprintf(&text, "%2d. %s %d", i+1, e.what, e.a)
		if e.b != 0 {
			fmt.Fprintf(&text, ", %d", e.b)
		}
		text.WriteString("\n")
	}
	fmt.Fprintf(&text, "=> %s", r.broken)
	return text.String()
}
