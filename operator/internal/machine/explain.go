package machine

import (
	"context"
	"errors"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// Verdict is what becomes of a Machine's place.
type Verdict string

// The verdicts.
const (
	VerdictPlaced  Verdict = "Placed"  // it is placed already, and stays there
	VerdictRestore Verdict = "Restore" // its ledger is lost, and can be written anew
	VerdictPlace   Verdict = "Place"   // a VirtualMachine would be made for it
	VerdictAdopt   Verdict = "Adopt"   // its VirtualMachine is there and would be taken over
	VerdictWait    Verdict = "Wait"    // not now
	VerdictBlocked Verdict = "Blocked" // not until a person acts
	VerdictPaused  Verdict = "Paused"  // nobody looks after it
)

// Explanation says where a Machine is or would go, and why.
type Explanation struct {
	Machine *vitistackv1alpha1.Machine
	// Ledger is the one it has, nil where it has none.
	Ledger *vitistackv1alpha1.Ledger
	// Recorded is what was said when it was placed; the zero value where that is not known.
	Recorded vitistackv1alpha1.PlacementTrace
	// Request has the facts and Trace the answers. Both are empty for a Machine that is placed: nobody is asked.
	Request placement.Request
	Trace   placement.Trace
	Verdict Verdict
	// Config is the cluster, "" where there is none; VM the name of the VirtualMachine that is adopted, "" where none is.
	Config, VM string
	// Reason and Message are those that the Machine's condition would have. Both are empty where all is well.
	Reason, Message string
}

// Explain goes through the same steps as a reconcile up to the place, and writes nothing. A process that has not seen the Machine being
// created takes none for fresh, so that every cluster must answer. The error is one that a reconcile would try again after.
func (r *MachineReconciler) Explain(ctx context.Context, key client.ObjectKey) (Explanation, error) {
	machine := &vitistackv1alpha1.Machine{}
	if err := r.Get(ctx, key, machine); err != nil {
		return Explanation{}, fmt.Errorf("reading Machine %s: %w", key, err)
	}
	if !isOurs(machine) {
		return Explanation{}, fmt.Errorf("machine %s is for another provider", key)
	}
	p := r.newPass(machine)
	e := Explanation{
		Machine: machine, Recorded: vitistackv1alpha1.ParsePlacementTrace(machine.Annotations[vitistackv1alpha1.AnnotationPlacementTrace]),
	}
	if machine.Annotations[vitistackv1alpha1.AnnotationPaused] == "true" {
		e.Verdict = VerdictPaused
		return e, nil
	}
	err := p.explain(ctx, &e)
	e.Request, e.Trace, e.Ledger = p.asked.request, p.asked.trace, p.ledger
	return e, e.settle(err)
}

// explain is place without its writes.
func (p *pass) explain(ctx context.Context, e *Explanation) error {
	if err := p.readLedger(ctx); err != nil {
		return err
	}
	if p.ledger != nil {
		p.holdReference()
		e.Verdict, e.Config, e.VM = VerdictPlaced, p.ledger.Config, p.ledger.VMName
		e.problem(p.problems)
		return nil
	}
	if p.machine.Status.KubevirtConfigRef != nil {
		ledger, err := p.lostLedger(ctx)
		if err != nil {
			return err
		}
		e.Verdict, e.Config, e.VM = VerdictRestore, ledger.Config, ledger.VMName
		return nil
	}
	name, err := desired.VMName(p.settings.VMNamePrefix, p.machine.Name)
	if err != nil {
		return err
	}
	chosen, err := p.choose(ctx, name)
	if err != nil {
		return err
	}
	if _, err := p.ledgerOf(name, chosen); err != nil {
		return err
	}
	e.Verdict, e.Config = VerdictPlace, chosen.config
	if chosen.vm != nil {
		e.Verdict, e.VM = VerdictAdopt, chosen.vm.vm.Name
	}
	return nil
}

// settle takes a wait or a refusal for the verdict. Every other error stays one.
func (e *Explanation) settle(err error) error {
	result := settle(err, vitistackv1alpha1.ConditionPlaced)
	if result.problem == nil {
		return errors.Join(result.err)
	}
	e.Verdict = VerdictWait
	if result.problem.Blocked {
		e.Verdict = VerdictBlocked
	}
	e.problem([]observed.Problem{*result.problem})
	return nil
}

func (e *Explanation) problem(problems []observed.Problem) {
	for _, problem := range problems {
		e.Reason, e.Message = problem.Reason, problem.Message
	}
}
