package rollout

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/hashicorp/go-multierror"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/summary"
)

// outcome is what became of an entry of status.inFlight.
type outcome int

const (
	// kept: nothing is known yet, it is looked at again.
	kept outcome = iota
	// isAsked: the Machine shows what was asked of it.
	isAsked
	// dropped: nothing was done to the Machine, or it is gone.
	dropped
	// refused: the rollout gives the Machine up.
	refused
)

// answer is the outcome of one entry, with the reason and the message of one that was refused.
type answer struct {
	outcome
	reason, message string
}

// ask lets the Machines begin that stand in status.inFlight and were not asked, and looks after those
// that are doubtful, both past the cache. It writes down what became of them, and says whether
// anything did.
func (c *Controller) ask(
	ctx context.Context, rollout *vitistackv1alpha1.MachineRollout, doubtful map[types.UID]bool, facts Facts,
) (changed bool, err error) {
	if rollout.Status.Phase.Over() {
		return false, nil
	}
	live := map[types.UID]*vitistackv1alpha1.Machine{}
	for _, entry := range rollout.Status.InFlight {
		if entry.Asked && !doubtful[entry.UID] {
			continue
		}
		if live[entry.UID], err = c.live(ctx, entry); err != nil {
			return false, err
		}
	}
	if len(live) == 0 {
		return false, nil
	}
	now, err := c.current(ctx, rollout)
	if err != nil || now == nil {
		return false, err
	}
	facts.Rollout = now
	frame := frameOf(facts)
	answers, failures := map[types.UID]answer{}, &multierror.Error{}
	for _, entry := range rollout.Status.InFlight {
		machine, isMeant := live[entry.UID]
		if !isMeant {
			continue
		}
		answered, err := c.settle(ctx, frame, entry, machine)
		if err != nil { // others are asked all the same
			failures = multierror.Append(failures, err)
		}
		answers[entry.UID] = answered
	}
	after := withAnswers(rollout, answers)
	if after == nil {
		return true, failures.ErrorOrNil()
	}
	if err := c.write(ctx, rollout, after); err != nil {
		return false, err
	}
	return true, failures.ErrorOrNil()
}

// live reads the Machine of an entry from the server. nil says that it is gone, or going.
func (c *Controller) live(
	ctx context.Context, entry vitistackv1alpha1.RolloutInFlight,
) (*vitistackv1alpha1.Machine, error) {
	machine := &vitistackv1alpha1.Machine{}
	err := c.options.Server.Get(ctx, namespacedName(entry.Machine), machine)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading Machine %s: %w", entry.Machine, err)
	}
	if machine.UID != entry.UID || machine.DeletionTimestamp != nil {
		return nil, nil
	}
	return machine, nil
}

// current reads the rollout from the server, after the Machines. nil says that its status is another
// one than the one to act on: a process that was held up for long does nothing any more. A Machine
// that has changed since it was read is not asked either.
func (c *Controller) current(
	ctx context.Context, rollout *vitistackv1alpha1.MachineRollout,
) (*vitistackv1alpha1.MachineRollout, error) {
	now := &vitistackv1alpha1.MachineRollout{}
	if err := c.options.Server.Get(ctx, client.ObjectKeyFromObject(rollout), now); err != nil {
		return nil, fmt.Errorf("reading MachineRollout %s/%s: %w", rollout.Namespace, rollout.Name, err)
	}
	same := now.UID == rollout.UID && now.DeletionTimestamp == nil &&
		slices.EqualFunc(now.Status.InFlight, rollout.Status.InFlight, func(a, b vitistackv1alpha1.RolloutInFlight) bool {
			return a.UID == b.UID && a.Asked == b.Asked
		})
	if !same {
		return nil, apierrors.NewConflict(vitistackv1alpha1.Resource("machinerollouts"), rollout.Name,
			fmt.Errorf("its status has changed"))
	}
	return now, nil
}

