package guest

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// AskAgain is how long a call may be on its way. KubeVirt restarts whatever instance it finds, so that
// a call of a process that ended could restart a second one if another call followed sooner. It is
// longer than the time-outs of the operator's calls, and than those within KubeVirt.
const AskAgain = 30 * time.Second

// Restart is a restart that a Machine asks for, or that is under way.
type Restart struct {
	// Token is the Machine's annotation vitistack.io/restart, "" where it asks for nothing.
	Token string
	// Record is the Machine's record, where Recorded says that there is one.
	Record   vitistackv1alpha1.RestartRecord
	Recorded bool
}

// RestartOf reads what a Machine asks for, and its record. The error is that of the record.
func RestartOf(machine metav1.Object) (Restart, error) {
	token := machine.GetAnnotations()[vitistackv1alpha1.AnnotationRestart]
	if !vitistackv1alpha1.IsGuestToken(token) {
		token = ""
	}
	record, recorded, err := vitistackv1alpha1.RestartRecordOf(machine)
	return Restart{Token: token, Record: record, Recorded: recorded}, err
}

// UnderWay reports whether a restart was begun and is not over.
func (r Restart) UnderWay() bool { return r.Recorded && !r.Record.Done }

// Due reports whether there is something to look at. Without it nothing costs a call.
func (r Restart) Due() bool {
	return r.UnderWay() || r.Token != "" && (!r.Recorded || r.Record.Token != r.Token)
}

// Step is what to do next.
type Step int

// The steps of a restart.
const (
	// StepRest: nothing, until something changes or RestartStep.After is over.
	StepRest Step = iota
	// StepRecord: write the record.
	StepRecord
	// StepAsk: write the record, and then ask for the restart.
	StepAsk
)

// RestartStep is the next step of a restart.
type RestartStep struct {
	// Do is the step, Record what to write for it.
	Do     Step
	Record vitistackv1alpha1.RestartRecord
	// After is when to look again although nothing changed, 0 for not.
	After time.Duration
}

// Decide says what to do next. It does no I/O. A restart that is under way is brought to its end
// before a newer token begins another.
func (r Restart) Decide(seen Seen, now time.Time) RestartStep {
	switch {
	case r.UnderWay():
		return r.goOn(seen, now)
	case r.Due():
		return r.begin(seen, now)
	default:
		return RestartStep{}
	}
}

// begin begins a restart. Where nothing runs there is nothing to restart: what starts next has all
// that a restart would bring in. An instance that somebody stops already is not asked to stop again.
func (r Restart) begin(seen Seen, now time.Time) RestartStep {
	record := vitistackv1alpha1.RestartRecord{Token: r.Token, At: stamp(now)}
	if !seen.lives() {
		record.Done = true
		return RestartStep{Do: StepRecord, Record: record}
	}
	record.Instance = string(seen.VMI.UID)
	if seen.ending() {
		return RestartStep{Do: StepRecord, Record: record}
	}
	return RestartStep{Do: StepAsk, Record: record}
}

// goOn brings a restart to its end.
func (r Restart) goOn(seen Seen, now time.Time) RestartStep {
	record := r.Record
	another := seen.lives() && string(seen.VMI.UID) != record.Instance
	switch {
	case another && runs(seen.VMI) && !seen.ending(), seen.staysOff():
		record.Done = true
		return RestartStep{Do: StepRecord, Record: record}
	case another || !seen.lives() || seen.ending():
		return RestartStep{} // KubeVirt is at it, and each of its steps is an event
	}
	if wait := record.At.Add(AskAgain).Sub(now); wait > 0 {
		return RestartStep{After: wait}
	}
	record.At = stamp(now)
	return RestartStep{Do: StepAsk, Record: record}
}

// Consumed is the record of a token that a VirtualMachine was made, or taken over, with: nothing was
// there that it could mean. needed is false where the Machine asks for nothing.
func (r Restart) Consumed(now time.Time) (record vitistackv1alpha1.RestartRecord, needed bool) {
	switch {
	case !r.Due():
		return record, false
	case r.Token == "":
		record = r.Record
		record.Done = true
		return record, true
	default:
		return vitistackv1alpha1.RestartRecord{Token: r.Token, At: stamp(now), Done: true}, true
	}
}

// stamp is a time as records have it.
func stamp(now time.Time) metav1.Time { return metav1.NewTime(now.UTC().Truncate(time.Second)) }
