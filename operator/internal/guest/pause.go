package guest

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Pause is whether a Machine's guest is to be paused, and which instance was.
type Pause struct {
	// Wanted says that the Machine's annotation vitistack.io/pause-guest is true.
	Wanted bool
	// Record is the Machine's record, where Recorded says that there is one.
	Record   vitistackv1alpha1.PauseRecord
	Recorded bool
}

// PauseOf reads what a Machine asks for, and its record. The error is that of the record.
func PauseOf(machine metav1.Object) (Pause, error) {
	record, recorded, err := vitistackv1alpha1.PauseRecordOf(machine)
	wanted := machine.GetAnnotations()[vitistackv1alpha1.AnnotationPauseGuest] == "true"
	return Pause{Wanted: wanted, Record: record, Recorded: recorded}, err
}

// Due reports whether there is something to look at, by the instance that the cache shows. Without it
// nothing costs a call. A guest that somebody resumes is not paused again before it starts anew.
func (p Pause) Due(cached *kubevirtv1.VirtualMachineInstance) bool {
	if !p.Wanted {
		return p.Recorded
	}
	return runs(cached) && (!p.of(cached) || p.Record.Stage == vitistackv1alpha1.PauseAsked)
}

// of says whether the record is about an instance.
func (p Pause) of(vmi *kubevirtv1.VirtualMachineInstance) bool {
	return p.Recorded && vmi != nil && p.Record.Instance == string(vmi.UID)
}

// Turn is what to do next about a pause.
type Turn int

// The turns.
const (
	// TurnRest: nothing, until something changes or PauseStep.After is over.
	TurnRest Turn = iota
	// TurnRecord: write the record.
	TurnRecord
	// TurnPause: write the record, ask KubeVirt to pause the guest, and write that it is paused.
	TurnPause
	// TurnResume: ask KubeVirt to resume the guest, and take the record away.
	TurnResume
	// TurnForget: take the record away.
	TurnForget
)

// PauseStep is the next step of a pause.
type PauseStep struct {
	// Do is the turn, Record what to write for it.
	Do     Turn
	Record vitistackv1alpha1.PauseRecord
	// After is when to look again although nothing changed, 0 for not.
	After time.Duration
}

// Decide says what to do next. It does no I/O. vmi is the instance by a live look, nil for none.
func (p Pause) Decide(vmi *kubevirtv1.VirtualMachineInstance, now time.Time) PauseStep {
	switch {
	case p.Wanted:
		return p.pause(vmi, now)
	case p.Recorded:
		return p.resume(vmi, now)
	default:
		return PauseStep{}
	}
}

func (p Pause) pause(vmi *kubevirtv1.VirtualMachineInstance, now time.Time) PauseStep {
	if !runs(vmi) {
		return PauseStep{} // its start is an event
	}
	record := vitistackv1alpha1.PauseRecord{Instance: string(vmi.UID), Stage: vitistackv1alpha1.PauseAsked, At: stamp(now)}
	switch {
	case !p.of(vmi) && paused(vmi):
		record.Stage = vitistackv1alpha1.PauseFound
		return PauseStep{Do: TurnRecord, Record: record}
	case !p.of(vmi):
		return PauseStep{Do: TurnPause, Record: record}
	case p.Record.Stage != vitistackv1alpha1.PauseAsked:
		return PauseStep{}
	case paused(vmi):
		return PauseStep{Do: TurnRecord, Record: p.Paused()}
	}
	if wait := p.onItsWay(now); wait > 0 {
		return PauseStep{After: wait}
	}
	return PauseStep{Do: TurnPause, Record: record}
}

// Paused is the record once KubeVirt said that the instance is paused.
func (p Pause) Paused() vitistackv1alpha1.PauseRecord {
	record := p.Record
	record.Stage = vitistackv1alpha1.PausePaused
	return record
}

// resume undoes what the operator did, and nothing else. A pause that was asked for a moment ago may
// be carried out yet.
func (p Pause) resume(vmi *kubevirtv1.VirtualMachineInstance, now time.Time) PauseStep {
	switch {
	case p.Record.Stage == vitistackv1alpha1.PauseFound, !runs(vmi), !p.of(vmi):
		return PauseStep{Do: TurnForget}
	case paused(vmi):
		return PauseStep{Do: TurnResume}
	}
	if wait := p.onItsWay(now); wait > 0 {
		return PauseStep{After: wait}
	}
	return PauseStep{Do: TurnForget}
}

// onItsWay is how long the last call may still be on its way, or its effect unseen.
func (p Pause) onItsWay(now time.Time) time.Duration { return p.Record.At.Add(AskAgain).Sub(now) }
