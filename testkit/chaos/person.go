package chaos

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// rest is what lies between two looks of the person.
const rest = time.Second

// help lets a person look at the Machines again and again, and do what their conditions ask for.
func (w *world) help(ctx context.Context) (context.Context, func()) {
	helping, cancel := context.WithCancel(ctx)
	var person sync.WaitGroup
	person.Go(func() {
		said := map[string]bool{}
		for helping.Err() == nil {
			if err := w.assist(helping, said); err != nil && helping.Err() == nil {
				w.say("         the person: %v", err)
			}
			timer := time.NewTimer(rest)
			select {
			case <-timer.C:
			case <-helping.Done():
				timer.Stop()
			}
		}
	})
	return ctx, func() {
		cancel()
		person.Wait()
	}
}

// assist does what is asked for now.
func (w *world) assist(ctx context.Context, said map[string]bool) error {
	machines := &vitistackv1alpha1.MachineList{}
	if err := w.supervisor.List(ctx, machines, client.InNamespace(w.namespace)); err != nil {
		return err
	}
	var errs []error
	for i := range machines.Items {
		m := &machines.Items[i]
		if m.Annotations[vitistackv1alpha1.AnnotationPaused] != "" { // one that is being deleted waits for that without asking
			errs = append(errs, w.annotate(ctx, m.Name, vitistackv1alpha1.AnnotationPaused, ""))
		}
		ready := m.Status.Condition(vitistackv1alpha1.ConditionReady)
		if ready == nil || ready.Status == metav1.ConditionTrue {
			continue
		}
		if line := fmt.Sprintf("%s: %s: %s", m.Name, ready.Reason, ready.Message); !said[line] {
			said[line] = true
			w.say("         %s", line)
		}
		if err := w.answer(ctx, m, ready.Reason); err != nil {
			errs = append(errs, fmt.Errorf("%s %s: %w", m.Name, ready.Reason, err))
		}
	}
	return errors.Join(append(errs, w.giveUpMoves(ctx), w.takeCopies(ctx, machines.Items))...)
}

// answer is what a person does about a reason. What passes by itself needs nobody.
func (w *world) answer(ctx context.Context, m *vitistackv1alpha1.Machine, reason string) error {
	ledger, _ := vitistackv1alpha1.LedgerOf(m) // the zero ledger where there is none
	switch reason {
	case vitistackv1alpha1.ReasonDeletionHeld:
		return w.annotate(ctx, m.Name, vitistackv1alpha1.AnnotationConfirmDeletion, "true")
	case vitistackv1alpha1.ReasonChangeHeld:
		return w.annotate(ctx, m.Name, vitistackv1alpha1.AnnotationConfirmChange, "true")
	case vitistackv1alpha1.ReasonVanished:
		return w.annotate(ctx, m.Name, vitistackv1alpha1.AnnotationRecreate, ledger.VMUID)
	case vitistackv1alpha1.ReasonReferenceChanged, vitistackv1alpha1.ReasonConfigNotFound:
		return w.annotate(ctx, m.Name, vitistackv1alpha1.AnnotationKubevirtConfig, ledger.Config)
	case vitistackv1alpha1.ReasonRestartRequired:
		return w.restartGuest(ctx, ledger)
	case vitistackv1alpha1.ReasonRestartRefused, vitistackv1alpha1.ReasonGuestRightMissing:
		return w.annotate(ctx, m.Name, vitistackv1alpha1.AnnotationRestart, "")
	case vitistackv1alpha1.ReasonAdoptionRefused:
		return w.annotate(ctx, m.Name, vitistackv1alpha1.AnnotationAdopt, "")
	case vitistackv1alpha1.ReasonNameCollision, vitistackv1alpha1.ReasonDuplicateVM:
		return w.makeRoom(ctx, m)
	}
	return nil
}

// restartGuest ends the instance; a virtual machine that is to run gets another one.
func (w *world) restartGuest(ctx context.Context, ledger vitistackv1alpha1.Ledger) error {
	remote, err := w.client(ledger.Config)
	if err != nil {
		return err
	}
	meta := metav1.ObjectMeta{Namespace: ledger.Namespace, Name: ledger.VMName}
	return gone(ctx, remote, &kubevirtv1.VirtualMachineInstance{ObjectMeta: meta})
}

