package chaos

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// person does what the conditions of Machines ask people for.
type person struct {
	*world
	said map[string]bool
	// acted counts what was done.
	acted int
}

// assist does what is asked for now.
func (p *person) assist(ctx context.Context) error {
	machines := &vitistackv1alpha1.MachineList{}
	if err := p.supervisor.List(ctx, machines, client.InNamespace(p.namespace)); err != nil {
		return err
	}
	var errs []error
	for i := range machines.Items {
		m := &machines.Items[i]
		if m.Annotations[vitistackv1alpha1.AnnotationPaused] != "" {
			// One that is being deleted waits for that, and does not ask.
			errs = append(errs, p.consent(ctx, m, vitistackv1alpha1.AnnotationPaused, ""))
		}
		ready := m.Status.Condition(vitistackv1alpha1.ConditionReady)
		if ready == nil || ready.Status == metav1.ConditionTrue {
			continue
		}
		if line := fmt.Sprintf("%s: %s: %s", m.Name, ready.Reason, ready.Message); !p.said[line] {
			p.said[line] = true
			p.say("         %s", line)
		}
		if err := p.answer(ctx, m, ready.Reason); err != nil {
			errs = append(errs, fmt.Errorf("%s %s: %w", m.Name, ready.Reason, err))
		}
	}
	return errors.Join(append(errs, p.giveUpMoves(ctx), p.giveUpRollouts(ctx), p.takeOrphans(ctx, machines.Items))...)
}

// consent writes an annotation that is not there yet.
func (p *person) consent(ctx context.Context, m *vitistackv1alpha1.Machine, annotation, value string) error {
	if m.Annotations[annotation] == value {
		return nil
	}
	p.acted++
	return p.annotate(ctx, m.Name, annotation, value)
}

// answer is what a person does about a reason. What passes by itself needs nobody.
func (p *person) answer(ctx context.Context, m *vitistackv1alpha1.Machine, reason string) error {
	ledger, _ := vitistackv1alpha1.LedgerOf(m) // the zero ledger where there is none
	switch reason {
	case vitistackv1alpha1.ReasonDeletionHeld:
		return p.consent(ctx, m, vitistackv1alpha1.AnnotationConfirmDeletion, "true")
	case vitistackv1alpha1.ReasonChangeHeld:
		return p.consent(ctx, m, vitistackv1alpha1.AnnotationConfirmChange, "true")
	case vitistackv1alpha1.ReasonVanished:
		return p.consent(ctx, m, vitistackv1alpha1.AnnotationRecreate, ledger.VMUID)
	case vitistackv1alpha1.ReasonReferenceChanged, vitistackv1alpha1.ReasonConfigNotFound:
		return p.consent(ctx, m, vitistackv1alpha1.AnnotationKubevirtConfig, ledger.Config)
	case vitistackv1alpha1.ReasonRestartRequired:
		return p.restartGuest(ctx, ledger)
	case vitistackv1alpha1.ReasonRestartRefused, vitistackv1alpha1.ReasonGuestRightMissing,
		vitistackv1alpha1.ReasonKindMissing:
		return p.restartByHand(ctx, m, ledger)
	case vitistackv1alpha1.ReasonAdoptionRefused:
		return p.consent(ctx, m, vitistackv1alpha1.AnnotationAdopt, "")
	case vitistackv1alpha1.ReasonNameCollision, vitistackv1alpha1.ReasonDuplicateVM:
		return p.makeRoom(ctx, m)
	}
	return nil
}

// restartByHand does once what the operator was asked for and cannot do, for example where no
// virt-api serves it: a restart that is recorded is over when there is another instance.
func (p *person) restartByHand(
	ctx context.Context, m *vitistackv1alpha1.Machine, ledger vitistackv1alpha1.Ledger,
) error {
	if err := p.consent(ctx, m, vitistackv1alpha1.AnnotationRestart, ""); err != nil {
		return err
	}
	once := "restarted by hand: " + string(m.UID)
	if p.said[once] {
		return nil
	}
	p.said[once] = true
	return p.restartGuest(ctx, ledger)
}

// restartGuest ends the instance; a virtual machine that is to run gets another one.
func (p *person) restartGuest(ctx context.Context, ledger vitistackv1alpha1.Ledger) error {
	remote, err := p.client(ledger.Config)
	if err != nil {
		return err
	}
	p.acted++
	meta := metav1.ObjectMeta{Namespace: ledger.Namespace, Name: ledger.VMName}
	return gone(ctx, remote, &kubevirtv1.VirtualMachineInstance{ObjectMeta: meta})
}

