package machine

import (
	"context"
	"fmt"

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
	// Request has the facts and Trace the answers. Both are empty for a Machine that is placed: no
	// strategy is asked.
	Request placement.Request
	Trace   placement.Trace
	// Hidden are the names of the Machine's annotations that no strategy sees, sorted.
	Hidden  []string
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
	if !isOurs(machine) {
		return Explanation{}, fmt.Errorf("machine %s is for another provider", key)
	}
	trace := machine.Annotations[vitistackv1alpha1.AnnotationPlacementTrace]
	e := Explanation{
		Machine: machine, Recorded: vitistackv1alpha1.ParsePlacementTrace(trace), Hidden: hidden(machine),
	}
	if machine.Annotations[vitistackv1alpha1.AnnotationPaused] == "true" {
		e.Verdict = VerdictPaused
		return e, nil
	}
	decision, err := r.decide(ctx, machine)
	e.Request, e.Trace = decision.Asked.Request, decision.Asked.Trace
	if err != nil {
		return e.refused(err)
	}
	e.Verdict, e.Config = decision.Verdict, decision.Ledger.Config
	if decision.Verdict == VerdictPlaced {
		e.Ledger = &decision.Ledger
		e = e.noted(referenceChanged(place{machine: machine, ledger: &decision.Ledger}))
	}
	if decision.Verdict != VerdictPlace {
		e.VM = decision.Ledger.VMName
	}
	return e, nil
}

// refused takes a problem for the verdict. Every other error stays one.
func (e Explanation) refused(err error) (Explanation, error) {
	p, isProblem := problem.As(err)
	if !isProblem {
		return e, err
	}
	e.Verdict = VerdictWait
	if p.Blocked() {
		e.Verdict = VerdictBlocked
	}
	return e.noted(err), nil
}

func (e Explanation) noted(err error) Explanation {
	if p, isProblem := problem.As(err); isProblem {
		e.Reason, e.Message = p.Reason, p.Message
	}
	return e
}