// settle asks one Machine, or says why it is not asked. machine was read from the server; nil is gone.
func (c *Controller) settle(
	ctx context.Context, f *frame, entry vitistackv1alpha1.RolloutInFlight, machine *vitistackv1alpha1.Machine,
) (answer, error) {
	rollout := f.rollout
	halted := rollout.Spec.Paused || rollout.Spec.Abort || rollout.Status.Phase == vitistackv1alpha1.RolloutPaused
	switch {
	case machine == nil:
		return answer{outcome: dropped}, nil
	case asked(machine, rollout) || f.restarted(machine) >= finished:
		return answer{outcome: isAsked}, nil
	case entry.Asked:
		return answer{outcome: refused, reason: vitistackv1alpha1.ReasonChangeReverted, message: fmt.Sprintf(
			"%s took back what the rollout asked of it: let it leave the annotation %s and the class alone",
			whoTookBack(machine, c.options.Self), vitistackv1alpha1.AnnotationRestart)}, nil
	case halted || f.ailing(machine) != "":
		return answer{outcome: dropped}, nil
	}
	if reason, _ := f.barred(machine); reason != "" || f.rival(machine) != nil {
		return answer{outcome: dropped}, nil
	}
	if owner := metav1.GetControllerOf(machine); owner != nil {
		if name := ownersAnnotation(machine); name != "" {
			return answer{outcome: refused, reason: vitistackv1alpha1.ReasonOwnedByController, message: fmt.Sprintf(
				"%s %s writes its annotation %s itself: change that there", owner.Kind, owner.Name, name)}, nil
		}
	}
	return c.patch(ctx, rollout, machine)
}

// patch asks a Machine, in the version in which it was read.
func (c *Controller) patch(
	ctx context.Context, rollout *vitistackv1alpha1.MachineRollout, machine *vitistackv1alpha1.Machine,
) (answer, error) {
	text, err := json.Marshal(change(rollout, machine))
	if err != nil {
		return answer{}, err
	}
	err = c.supervisor.Patch(ctx, machine, client.RawPatch(types.MergePatchType, text), client.FieldOwner(FieldOwner))
	switch {
	case err == nil && !asked(machine, rollout):
		return answer{outcome: refused, reason: vitistackv1alpha1.ReasonSupervisorRefused, message: "the supervisor " +
			"does not keep what is written to it: is the field of its class in the definition of Machines?"}, nil
	case err == nil:
		return answer{outcome: isAsked}, nil
	case apierrors.IsConflict(err): // the Machine has changed since it was read
		return answer{outcome: kept}, nil
	case apierrors.IsNotFound(err):
		return answer{outcome: dropped}, nil
	case apierrors.IsForbidden(err), apierrors.IsInvalid(err):
		return answer{outcome: refused, reason: vitistackv1alpha1.ReasonSupervisorRefused,
			message: "it cannot be changed: " + err.Error()}, nil
	}
	return answer{}, fmt.Errorf("changing Machine %s: %w", keyOf(machine), err)
}

// change is the patch that asks a Machine.
func change(rollout *vitistackv1alpha1.MachineRollout, machine *vitistackv1alpha1.Machine) map[string]any {
	annotations := map[string]any{vitistackv1alpha1.AnnotationRestart: rollout.Token()}
	if rollout.Spec.Action == vitistackv1alpha1.RolloutResize {
		annotations[vitistackv1alpha1.AnnotationResize] = rollout.Token()
	}
	patch := map[string]any{"metadata": map[string]any{
		"uid": machine.UID, "resourceVersion": machine.ResourceVersion, "annotations": annotations,
	}}
	if class := newClass(rollout); class != "" && classOf(machine) != class {
		spec := map[string]any{}
		if machine.Spec.InstanceType != "" {
			spec["instanceType"] = class
		}
		if machine.Spec.MachineClass != "" || len(spec) == 0 {
			spec["machineClass"] = class
		}
		patch["spec"] = spec
	}
	return patch
}

// withAnswers is a rollout with what became of its entries, or nil where nothing did.
func withAnswers(
	rollout *vitistackv1alpha1.MachineRollout, answers map[types.UID]answer,
) *vitistackv1alpha1.MachineRollout {
	after, differs := rollout.DeepCopy(), false
	after.Status.InFlight = nil
	for _, entry := range rollout.Status.InFlight {
		a := answers[entry.UID]
		switch a.outcome {
		case isAsked:
			differs = differs || !entry.Asked
			entry.Asked = true
		case dropped, refused:
			differs = true
		case kept:
		}
		if a.outcome == refused {
			after.Status.Failed = append(after.Status.Failed, vitistackv1alpha1.RolloutFailed{Machine: entry.Machine,
				UID: entry.UID, Reason: a.reason, Message: summary.Cut(a.message, maxListedMessage)})
		}
		if a.outcome == kept || a.outcome == isAsked {
			after.Status.InFlight = append(after.Status.InFlight, entry)
		}
	}
	if !differs {
		return nil
	}
	return after
}
