package observer

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// What a Violation may break beside I1 to I16.
const (
	// Leak: something is left of a Machine that is gone.
	Leak = "leak"
	// Loop: the operator asks again and again.
	Loop = "loop"
	// Convergence: a Machine is not as its spec asks although nothing hinders that.
	Convergence = "convergence"
)

// Violation is one thing that must not be.
type Violation struct {
	// Invariant is I1 to I16, Leak, Loop or Convergence.
	Invariant string
	// Cluster is the name of the cluster where it was seen, "" for the fleet.
	Cluster string
	// Object is what it is about: "virtualmachines shop/vm-web".
	Object string
	// Message says what is so, in a sentence.
	Message string
	// At is when it was seen.
	At time.Time

	about []types.UID // the Machine and the objects: for excuses
}

// String is the violation on one line.
func (v Violation) String() string {
	return fmt.Sprintf("%s %s: %s %s: %s",
		v.At.UTC().Format("15:04:05.000"), v.Invariant, cmp.Or(v.Cluster, "fleet"), v.Object, v.Message)
}

// key is the same for a violation that is found again.
func (v Violation) key() string {
	return fmt.Sprint(v.Invariant, "\x00", v.Cluster, "\x00", v.Object, "\x00", v.Message)
}

// excuse is what a person did.
type excuse struct {
	reason     string
	uid        types.UID
	invariants []string // empty for all
}

// covers reports whether the excuse is one for a violation.
func (e excuse) covers(v Violation) bool {
	return slices.Contains(v.about, e.uid) && (len(e.invariants) == 0 || slices.Contains(e.invariants, v.Invariant))
}

// unexcused returns the violations that no excuse covers, by time.
func unexcused(violations []Violation, excuses []excuse) []Violation {
	left := slices.DeleteFunc(slices.Clone(violations), func(v Violation) bool {
		return slices.ContainsFunc(excuses, func(e excuse) bool { return e.covers(v) })
	})
	slices.SortStableFunc(left, func(a, b Violation) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.key(), b.key()))
	})
	return left
}
