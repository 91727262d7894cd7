package machine

import (
	"context"

	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/provision"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// moving tells how a Machine is that is being moved. Nothing is made, changed or taken over
// meanwhile: the move alone writes to both sides.
func (r *MachineReconciler) moving(ctx context.Context, view report, job provision.Job, placed place) report {
	found, err := r.find(ctx, job, placed)
	view = view.with(found, provision.Instance{})
	if err != nil {
		return view.ended(observed.StepRemote, err)
	}
	instance, err := observe(ctx, job, found)
	view = view.with(found, instance)
	if err != nil {
		return view.ended(observed.StepRemote, err)
	}
	n := network{machine: job.Machine, record: job.Network, isDecided: placed.network != nil}
	n.namespaces, err = provision.NetworkNamespaces(ctx, job.Supervisor.Cache, job.Machine.Namespace, n.record)
	if err == nil {
		n.configurations, err = provision.ConfigurationsOf(ctx, job.Supervisor.Cache, job.Machine, "")
	}
	if err != nil {
		return view.ended(observed.StepNetwork, problem.Supervisor(err,
			problem.At{Condition: vitistackv1alpha1.ConditionNetworkReady, Doing: "reading the network"}))
	}
	view.Network, view.Reached = n.observed(), observed.StepObserve
	record, _, err := vitistackv1alpha1.MoveRecordOf(placed.machine)
	if arrived := err == nil && record.Stage == vitistackv1alpha1.MoveCommitted && isRunning(instance.VMI); arrived {
		return view // what is left of the move is nobody's concern who looks at the Machine
	}
	return view.noted(underWay(placed.machine))
}

func isRunning(vmi *kubevirtv1.VirtualMachineInstance) bool { return vmi != nil && vmi.IsRunning() }

// underWay says that a Machine is being moved.
func underWay(machine *vitistackv1alpha1.Machine) error {
	const ready = vitistackv1alpha1.ConditionReady
	record, _, err := vitistackv1alpha1.MoveRecordOf(machine)
	switch {
	case err != nil:
		return problem.Person(ready, vitistackv1alpha1.ReasonLedgerInvalid, "annotation %s cannot be read (%v); restore it",
			vitistackv1alpha1.AnnotationMove, err)
	case record.Stage == vitistackv1alpha1.MoveAborting:
		return problem.Time(ready, vitistackv1alpha1.ReasonMoving,
			"MachineMove %s to %s is given up: the guest goes back to %s", record.Name, record.To.Config, record.From.Config)
	default:
		return problem.Time(ready, vitistackv1alpha1.ReasonMoving, "MachineMove %s takes the Machine from %s to %s",
			record.Name, record.From.Config, record.To.Config)
	}
}
