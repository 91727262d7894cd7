package moves_test

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody/moves"
)

// next is a state that follows, and what led to it.
type next struct {
	what   string
	state  state
	broken string
}

const mostData = 3 // guests stop writing there

// follow returns every state that can follow.
func (o operator) follow(s state) []next {
	var all []next
	add := func(what string, change func(*state) string) {
		after := s
		broken := change(&after)
		all = append(all, next{what, after, broken})
	}
	o.operators(s, add)
	guests(s, add)
	if !o.calm {
		silences(s, add)
	}
	if bits.OnesCount16(s.done) < o.rare {
		backups(s, add)
		people(s, add)
	}
	return all
}

type adder func(what string, change func(*state) string)

// operators look, write, crash, and are replaced by others while they sleep.
func (o operator) operators(s state, add adder) {
	for slot, p := range s.passes {
		if p.act == "" {
			continue
		}
		add(fmt.Sprintf("operator %d: %s", slot, p.act), func(s *state) string { return o.write(s, slot) })
		add(fmt.Sprintf("operator %d ends before %s", slot, p.act), func(s *state) string {
			s.passes[slot] = pass{}
			return ""
		})
	}
	if s.passes[0].act != "" && s.passes[1].act == "" && !o.alone {
		add("the operator sleeps before "+string(s.passes[0].act), func(s *state) string {
			s.passes[0], s.passes[1] = pass{}, s.passes[0]
			return ""
		})
	}
	if s.passes[0].act == "" {
		if p, _ := o.look(s); p.act != "" && p.act != moves.Wait {
			add("looks, will "+string(p.act), func(s *state) string {
				s.passes[0] = p
				return ""
			})
		}
		after := s
		if what := o.others(&after); what != "" {
			add(what, func(s *state) string {
				o.others(s)
				return ""
			})
		}
		if s.deleting && s.stage == none && !s.gone {
			add("the Machine is let go", func(s *state) string { return letGo(s) })
		}
	}
}

// letGo is the end of a Machine that is being deleted, outside of a move: its virtual machine is
// deleted by its ledger.
func letGo(s *state) string {
	at, silent := &s.a, s.silent[0]
	if s.atTarget {
		at, silent = &s.b, s.silent[1]
	}
	if silent {
		return ""
	}
	s.offered = s.offered && (s.atTarget || !s.a.stopped) // what the source's own annotation names goes with it
	*at = vm{}
	s.gone = true
	s.touch('M', -1)
	return ""
}

// guests start where their run strategy says so, write, and end where it says that.
func guests(s state, add adder) {
	for i, name := range []string{"source", "target"} {
		v := []vm{s.a, s.b}[i]
		change := func(what string, change func(*state, *vm)) {
			add("the guest at the "+name+" "+what, func(s *state) string {
				change(s, []*vm{&s.a, &s.b}[i])
				s.touch([]rune{'A', 'B'}[i], -1)
				return ""
			})
		}
		switch {
		case v.there && v.run && !v.up && v.data != 0:
			change("starts", func(_ *state, v *vm) { v.up = true })
		case v.up && !v.run:
			change("ends", func(_ *state, v *vm) { v.up = false })
		}
		if v.up && s.newest < mostData && (i == 1 || s.started) {
			change("writes", func(s *state, v *vm) {
				s.newest++
				v.data = s.newest
			})
		}
	}
	if s.b.there && s.b.data == 0 && s.a.there && s.a.data != 0 && s.offered {
		add("the copy is whole", func(s *state) string {
			s.b.data = s.a.data
			return ""
		})
	}
}

// silences begin and end.
func silences(s state, add adder) {
	for i, name := range []string{"source", "target"} {
		what := "falls silent"
		if s.silent[i] {
			what = "answers again"
		}
		add("the "+name+" "+what, func(s *state) string {
			s.silent[i] = !s.silent[i]
			return ""
		})
	}
}

// backups of a cluster are restored.
func backups(s state, add adder) {
	if s.started && !s.has(sourceRestored|sourceDeletedByHand) { // nobody can tell that its volumes are gone
		add("the source is restored from a backup", func(s *state) string {
			s.done |= sourceRestored
			data, disks := s.a.data, s.a.disks
			s.a = s.backupA
			s.a.up, s.a.data, s.a.disks = false, data, disks
			s.offered = false
			s.touch('A', -1)
			return ""
		})
	}
	if s.started && s.b.there && !s.has(targetRestored) {
		add("the target is restored from a backup of before the move", func(s *state) string {
			s.done |= targetRestored
			s.b = vm{}
			s.rebase()
			s.touch('B', -1)
			return ""
		})
	}
}

