package machine

import (
	"context"
	"slices"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/provision"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/survey"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// wanted goes the steps of a Machine that is wanted.
func (r *MachineReconciler) wanted(ctx context.Context, view report) report {
	supervisor := r.supervisor(view.reads)
	placed, err := r.place(ctx, supervisor, view.Machine)
	view.Machine, view.Ledger, view.Adopted = placed.machine, placed.ledger, placed.adopted
	if err != nil {
		return view.ended(observed.StepPlace, err)
	}
	view.config = placed.ledger.Config
	view = view.noted(referenceChanged(placed))

	remote, err := r.open(ctx, placed.machine, view.reads)
	if err != nil {
		return view.ended(observed.StepRemote, err)
	}
	job := r.job(placed, supervisor, remote, view)
	if placed.ledger.Move != "" {
		return r.moving(ctx, view, job, placed)
	}

	found, err := r.find(ctx, job, placed)
	view = view.with(found, provision.Instance{})
	if err != nil {
		return view.ended(observed.StepRemote, err)
	}
	// An adopted VirtualMachine is labelled before anything can be refused, so that nothing is ever
	// half adopted.
	if found.VM, err = r.claim(ctx, job, found); err != nil {
		return view.ended(observed.StepRemote, err)
	}
	instance, err := observe(ctx, job, found)
	view = view.with(found, instance)
	if err != nil {
		return view.ended(observed.StepRemote, err)
	}

	network, err := r.attach(ctx, job, found, instance, placed)
	view.Machine, view.Network = network.machine, network.observed()
	view = view.noted(network.drift())
	if err != nil && found.VM == nil {
		return view.ended(observed.StepNetwork, err)
	}
	networkErr := err // what exists can be changed and stopped all the same
	job.Machine, job.Network = network.machine, network.record

	result, err := r.realize(ctx, job, found, network, placed)
	guest, guestErr := attended{machine: result.machine}, error(nil)
	if err == nil && found.VM != nil {
		job.Machine, job.Ledger = result.machine, result.ledger
		if err = job.FreeISO(ctx, found.VM, instance.VMI); err == nil {
			guest, guestErr = r.attend(ctx, job, found.VM, instance)
		}
	}
	view.Machine, view.Ledger = guest.machine, &result.ledger
	view.VM, view.again, view.later = result.vm, result.again, guest.later
	if networkErr != nil {
		return view.noted(err).noted(guestErr).ended(observed.StepNetwork, networkErr)
	}
	if err != nil {
		return view.ended(observed.StepVM, err)
	}
	view.Applied = true // a guest that cannot be restarted has all that the Machine's spec asks for
	if guestErr == nil {
		view = view.noted(guest.noted)
	}
	return view.ended(observed.StepObserve, guestErr)
}

// supervisor is the supervisor's side for one reconcile, whose cached reads are noted.
func (r *MachineReconciler) supervisor(reads *wake.Reads) side.Supervisor {
	return side.Supervisor{
		Cache: side.SupervisorCache{Reader: reads.Supervisor(r.Client)}, Server: side.SupervisorServer{Reader: r.live},
		Writer: r.Client,
	}
}

// open gets the remote cluster that the Machine's ledger names. Its cached reads are noted.
func (r *MachineReconciler) open(
	ctx context.Context, machine *vitistackv1alpha1.Machine, reads *wake.Reads,
) (side.Remote, error) {
	remote, err := survey.Open(ctx, r.KubevirtClientMgr, machine)
	if err != nil {
		return remote, err
	}
	remote.Cache = side.RemoteCache{Reader: reads.Remote(remote.Cache.Reader)}
	return remote, nil
}

// job is one Machine and its clusters, for the steps that make things.
func (r *MachineReconciler) job(
	placed place, supervisor side.Supervisor, remote side.Remote, view report,
) provision.Job {
	job := provision.Job{
		Machine: placed.machine, Ledger: *placed.ledger, Supervisor: supervisor, Remote: remote,
		Facts: &r.memory.facts, Options: r.settings.Desired, Now: view.Now,
	}
	if placed.network != nil {
		job.Network = *placed.network
	}
	return job
}

// referenceChanged reports a reference that no longer names the cluster of the ledger. Everything
// else goes on by the ledger.
func referenceChanged(placed place) error {
	trace := vitistackv1alpha1.ParsePlacementTrace(placed.machine.Annotations[vitistackv1alpha1.AnnotationPlacementTrace])
	for _, wanted := range custody.References(placed.machine) {
		if trace.Config == placed.ledger.Config && slices.Contains(trace.Before, wanted) {
			continue // it asked for that before it was moved away from there, and for nothing else since
		}
		if wanted != "" && wanted != placed.ledger.Config {
			return problem.Person(vitistackv1alpha1.ConditionReady, vitistackv1alpha1.ReasonReferenceChanged,
				"the Machine is placed in %s and stays there; its reference now names %s", placed.ledger.Config, wanted)
		}
	}
	return nil
}

// observe reads what became of the VirtualMachine.
func observe(ctx context.Context, job provision.Job, found found) (provision.Instance, error) {
	if found.VM == nil {
		return provision.Instance{}, nil
	}
	return job.Observe(ctx, found.VM)
}

// paused reports a Machine that is left alone.
func (r *MachineReconciler) paused(view report) report {
	if reading := r.read(view.Machine); reading.Ledger.Config != "" {
		ledger := reading.Ledger
		if ledger.Validate() == nil {
			view.Ledger = &ledger
		}
	}
	return view.ended(observed.StepPlace, problem.Person(vitistackv1alpha1.ConditionReady, vitistackv1alpha1.ReasonPaused,
		"the annotation %s is set: nothing is done", vitistackv1alpha1.AnnotationPaused))
}
