package machine

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/brake"
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
	r.brake.Withdraw(brake.Change, client.ObjectKeyFromObject(machine))
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
	key := client.ObjectKeyFromObject(job.Machine)
	if !now.Stops(last) && !now.NeedsRestart(last) {
		r.brake.Withdraw(brake.Change, key)
		return nil
	}
	was := job.Machine.Status.Condition(vmReady)
	reply, err := r.brake.Ask(ctx, brake.Question{Kind: brake.Change, Machine: job.Machine, Config: job.Ledger.Config,
		Held: was != nil && was.Reason == vitistackv1alpha1.ReasonChangeHeld})
	if err != nil {
		return problem.Supervisor(err, problem.At{Condition: vmReady, Doing: "asking whether the Machine may be changed"})
	}
	switch reply.Is {
	case brake.Settle:
		settling := problem.Time(vmReady, vitistackv1alpha1.ReasonApplying,
			"many Machines ask at once for a change that stops their guests or needs a restart: it waits until no more come")
		settling.After = reply.After
		return settling
	case brake.Held:
		r.tellBite(ctx, job.Machine, job.Ledger.Config, brake.Change, reply)
		held := problem.Person(vmReady, vitistackv1alpha1.ReasonChangeHeld,
			"the change is held, because more Machines ask at once for one that stops their guests or needs a restart than "+
				"--deletion-brake=%s lets go; the virtual machine stays as it is until a person acts: kubectl machine confirm "+
				"--change %s lets it go (annotation %s: \"true\"), or take the change back%s",
			r.brake.Rule(), key, vitistackv1alpha1.AnnotationConfirmChange, suffixOf(reply.Wrong))
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
	}[kind]
	for i := range configs {
		if configs[i].Name == config {
			note := fmt.Sprintf("held the %ss of Machines of %s: more came at once than --deletion-brake=%s lets go; "+
				"kubectl machine confirm lets them go", kind, reply.Scope, r.brake.Rule())
			r.recorder.Eventf(&configs[i], machine, eventWarning, reason, "Hold", "%s", cut(note))
		}
	}
}
