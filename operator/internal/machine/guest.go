package machine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/guest"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/provision"
)

// attended is what the step for the guest left.
type attended struct {
	machine *vitistackv1alpha1.Machine
	noted   error         // a problem that ends nothing
	later   time.Duration // when to look again although nothing changed, 0 for not
}

// attend restarts, pauses and resumes the guest as people asked for it. The VirtualMachine has all
// that the Machine wishes by then, so that a restart brings it in. It costs no call where nobody asked
// for anything new. A guest is not paused while it is being restarted.
func (r *MachineReconciler) attend(
	ctx context.Context, job provision.Job, vm *kubevirtv1.VirtualMachine, instance provision.Instance,
) (attended, error) {
	result := attended{machine: job.Machine}
	if vm == nil || !vm.DeletionTimestamp.IsZero() {
		return result, nil
	}
	restart, err := guest.RestartOf(job.Machine)
	if err != nil {
		return result, unreadable(vitistackv1alpha1.AnnotationPlacementRestart, err)
	}
	if tooLong(job.Machine) {
		result.noted = problem.Person(vitistackv1alpha1.ConditionReady, vitistackv1alpha1.ReasonInvalidSpec,
			"annotation %s has more than %d bytes: give it a shorter token", vitistackv1alpha1.AnnotationRestart,
			vitistackv1alpha1.MaxGuestToken)
	}
	if err := r.mayRestart(ctx, job, restart, instance.VMI); err != nil {
		p, isProblem := problem.As(err)
		if !isProblem || p.After == 0 {
			return result, err
		}
		result.noted, result.later = err, p.After
		return result, nil
	}
	if restart.Due() {
		return r.restart(ctx, job, vm, restart)
	}
	pause, err := guest.PauseOf(job.Machine)
	if err != nil {
		return result, unreadable(vitistackv1alpha1.AnnotationPlacementPause, err)
	}
	if !pause.Due(instance.VMI) {
		return result, nil
	}
	return r.pause(ctx, job, vm, pause)
}

// consumed is the record of a restart that a VirtualMachine which was just made or taken over has
// behind it, nil where the Machine asks for none.
func (r *MachineReconciler) consumed(machine *vitistackv1alpha1.Machine) *vitistackv1alpha1.RestartRecord {
	restart, err := guest.RestartOf(machine)
	if err != nil {
		return nil // which is told once the guest is looked after
	}
	if record, needed := restart.Consumed(r.clock.Now()); needed {
		return &record
	}
	return nil
}

// unreadable says that a record of the operator's was changed by somebody. Nothing is guessed.
func unreadable(annotation string, err error) error {
	return problem.Person(vitistackv1alpha1.ConditionReady, vitistackv1alpha1.ReasonGuestRecordInvalid,
		"annotation %s cannot be read (%v); take it off, nothing is asked of the guest until then", annotation, err)
}

// tooLong says whether a Machine asks for a restart with something that is no token.
func tooLong(machine *vitistackv1alpha1.Machine) bool {
	token := machine.Annotations[vitistackv1alpha1.AnnotationRestart]
	return token != "" && !vitistackv1alpha1.IsGuestToken(token)
}

// restart takes a restart one step on.
func (r *MachineReconciler) restart(
	ctx context.Context, job provision.Job, vm *kubevirtv1.VirtualMachine, restart guest.Restart,
) (attended, error) {
	result := attended{machine: job.Machine}
	seen, err := r.lookAtGuest(ctx, job, vm)
	if err != nil {
		return result, err
	}
	step := restart.Decide(seen, job.Now)
	if result.later = step.After; step.Do == guest.StepRest {
		result.noted = restarting(restart)
		return result, r.refused(job.Machine, step.After)
	}
	result.machine, err = r.noteGuest(ctx, job.Machine, vitistackv1alpha1.AnnotationPlacementRestart, step.Record.String())
	if err != nil {
		return result, err
	}
	if step.Record.Done {
		r.tellRestarted(ctx, job, result.machine, step.Record, seen)
		return result, nil
	}
	if step.Do == guest.StepRecord {
		result.noted = restarting(restart)
		return result, nil
	}
	if err := callOf(job, vm, guest.VerbRestart).Ask(ctx, r.KubevirtClientMgr); err != nil {
		return result, err
	}
	log.FromContext(ctx).Info("Asked for a restart of the guest", "kubevirtConfig", job.Remote.Config, "vm", vm.Name)
	result.noted, result.later = restarting(restart), guest.AskAgain // should KubeVirt do nothing about it
	return result, nil
}

