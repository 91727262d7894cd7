package machine

import (
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness/assess"
	"github.com/vitistack/kubevirt-multicluster/placement"
)

// Assessor answers in which clusters a Machine can run. Whoever moves Machines asks the same one, so
// that what is known is known once.
func (r *MachineReconciler) Assessor() *assess.Assessor { return r.assessor }

// Fits says in which clusters a Machine can run, the best first. The Machine is as [Explain] and
// [ExplainWanted] return it. It writes nothing; one question to each cluster is a creation that is
// not kept.
func (r *MachineReconciler) Fits(ctx context.Context, key client.ObjectKey) (Fitting, error) {
	machine := &vitistackv1alpha1.Machine{}
	if err := r.Get(ctx, key, machine); err != nil {
		return Fitting{}, fmt.Errorf("reading Machine %s: %w", key, err)
	}
	return r.fits(ctx, machine)
}

// FitsWanted is Fits for a Machine that somebody is about to apply.
func (r *MachineReconciler) FitsWanted(
	ctx context.Context, wanted *vitistackv1alpha1.Machine,
) (Fitting, error) {
	machine, err := r.overlay(ctx, wanted)
	if err != nil {
		return Fitting{}, err
	}
	return r.fits(ctx, machine)
}

// Fitting says in which clusters a Machine can run.
type Fitting struct {
	Machine *vitistackv1alpha1.Machine
	// Reports are sorted by readiness.Sort.
	Reports []readiness.Report
}

func (r *MachineReconciler) fits(ctx context.Context, machine *vitistackv1alpha1.Machine) (Fitting, error) {
	if !IsOurs(machine) {
		return Fitting{}, fmt.Errorf("machine %s is for another provider", client.ObjectKeyFromObject(machine))
	}
	reports, err := r.assessor.All(ctx, machine)
	return Fitting{Machine: machine, Reports: reports}, err
}

// judgeReadiness fills in whether the Machine could run in each cluster. Where it is not known what
// the Machine needs, nothing is known of any cluster.
func (r *MachineReconciler) judgeReadiness(
	ctx context.Context, machine *vitistackv1alpha1.Machine, candidates []placement.Candidate,
) {
	reports, err := r.assessor.All(ctx, machine)
	unknown := placement.Ready{Verdict: placement.ReadyUnknown, Reason: readiness.ReasonNotAsked}
	if p, isProblem := problem.As(err); isProblem {
		unknown.Reason = p.Reason
	}
	for i := range candidates {
		c := &candidates[i]
		c.Ready = unknown
		at := slices.IndexFunc(reports, func(report readiness.Report) bool { return report.Config == c.Name })
		if err == nil && at >= 0 {
			c.Ready = ready(reports[at])
		}
	}
}

// ready is what strategies are told of a report.
func ready(report readiness.Report) placement.Ready {
	told := placement.Ready{Score: int32(report.Score), Verdict: map[readiness.Verdict]placement.ReadyVerdict{
		readiness.OK: placement.ReadyYes, readiness.No: placement.ReadyNo, readiness.Unknown: placement.ReadyUnknown,
	}[report.Verdict]}
	if first, found := report.First(); found {
		told.Reason = first.Reason
	}
	return told
}