// people start and stop the source by hand, delete virtual machines, give the move up, delete the
// Machine, and say which side counts.
func people(s state, add adder) {
	rarely := func(rare uint16, may bool, what string, change func(*state)) {
		if may && !s.has(rare) {
			add(what, func(s *state) string {
				s.done |= rare
				change(s)
				return ""
			})
		}
	}
	moving := s.stage != none
	rarely(startedByHand, s.started && s.a.there && !s.a.run && s.a.data != 0, "a person starts the source", func(s *state) {
		s.a.run = true
		s.a.gen++
		s.touch('A', -1)
	})
	rarely(stoppedByHand, s.has(startedByHand) && s.a.there && s.a.run, "a person stops the source", func(s *state) {
		s.a.run = false
		s.a.gen++
		s.touch('A', -1)
	})
	rarely(sourceDeletedByHand, moving && s.a.there, "a person deletes the source", func(s *state) {
		s.a = vm{}
		s.rebase()
		s.touch('A', -1)
	})
	rarely(targetDeletedByHand, moving && s.b.there, "a person deletes the target", func(s *state) {
		s.b = vm{}
		s.rebase()
		s.touch('B', -1)
	})
	rarely(gaveUp, moving, "a person gives the move up", func(s *state) { s.giveUp = true })
	rarely(machineDeleted, s.started, "a person deletes the Machine", func(s *state) {
		s.deleting = true
		s.touch('M', -1)
	})
}

// verdict says what is wrong with a state, "" for nothing. before is the one that it came from, what
// the event in between.
func verdict(before, after state, what string) string {
	excused := after.has(startedByHand) || after.has(sourceRestored)
	switch {
	case after.a.on() && after.b.on() && !excused:
		return "two run, or may start"
	case !after.cloneA || !after.cloneB:
		return "a person's copy was deleted"
	case strings.HasPrefix(what, "operator") && strings.HasSuffix(what, string(moves.Lift)) && after.b.on() && !before.b.on() &&
		before.a.on() && !before.silent[0] && !excused:
		return "the target was started while the source was on"
	}
	if lost := lost(before, after); lost != "" {
		return lost
	}
	return ""
}

// lost says that the newest whole copy was lost by the operator, or is named by no record.
func lost(before, after state) string {
	if after.deleting || after.gone || after.newest == 0 {
		return ""
	}
	hasA, hasB := after.a.disks && after.a.data == after.newest, after.b.disks && after.b.data == after.newest
	named := after.atTarget && (hasB || after.owed) || !after.atTarget && hasA || after.buried && hasA
	switch {
	case !hasA && !hasB:
		return "the newest copy is lost"
	case after.stage == none && before.stage != none && !named:
		return "the newest copy is where no record names it"
	}
	return ""
}

// rebase is called when somebody else destroyed a copy: the newest of those that are left counts. One
// whose deletion was decided by a look that showed the other one is none.
func (s *state) rebase() {
	s.newest = 0
	for _, p := range s.passes {
		aborts := p.act == moves.Unmake || p.act == moves.End && s.stage == aborting
		if p.act == moves.Clear && s.b == (vm{}) || aborts && s.a == (vm{}) {
			return
		}
	}
	for _, v := range []vm{s.a, s.b} {
		if v.there { // the disks of one that was deleted go by themselves
			s.newest = max(s.newest, v.data)
		}
	}
}

// result of an exploration.
type result struct {
	states int
	broken string
	trace  []string
}

func (r result) String() string { return r.broken + "\n  " + strings.Join(r.trace, "\n  ") }