// restarting says that a restart is under way.
func restarting(restart guest.Restart) error {
	token := restart.Token
	if restart.UnderWay() {
		token = restart.Record.Token
	}
	return problem.Cluster(vitistackv1alpha1.ConditionReady, vitistackv1alpha1.ReasonRestarting,
		"the guest is being restarted, as annotation %s asks with %q", vitistackv1alpha1.AnnotationRestart, token)
}

// refused is why the last call was refused, while the next one waits: that stays told, and is no end of
// the row of attempts. It is nil where nothing waits.
func (r *MachineReconciler) refused(machine *vitistackv1alpha1.Machine, wait time.Duration) error {
	row, found := r.memory.streaks.Of(client.ObjectKeyFromObject(machine), asks(machine))
	if last, isProblem := problem.As(row.Last); found && wait > 0 && isProblem && last.Attempted &&
		last.Condition == vitistackv1alpha1.ConditionReady {
		return last
	}
	return nil
}

// tellRestarted tells how a restart ended.
func (r *MachineReconciler) tellRestarted(
	ctx context.Context, job provision.Job, machine *vitistackv1alpha1.Machine, record vitistackv1alpha1.RestartRecord,
	seen guest.Seen,
) {
	if record.Instance == "" || seen.VMI == nil || string(seen.VMI.UID) == record.Instance {
		r.event(machine, eventNormal, "NothingToRestart", "Restart",
			fmt.Sprintf("the guest of VirtualMachine %s in %s does not run: restart %q had nothing to do",
				job.Ledger.VMName, job.Remote.Config, record.Token))
		return
	}
	log.FromContext(ctx).Info("Restarted the guest", "kubevirtConfig", job.Remote.Config, "vm", job.Ledger.VMName)
	r.event(machine, eventNormal, "Restarted", "Restart",
		fmt.Sprintf("restarted the guest of VirtualMachine %s in %s for %q", job.Ledger.VMName, job.Remote.Config,
			record.Token))
}

// pause takes a pause, or its end, one step on.
func (r *MachineReconciler) pause(
	ctx context.Context, job provision.Job, vm *kubevirtv1.VirtualMachine, pause guest.Pause,
) (attended, error) {
	result := attended{machine: job.Machine}
	seen, err := r.lookAtGuest(ctx, job, vm)
	if err != nil {
		return result, err
	}
	step := pause.Decide(seen.VMI, job.Now)
	result.later = step.After
	switch step.Do {
	case guest.TurnRest:
		err = r.refused(job.Machine, step.After)
	case guest.TurnRecord:
		result.machine, err = r.notePause(ctx, job.Machine, step.Record)
	case guest.TurnPause:
		result.machine, err = r.freeze(ctx, job, vm, step.Record)
	case guest.TurnResume:
		result.machine, err = r.thaw(ctx, job, vm)
	case guest.TurnForget:
		result.machine, err = r.noteGuest(ctx, job.Machine, vitistackv1alpha1.AnnotationPlacementPause, "")
	}
	return result, err
}

// freeze records that the guest is about to be paused, has it paused, and records that.
func (r *MachineReconciler) freeze(
	ctx context.Context, job provision.Job, vm *kubevirtv1.VirtualMachine, record vitistackv1alpha1.PauseRecord,
) (*vitistackv1alpha1.Machine, error) {
	written, err := r.notePause(ctx, job.Machine, record)
	if err != nil {
		return written, err
	}
	if err := callOf(job, vm, guest.VerbPause).Ask(ctx, r.KubevirtClientMgr); err != nil {
		return written, err
	}
	r.event(written, eventNormal, "GuestPaused", "Pause",
		fmt.Sprintf("paused the guest of VirtualMachine %s in %s", vm.Name, job.Remote.Config))
	return r.notePause(ctx, written, guest.Pause{Record: record}.Paused())
}

