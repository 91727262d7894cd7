package machine

import (
	"context"
	"fmt"
	"maps"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/placement"
)

// Explanation says where a Machine is or would go, and why.
type Explanation struct {
	Machine *vitistackv1alpha1.Machine
	// Ledger is the one it has, nil where it has none.
	Ledger *vitistackv1alpha1.Ledger
	// Recorded is what was said when it was placed; the zero value where that is not known.
	Recorded vitistackv1alpha1.PlacementTrace
	// Request has the facts and Trace the answers. Where Anew is set they are those to the same
	// Machine without a record; both are empty where no strategy could be asked.
	Request placement.Request
	Trace   placement.Trace
	// Hidden are the names of the Machine's annotations that no strategy sees, sorted.
	Hidden []string
	Outcome
	// Anew is what would become of the Machine if it had no record and were not paused. It is set
	// where no strategy is asked about the Machine as it is.
	Anew *Outcome
}

// Outcome is what becomes of a Machine.
type Outcome struct {
	Verdict Verdict
	// Config is the cluster, "" where there is none; VM the name of the VirtualMachine that is
	// adopted, "" where none is.
	Config, VM string
	// Reason and Message are those that the Machine's condition would have. Both are empty where
	// all is well.
	Reason, Message string
}

// Explain decides as the next reconcile does, and writes nothing. A process that has not seen the
// Machine being created takes none for fresh, so that every cluster must answer.
func (r *MachineReconciler) Explain(ctx context.Context, key client.ObjectKey) (Explanation, error) {
	machine := &vitistackv1alpha1.Machine{}
	if err := r.Get(ctx, key, machine); err != nil {
		return Explanation{}, fmt.Errorf("reading Machine %s: %w", key, err)
	}
	return r.explain(ctx, machine)
}

// ExplainWanted is Explain for a Machine that somebody is about to apply: over the Machine of its
// name where there is one, or else as a new one, whatever UID and status it has.
func (r *MachineReconciler) ExplainWanted(
	ctx context.Context, wanted *vitistackv1alpha1.Machine,
) (Explanation, error) {
	machine, err := r.overlay(ctx, wanted)
	if err != nil {
		return Explanation{}, err
	}
	return r.explain(ctx, machine)
}

// overlay is the Machine that there would be once wanted is applied.
func (r *MachineReconciler) overlay(
	ctx context.Context, wanted *vitistackv1alpha1.Machine,
) (*vitistackv1alpha1.Machine, error) {
	machine := wanted.DeepCopy()
	existing := &vitistackv1alpha1.Machine{}
	err := r.Get(ctx, client.ObjectKeyFromObject(wanted), existing)
	switch {
	case apierrors.IsNotFound(err):
		machine.UID, machine.Finalizers = uuid.NewUUID(), nil
		machine.Status = vitistackv1alpha1.MachineStatus{}
	case err != nil:
		return nil, fmt.Errorf("reading Machine %s: %w", client.ObjectKeyFromObject(wanted), err)
	default:
		machine.ObjectMeta, machine.Status = existing.ObjectMeta, existing.Status
		machine.Labels = overlaid(existing.Labels, wanted.Labels)
		machine.Annotations = overlaid(existing.Annotations, wanted.Annotations)
	}
	return machine, nil
}

// overlaid has the entries of both; those of over count.
func overlaid(under, over map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, under)
	maps.Copy(all, over)
	return all
}

func (r *MachineReconciler) explain(ctx context.Context, machine *vitistackv1alpha1.Machine) (Explanation, error) {
	if !IsOurs(machine) {
		return Explanation{}, fmt.Errorf("machine %s is for another provider", client.ObjectKeyFromObject(machine))
	}
	trace := machine.Annotations[vitistackv1alpha1.AnnotationPlacementTrace]
	e := Explanation{
		Machine: machine, Recorded: vitistackv1alpha1.ParsePlacementTrace(trace), Hidden: hidden(machine),
	}
	if machine.Annotations[vitistackv1alpha1.AnnotationPaused] == "true" {
		e.Verdict = VerdictPaused
		return r.anew(ctx, e)
	}
	decision, err := r.decide(ctx, machine)
	e.Request, e.Trace = decision.Asked.Request, decision.Asked.Trace
	if e.Outcome, err = outcome(decision, err); err != nil {
		return e, err
	}
	if e.Verdict == VerdictPlaced {
		e.Ledger = &decision.Ledger
		e.Outcome = e.noted(referenceChanged(place{machine: machine, ledger: &decision.Ledger}))
		if decision.Ledger.Move != "" {
			e.Outcome = e.noted(underWay(machine))
		}
	}
	return r.anew(ctx, e)
}

// anew asks the strategies about the Machine without its record, where none was asked about the
// Machine as it is.
func (r *MachineReconciler) anew(ctx context.Context, e Explanation) (Explanation, error) {
	if e.Trace != nil {
		return e, nil
	}
	decision, err := r.decide(ctx, unrecorded(e.Machine, e.Recorded))
	if decision.Asked.Trace == nil {
		return e, nil // what keeps it from being asked is the same without a record
	}
	e.Request, e.Trace = decision.Asked.Request, decision.Asked.Trace
	would, err := outcome(decision, err)
	e.Anew = &would
	return e, err
}

// unrecorded is the Machine without what the operator wrote about its place. The operator writes
// the reference too, but where the Machine came with it.
func unrecorded(
	machine *vitistackv1alpha1.Machine, recorded vitistackv1alpha1.PlacementTrace,
) *vitistackv1alpha1.Machine {
	bare := machine.DeepCopy()
	bare.Status = vitistackv1alpha1.MachineStatus{}
	delete(bare.Annotations, vitistackv1alpha1.AnnotationPaused)
	if recorded.Strategy != "" && recorded.Strategy != (placement.Explicit{}).Name() {
		delete(bare.Annotations, vitistackv1alpha1.AnnotationKubevirtConfig)
	}
	maps.DeleteFunc(bare.Annotations, func(name, _ string) bool {
		return vitistackv1alpha1.IsOperators(name)
	})
	return bare
}

// outcome is what becomes of a Machine by a decision. A problem is a verdict; every other error
// stays one.
func outcome(decision Decision, err error) (Outcome, error) {
	if err != nil {
		p, isProblem := problem.As(err)
		if !isProblem {
			return Outcome{}, err
		}
		verdict := VerdictWait
		if p.Blocked() {
			verdict = VerdictBlocked
		}
		return Outcome{Verdict: verdict}.noted(err), nil
	}
	o := Outcome{Verdict: decision.Verdict, Config: decision.Ledger.Config}
	if decision.Verdict != VerdictPlace {
		o.VM = decision.Ledger.VMName
	}
	return o, nil
}

func (o Outcome) noted(err error) Outcome {
	if p, isProblem := problem.As(err); isProblem {
		o.Reason, o.Message = p.Reason, p.Message
	}
	return o
}
