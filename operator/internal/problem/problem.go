package problem

import (
	"errors"
	"fmt"
	"time"

	"github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// Problem ends a reconcile. It is an error, so that steps return it like any other.
type Problem struct {
	observed.Problem
	// Stale says that what was read is older than what is there: it is read again soon, and told
	// only if that lasts.
	Stale bool
	// Attempted says that it came of an attempt to write, which is not repeated before it is due.
	Attempted bool
	// After is the least time until the next attempt, 0 for what the back-off says.
	After time.Duration
}

// Error returns the message.
func (p *Problem) Error() string { return p.Message }

// Person is a problem that lasts until a person acts.
func Person(condition, reason, format string, args ...any) *Problem {
	return made(v1alpha1.ActorPerson, condition, reason, format, args...)
}

// Cluster is a problem that lasts until a remote cluster, or somebody who looks after it, acts.
func Cluster(condition, reason, format string, args ...any) *Problem {
	return made(v1alpha1.ActorCluster, condition, reason, format, args...)
}

// Time is a problem that passes by itself.
func Time(condition, reason, format string, args ...any) *Problem {
	return made(v1alpha1.ActorTime, condition, reason, format, args...)
}

func made(acts v1alpha1.Actor, condition, reason, format string, args ...any) *Problem {
	return &Problem{Problem: observed.Problem{
		Condition: condition, Reason: reason, Message: fmt.Sprintf(format, args...), Acts: acts,
	}}
}

// Attempted marks a problem that came of an attempt to write. What passes by itself is not marked:
// an event that ends it is followed at once.
func Attempted(err error) error {
	if p, ok := As(err); ok && p.Acts != v1alpha1.ActorTime {
		p.Attempted = true
	}
	return err
}

// Written marks a problem of a write to the supervisor that came back, whoever must act: no event
// tells of the end of a webhook's failure. What was only behind is not marked.
func Written(err error) error {
	if p, ok := As(err); ok && !p.Stale {
		p.Attempted = true
	}
	return err
}

// As returns the Problem in an error's chain.
func As(err error) (*Problem, bool) { return errors.AsType[*Problem](err) }
