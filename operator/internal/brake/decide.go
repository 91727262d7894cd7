package brake

import "time"

// Kind is what is counted. The kinds do not count against each other.
type Kind string

// The kinds.
const (
	// Deletion is of a Machine with its VirtualMachine.
	Deletion Kind = "deletion"
	// Change is of a VirtualMachine whose guest runs: it is stopped, or has to be restarted.
	Change Kind = "change"
	// Restart is of a guest, because a person asked for it.
	Restart Kind = "restart"
)

// Scope is a set of Machines of which not too many may go at once.
type Scope struct {
	// Of is what the Machines have in common.
	Of Common
	// Name is the KubevirtConfig's or the namespace's, "" for the fleet.
	Name string
}

// Common is what the Machines of a Scope have in common.
type Common string

// What Machines have in common.
const (
	Cluster   Common = "cluster"
	Namespace Common = "namespace"
	Fleet     Common = "fleet"
)

// String names a Scope for people.
func (s Scope) String() string {
	switch s.Of {
	case Cluster:
		return "KubevirtConfig " + s.Name
	case Namespace:
		return "namespace " + s.Name
	default:
		return "the fleet"
	}
}

// The times of a Settle: how long it must be quiet, and the longest that one Machine waits for that.
const (
	QuietTime     = 5 * time.Second
	LongestSettle = time.Minute
)

// Answer is what a question comes to.
type Answer int

// The answers.
const (
	// Go: it may be done.
	Go Answer = iota
	// Settle: ask again in a moment. More than the number have come, and more may be on their way.
	Settle
	// Held: not before a person lets go.
	Held
)

// Count is what is known of one Scope.
type Count struct {
	Scope Scope
	// Total are the Machines of the Scope, with those that were let go within the window and are gone.
	Total int
	// LetGo were let go within the window. Waiting ask now or are held, who asks among them.
	LetGo, Waiting int
	// Quiet is for how long no further one has come.
	Quiet time.Duration
}

// Facts are what a verdict rests on.
type Facts struct {
	// Confirmed says that a person let this one go, LetGo that the brake did, Held that it was held.
	Confirmed, LetGo, Held bool
	// Waited is for how long this one has asked.
	Waited time.Duration
	// Counts are of the scopes that the Machine is in, in the order in which they are told.
	Counts []Count
}

// Verdict is the answer to one question.
type Verdict struct {
	Is Answer
	// Scope is of which too many would go, with Held. It is empty where it is held from before and
	// that is no longer so.
	Scope Scope
	// After is when to ask again, with Settle.
	After time.Duration
}

// Decide says whether one may go. It does no I/O and changes nothing.
//
// Up to the number all go at once. From then on each waits until no more come, and then the share
// decides: a person who deletes little by little loses no more than the number before the share of all
// is known.
func (r Rule) Decide(f Facts) Verdict {
	if r.IsOff() || f.Confirmed || f.LetGo {
		return Verdict{Is: Go}
	}
	verdict := Verdict{Is: Go}
	for _, c := range f.Counts {
		if !r.exceedsNumber(c) {
			continue
		}
		if r.exceedsShare(c) {
			return Verdict{Is: Held, Scope: c.Scope}
		}
		if wait := min(QuietTime-c.Quiet, LongestSettle-f.Waited); wait > 0 {
			verdict = Verdict{Is: Settle, After: max(wait, verdict.After)}
		}
	}
	if f.Held {
		return Verdict{Is: Held}
	}
	return verdict
}

func (r Rule) exceedsNumber(c Count) bool { return c.LetGo+c.Waiting > r.Number }

func (r Rule) exceedsShare(c Count) bool { return (c.LetGo+c.Waiting)*100 > r.Percent*c.Total }