// thaw has the guest resumed that the operator paused, and forgets it.
func (r *MachineReconciler) thaw(
	ctx context.Context, job provision.Job, vm *kubevirtv1.VirtualMachine,
) (*vitistackv1alpha1.Machine, error) {
	if err := callOf(job, vm, guest.VerbResume).Ask(ctx, r.KubevirtClientMgr); err != nil {
		return job.Machine, err
	}
	r.event(job.Machine, eventNormal, "GuestResumed", "Resume",
		fmt.Sprintf("resumed the guest of VirtualMachine %s in %s", vm.Name, job.Remote.Config))
	return r.noteGuest(ctx, job.Machine, vitistackv1alpha1.AnnotationPlacementPause, "")
}

func callOf(job provision.Job, vm *kubevirtv1.VirtualMachine, verb guest.Verb) guest.Call {
	return guest.Call{Config: job.Remote.Config, Namespace: vm.Namespace, Name: vm.Name, Verb: verb}
}

// lookAtGuest asks the cluster itself for the VirtualMachine and then for its instance, unless the last
// attempt was refused and the next one is not due. A VirtualMachine of another UID, and an instance that
// is not the VirtualMachine's, are not looked at.
func (r *MachineReconciler) lookAtGuest(
	ctx context.Context, job provision.Job, vm *kubevirtv1.VirtualMachine,
) (guest.Seen, error) {
	if err := r.held(job.Machine); err != nil {
		return guest.Seen{}, err
	}
	const ready = vitistackv1alpha1.ConditionReady
	at := problem.At{Condition: ready, Doing: "looking at the guest of VirtualMachine " + vm.Name}
	key := client.ObjectKeyFromObject(vm)
	live, instance := &kubevirtv1.VirtualMachine{}, &kubevirtv1.VirtualMachineInstance{}
	if err := job.Remote.Server.Get(ctx, key, live); err != nil {
		return guest.Seen{}, problem.Remote(err, job.Remote.Config, at)
	}
	if live.UID != vm.UID {
		err := apierrors.NewConflict(kubevirtv1.Resource("virtualmachines"), vm.Name,
			errors.New("another one has its name now"))
		return guest.Seen{}, problem.Remote(err, job.Remote.Config, at)
	}
	err := job.Remote.Server.Get(ctx, key, instance)
	switch {
	case apierrors.IsNotFound(err):
		return guest.Seen{VM: live}, nil
	case err != nil:
		return guest.Seen{}, problem.Remote(err, job.Remote.Config, at)
	case !metav1.IsControlledBy(instance, live):
		return guest.Seen{VM: live}, nil
	}
	return guest.Seen{VM: live, VMI: instance}, nil
}

func (r *MachineReconciler) notePause(
	ctx context.Context, machine *vitistackv1alpha1.Machine, record vitistackv1alpha1.PauseRecord,
) (*vitistackv1alpha1.Machine, error) {
	return r.noteGuest(ctx, machine, vitistackv1alpha1.AnnotationPlacementPause, record.String())
}

// noteGuest writes a record into the Machine, or takes it away where it is "". The patch fails if the
// Machine was changed since it was read, so that of two processes one alone asks for anything.
func (r *MachineReconciler) noteGuest(
	ctx context.Context, machine *vitistackv1alpha1.Machine, annotation, record string,
) (*vitistackv1alpha1.Machine, error) {
	written := machine.DeepCopy()
	written.Annotations = maps.Clone(machine.Annotations)
	if written.Annotations[annotation] = record; record == "" {
		delete(written.Annotations, annotation)
	}
	patch := client.MergeFromWithOptions(machine, client.MergeFromWithOptimisticLock{})
	if err := r.Patch(ctx, written, patch); err != nil {
		at := problem.At{Condition: vitistackv1alpha1.ConditionReady, Doing: "recording what is asked of the guest"}
		return machine, problem.Written(problem.Supervisor(err, at))
	}
	return written, nil
}
