package machine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/brake"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/guest"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/provision"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// mayDelete asks the brake before anything is deleted in a remote cluster. wait is after how long to
// ask again, 0 where it may go. A deletion that has begun is not asked about, and neither is one whose
// Machine a person released by name.
func (r *MachineReconciler) mayDelete(
	ctx context.Context, machine *vitistackv1alpha1.Machine, ledger vitistackv1alpha1.Ledger,
) (wait time.Duration, err error) {
	for _, kind := range []brake.Kind{brake.Change, brake.Restart} {
		r.brake.Withdraw(kind, client.ObjectKeyFromObject(machine))
	}
	if brake.IsReleased(machine) || r.hasBegun(ctx, machine, ledger) || isAbandoned(machine, ledger.Config) {
		return 0, nil
	}
	reply, err := r.brake.Ask(ctx, brake.Question{
		Kind: brake.Deletion, Machine: machine, Config: ledger.Config, Held: brake.IsHeld(machine),
	})
	if err != nil {
		return 0, problem.Supervisor(err,
			problem.At{Condition: vitistackv1alpha1.ConditionReady, Doing: "asking whether the Machine may be deleted"})
	}
	switch reply.Is {
	case brake.Settle:
		return reply.After, nil
	case brake.Held:
		r.tellBite(ctx, machine, ledger.Config, brake.Deletion, reply)
		return 0, r.deletionHeld(machine, reply)
	default:
		return 0, nil
	}
}

// hasBegun reports whether the deletion of the VirtualMachine is under way, by the operator or by
// somebody else.
func (r *MachineReconciler) hasBegun(
	ctx context.Context, machine *vitistackv1alpha1.Machine, ledger vitistackv1alpha1.Ledger,
) bool {
	if brake.Begun(machine) {
		return true
	}
	vm := r.cached(ctx, ledger)
	return vm != nil && ledger.VMUID != "" && vm.UID == types.UID(ledger.VMUID) && !vm.DeletionTimestamp.IsZero()
}

// isAbandoned reports whether a person let this very Machine go, whatever its cluster answers.
func isAbandoned(machine *vitistackv1alpha1.Machine, config string) bool {
	value := machine.Annotations[vitistackv1alpha1.AnnotationForceRelease]
	return value == config || value == config+vitistackv1alpha1.ForceReleaseDeleteLater
}

// deletionHeld says what a person can do.
func (r *MachineReconciler) deletionHeld(machine *vitistackv1alpha1.Machine, reply brake.Reply) error {
	name := machine.Namespace + "/" + machine.Name
	held := problem.Person(vitistackv1alpha1.ConditionDeletionHeld, vitistackv1alpha1.ReasonDeletionHeld,
		"the deletion is held, because more Machines are deleted at once than --deletion-brake=%s lets go; nothing of its "+
			"virtual machine is deleted until a person acts: kubectl machine confirm %s deletes it (annotation %s: \"true\"), "+
			"kubectl machine keep %s keeps it for the next Machine of this name (annotation %s: \"true\")%s",
		r.brake.Rule(), name, vitistackv1alpha1.AnnotationConfirmDeletion, name, vitistackv1alpha1.AnnotationKeepVM,
		suffixOf(reply.Wrong))
	held.After = wake.LongestWait // an event tells what a person has said
	return held
}

func suffixOf(wrong string) string {
	if wrong == "" {
		return ""
	}
	return "; " + wrong
}

// mayChange asks the brake about a change that stops a guest which runs, or reaches it by a restart
// alone.
func (r *MachineReconciler) mayChange(ctx context.Context, job provision.Job, now, last desired.Wish) error {
	if !now.Stops(last) && !now.NeedsRestart(last) || r.isRolledOut(ctx, job.Machine) {
		r.brake.Withdraw(brake.Change, client.ObjectKeyFromObject(job.Machine))
		return nil
	}
	return r.mayDisturb(ctx, job, brake.Change, disturbance{
		asks: "a change that stops their guests or needs a restart", stays: "the virtual machine stays as it is",
		back: "take the change back",
	})
}

// mayRestart asks the brake about a restart that a person asked for and that is not under way.
func (r *MachineReconciler) mayRestart(
	ctx context.Context, job provision.Job, restart guest.Restart, instance *kubevirtv1.VirtualMachineInstance,
) error {
	if !restart.Due() || restart.UnderWay() || instance == nil || r.isRolledOut(ctx, job.Machine) {
		r.brake.Withdraw(brake.Restart, client.ObjectKeyFromObject(job.Machine))
		return nil
	}
	return r.mayDisturb(ctx, job, brake.Restart, disturbance{
		asks: "a restart", stays: "the guest runs on",
		back: "take the annotation " + vitistackv1alpha1.AnnotationRestart + " back",
	})
}