// makeRoom deletes what has the name of a Machine's virtual machine: what a person made, and what a
// backup brought back or forgot the Machine of.
func (w *world) makeRoom(ctx context.Context, m *vitistackv1alpha1.Machine) error {
	for cluster, remote := range w.remotes {
		vm := &kubevirtv1.VirtualMachine{}
		err := remote.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: "vm-" + m.Name}, vm)
		if client.IgnoreNotFound(err) != nil {
			return err
		}
		if err != nil || vm.Labels[vitistackv1alpha1.LabelMachineUID] == string(m.UID) || !w.mayBeOrphan(cluster, vm) {
			continue
		}
		w.say("         the person deletes %s of %s", vm.Name, cluster)
		if err := gone(ctx, remote, vm); err != nil {
			return err
		}
	}
	return nil
}

// mayBeOrphan reports whether a virtual machine without a Machine is no fault of the operator's: its
// cluster or the supervisor went back in time after it was made.
func (w *world) mayBeOrphan(cluster string, vm *kubevirtv1.VirtualMachine) bool {
	if vm.Labels[vitistackv1alpha1.LabelSupervisorUID] == foreignSupervisor {
		return true
	}
	for _, who := range []string{cluster, fleet.Supervisor} {
		if at, found := w.restored[who]; found && vm.CreationTimestamp.Time.Before(at) {
			return true
		}
	}
	return false
}

// takeCopies deletes the virtual machines whose Machine a restored etcd does not know, as `operator
// orphans` tells people to.
func (w *world) takeCopies(ctx context.Context, machines []vitistackv1alpha1.Machine) error {
	if len(w.restored) == 0 {
		return nil
	}
	known := map[string]bool{}
	for _, m := range machines {
		known[string(m.UID)] = true
	}
	for cluster, remote := range w.remotes {
		vms := &kubevirtv1.VirtualMachineList{}
		if err := remote.List(ctx, vms, client.InNamespace(w.namespace)); err != nil {
			return err
		}
		for i := range vms.Items {
			vm := &vms.Items[i]
			of := vm.Labels[vitistackv1alpha1.LabelMachineUID]
			if of == "" || known[of] || w.isPersons(vm) || vm.DeletionTimestamp != nil || !w.mayBeOrphan(cluster, vm) {
				continue
			}
			w.say("         the person deletes the orphan %s of %s", vm.Name, cluster)
			if err := gone(ctx, remote, vm); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *world) isPersons(object client.Object) bool {
	for _, each := range w.persons {
		if each.uid == object.GetUID() {
			return true
		}
	}
	return false
}

// giveUpMoves aborts the moves that wait for a person, and says which side counts where that is
// asked for.
func (w *world) giveUpMoves(ctx context.Context) error {
	moves := &vitistackv1alpha1.MachineMoveList{}
	if err := w.supervisor.List(ctx, moves, client.InNamespace(w.namespace)); err != nil {
		return err
	}
	for i := range moves.Items {
		move := &moves.Items[i]
		if move.Status.Phase.Over() || move.Spec.Abort && move.Spec.Keep != "" {
			continue
		}
		before := move.DeepCopy()
		move.Spec.Abort = true
		for _, condition := range move.Status.Conditions {
			if condition.Type == vitistackv1alpha1.ConditionReady {
				move.Spec.Keep = sideToKeep(condition.Reason)
			}
		}
		if move.Spec == before.Spec {
			continue
		}
		if err := w.supervisor.Patch(ctx, move, client.MergeFrom(before)); err != nil {
			return err
		}
	}
	return nil
}

func sideToKeep(reason string) vitistackv1alpha1.MoveSide {
	switch reason {
	case vitistackv1alpha1.ReasonSourceStarted, vitistackv1alpha1.ReasonTargetGone:
		return vitistackv1alpha1.MoveSideSource
	case vitistackv1alpha1.ReasonSourceGone, vitistackv1alpha1.ReasonMoveUndecided:
		return vitistackv1alpha1.MoveSideTarget
	default:
		return ""
	}
}

// machineOf is the Machine whose virtual machine has a name.
func (w *world) machineOf(vm string) string { return strings.TrimPrefix(vm, "vm-") }