// makeRoom deletes what has the name of a Machine's virtual machine: what a person made, and what a
// backup brought back or forgot the Machine of.
func (p *person) makeRoom(ctx context.Context, m *vitistackv1alpha1.Machine) error {
	for cluster, remote := range p.remotes {
		vm := &kubevirtv1.VirtualMachine{}
		err := remote.Get(ctx, client.ObjectKey{Namespace: p.namespace, Name: "vm-" + m.Name}, vm)
		if client.IgnoreNotFound(err) != nil {
			return err
		}
		if err != nil || !p.isPersons(vm) &&
			(vm.Labels[vitistackv1alpha1.LabelMachineUID] == string(m.UID) || !p.mayBeOrphan(cluster, vm)) {
			continue
		}
		p.acted++
		p.say("         the person deletes %s of %s", vm.Name, cluster)
		p.takenBack[vm.UID] = true
		if err := gone(ctx, remote, vm); err != nil {
			return err
		}
	}
	return nil
}

// mayBeOrphan reports whether a virtual machine without a Machine is no fault of the operator's: its
// cluster or the supervisor went back in time after it was made, or a person kept it.
func (w *world) mayBeOrphan(cluster string, vm *kubevirtv1.VirtualMachine) bool {
	if vm.Labels[vitistackv1alpha1.LabelSupervisorUID] == foreignSupervisor ||
		w.kept[types.UID(vm.Labels[vitistackv1alpha1.LabelMachineUID])] {
		return true
	}
	for _, who := range []string{cluster, fleet.Supervisor} {
		if at, found := w.restored[who]; found && vm.CreationTimestamp.Time.Before(at) {
			return true
		}
	}
	return false
}

// takeOrphans deletes the virtual machines whose Machine a restored etcd does not know, or that a person
// kept, as `operator orphans` tells people to.
func (p *person) takeOrphans(ctx context.Context, machines []vitistackv1alpha1.Machine) error {
	if len(p.restored) == 0 && len(p.kept) == 0 {
		return nil
	}
	known := map[string]bool{}
	for _, m := range machines {
		known[string(m.UID)] = true
	}
	for cluster, remote := range p.remotes {
		vms := &kubevirtv1.VirtualMachineList{}
		if err := remote.List(ctx, vms, client.InNamespace(p.namespace)); err != nil {
			return err
		}
		for i := range vms.Items {
			vm := &vms.Items[i]
			of := vm.Labels[vitistackv1alpha1.LabelMachineUID]
			if of == "" || known[of] || p.isPersons(vm) || vm.DeletionTimestamp != nil || !p.mayBeOrphan(cluster, vm) {
				continue
			}
			p.acted++
			p.say("         the person deletes the orphan %s of %s", vm.Name, cluster)
			if err := gone(ctx, remote, vm); err != nil {
				return err
			}
		}
	}
	return p.takeAddresses(ctx, known)
}

// takeAddresses deletes the NetworkConfigurations that wait with a virtual machine that was kept.
func (p *person) takeAddresses(ctx context.Context, known map[string]bool) error {
	configurations := &vitistackv1alpha1.NetworkConfigurationList{}
	if err := p.supervisor.List(ctx, configurations, client.InNamespace(p.namespace)); err != nil {
		return err
	}
	for i := range configurations.Items {
		of := configurations.Items[i].Labels[vitistackv1alpha1.LabelMachineUID]
		if known[of] || !p.kept[types.UID(of)] {
			continue
		}
		if err := gone(ctx, p.supervisor, &configurations.Items[i]); err != nil {
			return err
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
func (p *person) giveUpMoves(ctx context.Context) error {
	moves := &vitistackv1alpha1.MachineMoveList{}
	if err := p.supervisor.List(ctx, moves, client.InNamespace(p.namespace)); err != nil {
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
		p.acted++
		if err := p.supervisor.Patch(ctx, move, client.MergeFrom(before)); err != nil {
			return err
		}
	}
	return nil
}

// giveUpRollouts aborts rollouts: their Machines are done one after the other, which takes minutes.
func (p *person) giveUpRollouts(ctx context.Context) error {
	rollouts := &vitistackv1alpha1.MachineRolloutList{}
	if err := p.supervisor.List(ctx, rollouts, client.InNamespace(p.namespace)); err != nil {
		return err
	}
	for i := range rollouts.Items {
		rollout := &rollouts.Items[i]
		if rollout.Spec.Abort || rollout.Status.Phase.Over() {
			continue
		}
		before := rollout.DeepCopy()
		rollout.Spec.Abort = true
		p.acted++
		if err := p.supervisor.Patch(ctx, rollout, client.MergeFrom(before)); err != nil {
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