// explore visits every state, and holds each to the verdicts and to an end.
func explore(o operator, most int) result {
	type step struct {
		from int
		what string
	}
	order := []state{initial()}
	index := map[state]int{order[0]: 0}
	steps := []step{{from: -1}}
	trace := func(i int, more ...string) []string {
		var all []string
		for ; i > 0; i = steps[i].from {
			all = append(all, steps[i].what)
		}
		slices.Reverse(all)
		return append(all, more...)
	}
	ends := map[state]string{}
	for i := 0; i < len(order); i++ {
		s := order[i]
		for _, n := range o.follow(s) {
			broken := n.broken
			if broken == "" {
				broken = verdict(s, n.state, n.what)
			}
			if broken != "" {
				return result{len(order), broken, trace(i, n.what)}
			}
			if _, known := index[n.state]; known {
				continue
			}
			if len(order) >= most {
				return result{len(order), "there are more states than that", nil}
			}
			index[n.state] = len(order)
			order = append(order, n.state)
			steps = append(steps, step{i, n.what})
		}
		if why, rest := o.ends(s, ends); why != "" {
			return result{len(order), why, trace(i, rest...)}
		}
	}
	return result{states: len(order)}
}

// ends reports whether a move comes to an end once all sides answer and nobody interferes any more.
// Where it waits for a person's word, each word that it offers has to end it.
func (o operator) ends(s state, known map[state]string) (why string, trace []string) {
	s.silent, s.passes = [2]bool{}, [2]pass{}
	if why, seen := known[s]; seen {
		return why, nil
	}
	why, trace = o.run(s)
	known[s] = why
	return why, trace
}

func (o operator) run(s state) (string, []string) {
	var trace []string
	for range 60 {
		p, n := o.look(s)
		progress := s
		switch {
		case guestMoves(&progress):
			trace = append(trace, "guests and copies go on")
		case p.act != "" && p.act != moves.Wait:
			progress.passes[0] = p
			o.write(&progress, 0)
			trace = append(trace, "operator: "+string(p.act))
		case len(n.Keep) > 0 && s.keep == 0:
			for _, side := range n.Keep {
				kept := s
				kept.keep = map[string]uint8{"Source": 1, "Target": 2}[string(side)]
				if why, rest := o.run(kept); why != "" {
					return why, append(append(trace, "a person keeps the "+string(side)), rest...)
				}
			}
			return "", nil
		case s.stage == none && s.deleting && !s.gone:
			letGo(&progress)
		default:
			if what := o.others(&progress); what != "" {
				trace = append(trace, what)
			}
		}
		if progress == s && s.stage == begun && !s.giveUp {
			progress.giveUp = true
			trace = append(trace, "a step takes too long")
		}
		if progress == s {
			return settled(s), trace
		}
		s = progress
	}
	return "there is no end", trace
}

// guestMoves lets guests and copies do the next thing that they would do by themselves.
func guestMoves(s *state) bool {
	switch {
	case s.a.there && s.a.run && !s.a.up && s.a.data != 0:
		s.a.up = true
	case s.a.up && !s.a.run:
		s.a.up = false
	case s.b.there && s.b.run && !s.b.up && s.b.data != 0:
		s.b.up = true
	case s.b.up && !s.b.run:
		s.b.up = false
	case s.b.there && s.b.data == 0 && s.a.there && s.a.data != 0 && s.offered:
		s.b.data = s.a.data
	default:
		return false
	}
	return true
}

// settled says what is wrong with a state in which nothing goes on any more.
func settled(s state) string {
	switch {
	case s.a.on() && s.b.on():
		return "two run for ever"
	case s.atTarget && s.b.fed && s.b.uid == s.toUID && s.stage == none && !s.gone:
		return "what the disks were fetched with is left"
	case s.offered && !s.owed && (!s.gone || !s.has(sourceDeletedByHand|sourceRestored)): // else it ends after a day
		return "the disks are still offered"
	case s.gone && (s.a.there || s.b.there) && !s.buried && !s.has(sourceRestored):
		return "something is left of a Machine that is gone"
	case s.gone:
		return ""
	case s.stage != none:
		return "the move never ends"
	case s.atTarget && s.a.there && s.a.run:
		return "the source may start by itself"
	case !s.atTarget && s.b.there:
		return "something of the move is left at the target"
	case !s.atTarget && s.ran && s.a.there && s.a.data != 0 && !s.a.up && !s.has(stoppedByHand) && !s.deleting:
		return "the guest does not run where it was"
	case s.atTarget && s.ran && s.b.there && s.b.uid == s.toUID && !s.b.up && !s.deleting:
		return "the guest does not run at the target"
	}
	return ""
}
