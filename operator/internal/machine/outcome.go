package machine

import (
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

const (
	// conflictRetry is how long the cache gets to catch up where a Machine was changed under our hands.
	conflictRetry = 200 * time.Millisecond
	// blockedRetry is when something is looked at again that a person must change where no event comes from: in a remote cluster, or on
	// an object that is not ours.
	blockedRetry = 5 * time.Minute
)

// Wait ends a pass: the next step is possible only after something that happens by itself.
type Wait struct {
	// Condition is the type of the condition that says so.
	Condition string
	// Reason is one of the reasons of package v1alpha1, Message a stable sentence for people.
	Reason, Message string
	// After is when to look again; 0 where an event will tell.
	After time.Duration
	// Since is when contact was lost, for waits for a remote cluster.
	Since time.Time
}

// Error returns Message.
func (w *Wait) Error() string { return w.Message }

// Blocked ends a pass: nothing will change until a person acts.
type Blocked struct {
	// Condition is the type of the condition that says so.
	Condition string
	// Reason is one of the reasons of package v1alpha1, Message a stable sentence for people.
	Reason, Message string
	// After is when to look again; 0 where an event tells what the person did.
	After time.Duration
}

// Error returns Message.
func (b *Blocked) Error() string { return b.Message }

// done ends a pass early and well.
var errDone = errors.New("nothing is left to do")

// outcome is what became of a pass.
type outcome struct {
	problem *observed.Problem // for the status, or nil
	after   time.Duration     // when to come back, 0 for not
	stale   bool              // what was seen is older than what is there: it is no status
	err     error             // to be tried again with back-off, or nil
}

// settle turns what a step returned into an outcome. Refusals and waits of the pure packages concern the step's own condition.
func settle(err error, condition string) outcome {
	if refusal, ok := errors.AsType[*desired.Refusal](err); ok {
		blocked := &Blocked{Condition: condition, Reason: refusal.Reason, Message: refusal.Message}
		if refusal.Reason == vitistackv1alpha1.ReasonNetworkConfigurationConflict {
			blocked.After = blockedRetry
		}
		err = blocked
	}
	if wait, ok := errors.AsType[*desired.Wait](err); ok {
		if wait.Reason == vitistackv1alpha1.ReasonWaitingForAddresses { // whichever step needs them
			condition = vitistackv1alpha1.ConditionNetworkReady
		}
		err = &Wait{Condition: condition, Reason: wait.Reason, Message: wait.Message, After: sourceRetry}
	}
	if wait, ok := errors.AsType[*Wait](err); ok {
		problem := &observed.Problem{Condition: wait.Condition, Reason: wait.Reason, Message: wait.Message, Since: wait.Since}
		return outcome{problem: problem, after: wait.After}
	}
	if blocked, ok := errors.AsType[*Blocked](err); ok {
		problem := &observed.Problem{Condition: blocked.Condition, Reason: blocked.Reason, Message: blocked.Message, Blocked: true}
		return outcome{problem: problem, after: blocked.After}
	}
	switch {
	case err == nil, errors.Is(err, errDone):
		return outcome{}
	case apierrors.IsConflict(err):
		return outcome{after: conflictRetry, stale: true}
	default:
		return outcome{err: err}
	}
}
