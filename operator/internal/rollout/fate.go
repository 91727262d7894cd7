package rollout

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// fate is what becomes of a Machine in a rollout.
type fate int

const (
	// uninvolved: it does not need what the rollout does. It counts for availability alone.
	uninvolved fate = iota
	// done: it has been restarted for this rollout, and was healthy after that.
	done
	// goes: it is under way.
	goes
	// overdue: it is under way, and is not healthy again within the deadline.
	overdue
	// waits: it can begin when it is its turn.
	waits
	// ails: it would wait for its turn, but is not healthy.
	ails
	// yields: another rollout has it.
	yields
	// stays: it cannot be begun until a person acts, or its move has ended.
	stays
	// failed: the rollout gave it up.
	failed
)

// judged is a Machine with its fate.
type judged struct {
	machine *vitistackv1alpha1.Machine
	fate    fate
	// entry is how status.inFlight goes on for it. nil where it is not under way.
	entry *vitistackv1alpha1.RolloutInFlight
	// suspect says that the Machine was asked and does not show it. Only a look past the cache tells
	// whether somebody took it back.
	suspect bool
	// healthy says that the Machine is so now.
	healthy bool
	// again is when it may be judged otherwise without an event, the zero time where that is not so.
	again time.Time
	// reason and message say why it is not done, "" where there is nothing to say.
	reason, message string
}

// unavailable says that a Machine counts against spec.maxUnavailable.
func (j judged) unavailable() bool { return j.fate == goes || j.fate == overdue || !j.healthy }

func keyOf(machine *vitistackv1alpha1.Machine) string { return machine.Namespace + "/" + machine.Name }

// judge says what becomes of a Machine. entry and given are what the status has of it.
func (f *frame) judge(
	machine *vitistackv1alpha1.Machine, entry *vitistackv1alpha1.RolloutInFlight, given *vitistackv1alpha1.RolloutFailed,
) judged {
	j := judged{machine: machine}
	ailing := f.ailing(machine)
	j.healthy = ailing == ""
	record := f.restarted(machine)
	switch {
	case given != nil && record != finished && record != overtaken:
		j.fate, j.reason, j.message = failed, given.Reason, given.Message
	case entry != nil && given == nil:
		j.under(f, *entry, record, ailing)
	case record == finished || record == overtaken:
		j.fate = done
	case asked(machine, f.rollout):
		// The status does not know what the Machine shows: somebody restored or changed it.
		j.under(f, vitistackv1alpha1.RolloutInFlight{Machine: keyOf(machine), UID: machine.UID,
			Since: metav1.NewTime(f.now.Truncate(time.Second)), Asked: true}, record, ailing)
	default:
		j.before(f, ailing)
	}
	return j
}

// under judges a Machine that is under way.
func (j *judged) under(
	f *frame, entry vitistackv1alpha1.RolloutInFlight, record restarted, ailing string,
) {
	shows := asked(j.machine, f.rollout)
	j.suspect = entry.Asked && !shows && record != finished && record != overtaken
	entry.Asked = entry.Asked || shows
	missing := cmp.Or(f.unfinished(j.machine, record), ailing)
	if missing == "" {
		if wait := time.Duration(f.rollout.Spec.MinReadySeconds) * time.Second; wait > 0 {
			if entry.HealthySince == nil { // a second later where the time is cut
				entry.HealthySince = &metav1.Time{Time: f.now.Add(time.Second - 1).Truncate(time.Second)}
			}
			if j.again = entry.HealthySince.Add(wait); f.now.Before(j.again) {
				j.fate, j.entry = goes, &entry
				return
			}
		}
		j.fate, j.again = done, time.Time{}
		return
	}
	entry.HealthySince = nil
	j.fate, j.entry, j.again = goes, &entry, entry.Since.Add(f.deadline)
	if !f.now.Before(j.again) {
		j.fate, j.again, j.reason = overdue, time.Time{}, vitistackv1alpha1.ReasonNotHealthyInTime
		j.message = fmt.Sprintf("it is not healthy again %s after it was begun: %s", f.deadline, missing)
		return
	}
	j.reason, j.message = needsPerson(j.machine)
}

// needsPerson is what a Machine says of itself where that lasts until a person acts, "" for nothing:
// that is told long before the deadline.
func needsPerson(machine *vitistackv1alpha1.Machine) (reason, message string) {
	ready := machine.Status.Condition(vitistackv1alpha1.ConditionReady)
	if ready == nil || ready.Status == metav1.ConditionTrue {
		return "", ""
	}
	if info, known := vitistackv1alpha1.InfoOf(ready.Reason); !known || info.Acts != vitistackv1alpha1.ActorPerson {
		return "", ""
	}
	return ready.Reason, ready.Message
}

// unfinished says what a Machine under way has not done yet.
func (f *frame) unfinished(machine *vitistackv1alpha1.Machine, record restarted) string {
	if record != finished && record != overtaken {
		return "its guest was not restarted yet"
	}
	if f.rollout.Spec.Action != vitistackv1alpha1.RolloutResize {
		return ""
	}
	if differs, err := f.sizes.Differs(machine, newClass(f.rollout)); err != nil {
		_, message := refusalOf(err)
		return message
	} else if differs {
		return "its guest was restarted, and is not of the size that its class gives now"
	}
	return ""
}