// isRolledOut reports whether a rollout is at work on a Machine: that goes a few at a time by itself,
// and says in its own status which ones.
func (r *MachineReconciler) isRolledOut(ctx context.Context, machine *vitistackv1alpha1.Machine) bool {
	token := machine.Annotations[vitistackv1alpha1.AnnotationRestart]
	if !strings.HasPrefix(token, vitistackv1alpha1.RolloutTokenPrefix) {
		return false
	}
	rollouts := &vitistackv1alpha1.MachineRolloutList{}
	if err := r.List(ctx, rollouts, client.UnsafeDisableDeepCopy); err != nil {
		return false // then it is a restart like any other
	}
	for i := range rollouts.Items {
		if rollouts.Items[i].Token() == token {
			return slices.ContainsFunc(rollouts.Items[i].Status.InFlight, func(f vitistackv1alpha1.RolloutInFlight) bool {
				return f.UID == machine.UID
			})
		}
	}
	return false
}

// disturbance is what the brake is asked about, in words for people.
type disturbance struct{ asks, stays, back string }

// mayDisturb asks the brake about what disturbs a guest that runs.
func (r *MachineReconciler) mayDisturb(
	ctx context.Context, job provision.Job, kind brake.Kind, words disturbance,
) error {
	was := job.Machine.Status.Condition(vmReady)
	reply, err := r.brake.Ask(ctx, brake.Question{Kind: kind, Machine: job.Machine, Config: job.Ledger.Config,
		Held: was != nil && was.Reason == vitistackv1alpha1.ReasonChangeHeld})
	if err != nil {
		return problem.Supervisor(err,
			problem.At{Condition: vmReady, Doing: "asking whether the guest may be disturbed"})
	}
	switch reply.Is {
	case brake.Settle:
		settling := problem.Time(vmReady, vitistackv1alpha1.ReasonApplying,
			"many Machines ask at once for %s: it waits until no more come", words.asks)
		settling.After = reply.After
		return settling
	case brake.Held:
		r.tellBite(ctx, job.Machine, job.Ledger.Config, kind, reply)
		held := problem.Person(vmReady, vitistackv1alpha1.ReasonChangeHeld,
			"the %s is held, because more Machines ask at once for %s than --deletion-brake=%s lets go; %s until a person acts: "+
				"kubectl machine confirm --change %s lets it go (annotation %s: \"true\"), or %s%s",
			kind, words.asks, r.brake.Rule(), words.stays, client.ObjectKeyFromObject(job.Machine),
			vitistackv1alpha1.AnnotationConfirmChange, words.back, suffixOf(reply.Wrong))
		held.After = wake.LongestWait
		return held
	default:
		return nil
	}
}

// tellBite tells once of a scope of which too many would go: the Events of the Machines alone do not
// say how many they are.
func (r *MachineReconciler) tellBite(
	ctx context.Context, machine *vitistackv1alpha1.Machine, config string, kind brake.Kind, reply brake.Reply,
) {
	if !reply.Bit {
		return
	}
	r.bites.Bit(string(kind), string(reply.Scope.Of))
	log.FromContext(ctx).Info("Held what would end many guests at once", "kind", kind, "scope", reply.Scope.String(),
		"kubevirtConfig", config, "rule", r.brake.Rule().String())
	if r.recorder == nil {
		return
	}
	configs, err := r.configs(ctx)
	if err != nil {
		return // the log has it, and each Machine says it
	}
	reason := map[brake.Kind]string{
		brake.Deletion: vitistackv1alpha1.ReasonDeletionHeld, brake.Change: vitistackv1alpha1.ReasonChangeHeld,
		brake.Restart: vitistackv1alpha1.ReasonChangeHeld,
	}[kind]
	for i := range configs {
		if configs[i].Name == config {
			note := fmt.Sprintf("held the %ss of Machines of %s: more came at once than --deletion-brake=%s lets go; "+
				"kubectl machine confirm lets them go", kind, reply.Scope, r.brake.Rule())
			r.recorder.Eventf(&configs[i], machine, eventWarning, reason, "Hold", "%s", cut(note))
		}
	}
}
