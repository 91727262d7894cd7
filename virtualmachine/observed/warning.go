package observed

import (
	"time"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// ourConditions are the types that this package writes, in the order in which they are asked what
// is wrong.
var ourConditions = []string{
	vitistackv1alpha1.ConditionReady,
	vitistackv1alpha1.ConditionPlaced,
	vitistackv1alpha1.ConditionRemoteReachable,
	vitistackv1alpha1.ConditionNetworkReady,
	vitistackv1alpha1.ConditionVirtualMachineReady,
	vitistackv1alpha1.ConditionNoCopies,
}

// Complaint is what a status says is wrong.
type Complaint struct {
	// Condition is the type of the condition that says so.
	Condition string
	// Reason and Message are the condition's.
	Reason, Message string
}

// Wrong is what a status says is wrong, whoever found it: the operator, KubeVirt, CDI, a quota, a
// policy or a finalizer. What every Machine passes through is not wrong.
//
// Ready is asked first. Another condition counts only where a person must act: a guest that is not
// up yet, or that nobody can ask for its addresses, is no trouble.
func Wrong(status vitistackv1alpha1.MachineStatus) (Complaint, bool) {
	for _, conditionType := range ourConditions {
		c := status.Condition(conditionType)
		// A deletion that nothing holds up is no trouble.
		if c == nil || c.Status == isTrue || c.Reason == "" || c.Message == deletingMessage {
			continue
		}
		info, _ := vitistackv1alpha1.InfoOf(c.Reason)
		decides := conditionType == vitistackv1alpha1.ConditionReady || info.Acts == vitistackv1alpha1.ActorPerson
		if decides && !info.Ordinary {
			return Complaint{Condition: conditionType, Reason: c.Reason, Message: c.Message}, true
		}
	}
	return Complaint{}, false
}

// tellAgain is how long the same reason is not told again, however often its message changes.
const tellAgain = 5 * time.Minute

// Telling is what Events have said about one Machine. The zero value is for a Machine of which
// nothing is wrong, or that is seen for the first time. The caller keeps it from one reconcile to
// the next.
type Telling struct {
	// wrong is what was wrong last, and since when.
	wrong Complaint
	since time.Time
	// told is the message of the last Event about it, "" for none, and when that was.
	told   string
	toldAt time.Time
}

// Next says whether a Warning is due: once what is wrong has lasted for the hold, and once more
// when its message has changed. before is the status that the Machine had, after the one that it
// gets. A Warning comes with the Telling to keep; else again is when to come back, 0 for not.
//
// A new leader has no Telling. What was in the status for longer than the hold was told by the
// former one, and is not told again.
func (t Telling) Next(
	before, after vitistackv1alpha1.MachineStatus, options Options, now time.Time,
) (next Telling, warning *Complaint, again time.Duration) {
	wrong, found := Wrong(after)
	if !found {
		return Telling{}, nil, 0
	}
	if !t.wrong.same(wrong) {
		t = begin(before, wrong, options, now)
	}
	t.wrong = wrong
	due := t.since.Add(options.hold())
	switch {
	case t.told == wrong.Message:
		return t, nil, 0
	case t.told != "":
		due = t.toldAt.Add(tellAgain)
	}
	if wait := due.Sub(now); wait > 0 {
		return t, nil, wait
	}
	t.told, t.toldAt = wrong.Message, now
	return t, &wrong, 0
}

// begin is the Telling of something that this operator sees for the first time.
func begin(before vitistackv1alpha1.MachineStatus, wrong Complaint, options Options, now time.Time) Telling {
	t := Telling{since: now}
	had, found := Wrong(before)
	if !found || !had.same(wrong) || before.LastUpdated == nil {
		return t
	}
	if now.Sub(before.LastUpdated.Time) > options.hold() {
		t.told, t.toldAt = wrong.Message, now
		return t
	}
	t.since = before.LastUpdated.Time
	return t
}

// same compares without the messages.
func (c Complaint) same(other Complaint) bool {
	return c.Condition == other.Condition && c.Reason == other.Reason
}