// before judges a Machine that was not begun.
func (j *judged) before(f *frame, ailing string) {
	needed, reason, message := f.needs(j.machine)
	switch {
	case reason != "":
		j.fate, j.reason, j.message = stays, reason, message
	case !needed:
		j.fate = uninvolved
	default:
		j.fate = waits
		if other := f.rival(j.machine); other != nil {
			j.fate, j.reason = yields, vitistackv1alpha1.ReasonRolloutUnderWay
			j.message = fmt.Sprintf("it waits until MachineRollout %s/%s is over: abort that one if this one is wanted",
				other.Namespace, other.Name)
		} else if j.reason, j.message = f.barred(j.machine); j.reason != "" {
			j.fate = stays
		} else if ailing != "" {
			j.fate, j.reason = ails, vitistackv1alpha1.ReasonMachinesNotHealthy
			j.message = "it is not begun while it is not healthy: " + ailing
		}
	}
}

// needs says whether a Machine needs what the rollout does. A reason says that nobody can tell.
func (f *frame) needs(machine *vitistackv1alpha1.Machine) (needed bool, reason, message string) {
	spec := &f.rollout.Spec
	if spec.Action == vitistackv1alpha1.RolloutRestart {
		ready := machine.Status.Condition(vitistackv1alpha1.ConditionReady)
		return wantsAll(spec) || ready != nil && ready.Reason == vitistackv1alpha1.ReasonRestartRequired, "", ""
	}
	differs, err := f.sizes.Differs(machine, newClass(f.rollout))
	if err != nil {
		reason, message = refusalOf(err)
	}
	return differs || wantsAll(spec), reason, message
}

// barred says why a Machine cannot be begun whoever's turn it is, "" where it can.
func (f *frame) barred(machine *vitistackv1alpha1.Machine) (reason, message string) {
	ledger, err := vitistackv1alpha1.LedgerOf(machine)
	switch owner := metav1.GetControllerOf(machine); {
	case machine.Annotations[vitistackv1alpha1.AnnotationPaused] == "true":
		return vitistackv1alpha1.ReasonPaused, "the operator leaves it alone: take the annotation " +
			vitistackv1alpha1.AnnotationPaused + " off"
	case err == nil && ledger.Move != "":
		return vitistackv1alpha1.ReasonMoving, "it is being moved to another cluster, and is begun when it has arrived"
	case owner != nil && newClass(f.rollout) != "" && classOf(machine) != newClass(f.rollout):
		return vitistackv1alpha1.ReasonOwnedByController, fmt.Sprintf(
			"%s %s would write its class again: change the class there", owner.Kind, owner.Name)
	}
	return "", ""
}

// ailing says what keeps a Machine from being healthy, "" where it is.
func (f *frame) ailing(machine *vitistackv1alpha1.Machine) string {
	ready := machine.Status.Condition(vitistackv1alpha1.ConditionReady)
	switch {
	case ready == nil:
		return "nothing is known of it"
	case ready.Status != metav1.ConditionTrue:
		return strings.TrimSuffix(ready.Reason+": "+ready.Message, ": ")
	case ready.ObservedGeneration != 0 && ready.ObservedGeneration != machine.Generation:
		return "Ready does not speak of its last change yet"
	}
	also := f.rollout.Spec.Healthy
	if also == nil {
		return ""
	}
	if a := also.Annotation; a != nil && machine.Annotations[a.Name] != a.Value {
		return fmt.Sprintf("its annotation %s is not %q", a.Name, a.Value)
	}
	if kind := also.ConditionType; kind != "" {
		if c := machine.Status.Condition(kind); c == nil || c.Status != metav1.ConditionTrue {
			return fmt.Sprintf("its condition %s is not True", kind)
		}
	}
	return ""
}

// restarted is what a Machine's own record says about this rollout.
type restarted int

const (
	// unrecorded: the record is of something else.
	unrecorded restarted = iota
	// begun: the restart was recorded, and is not done.
	begun
	// finished: the guest was restarted for this rollout.
	finished
	// overtaken: somebody else restarted the guest since the rollout was made, and it is as the rollout
	// wants it; or a younger rollout wanted it otherwise.
	overtaken
)

func (f *frame) restarted(machine *vitistackv1alpha1.Machine) restarted {
	record, found, err := vitistackv1alpha1.RestartRecordOf(machine)
	switch {
	case !found || err != nil:
		return unrecorded
	case record.Token == f.rollout.Token() && record.Done:
		return finished
	case record.Token == f.rollout.Token():
		return begun
	case !record.Done || record.At.Before(&f.rollout.CreationTimestamp):
		return unrecorded
	case f.rollout.Spec.Action == vitistackv1alpha1.RolloutRestart || f.younger(record.Token):
		return overtaken
	}
	if differs, err := f.sizes.Differs(machine, newClass(f.rollout)); err != nil || differs {
		return unrecorded
	}
	return overtaken
}

// asked reports whether a Machine shows what a rollout asks of it.
func asked(machine *vitistackv1alpha1.Machine, rollout *vitistackv1alpha1.MachineRollout) bool {
	class := newClass(rollout)
	return machine.Annotations[vitistackv1alpha1.AnnotationRestart] == rollout.Token() &&
		(rollout.Spec.Action != vitistackv1alpha1.RolloutResize ||
			machine.Annotations[vitistackv1alpha1.AnnotationResize] == rollout.Token()) &&
		(class == "" || classOf(machine) == class)
}
