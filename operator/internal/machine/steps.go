package machine

import (
	"context"
	"errors"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// pass is one reconcile of one Machine: what its steps found out, for the steps after them and for the status.
type pass struct {
	*MachineReconciler
	machine *vitistackv1alpha1.Machine
	now     time.Time

	ledger   *vitistackv1alpha1.Ledger
	recorded bool // in this pass: the Machine in hand was the newest one then
	adopted  bool
	absent   bool  // a live look of this pass, before it was placed, found no VM in the cluster of its ledger
	asked    asked // about its place
	owed     bool  // the Machine is gone: this pass pays its debt

	remote  client.Client // reads declared kinds from the cache
	former  types.UID     // of the Machine whose VM this one takes over, "" for none
	looked  bool          // the remote cluster has answered about the VM: vm is the truth, nil too
	cached  bool          // and vm comes from the cache, and is as it should be
	vm      *kubevirtv1.VirtualMachine
	created bool // in this pass: the next one keeps the books

	class                *vitistackv1alpha1.MachineClass
	classRead            string // its name, where it was read
	attachments          []desired.Attachment
	networkConfiguration *vitistackv1alpha1.NetworkConfiguration // with the interfaces of all

	networkConfigurations []client.ObjectKey

	vmi         *kubevirtv1.VirtualMachineInstance
	dataVolumes []cdiv1beta1.DataVolume

	reached  observed.Step
	problems []observed.Problem
	read     footprint
}

func (r *MachineReconciler) newPass(machine *vitistackv1alpha1.Machine) *pass {
	p := &pass{MachineReconciler: r, machine: machine, now: r.clock.Now()}
	p.read.hash.SetSeed(r.rest.seed)
	p.read.add(machine.ResourceVersion)
	return p
}

// step is a part of a pass. It returns nil to go on, *Wait, *Blocked or errDone to end the pass, or a plain error to have it repeated.
type step struct {
	is        observed.Step
	condition string // what its refusals concern
	do        func(*pass, context.Context) error
}

// live are the steps of a Machine that is wanted.
func liveSteps() []step {
	return []step{
		{observed.StepPlace, vitistackv1alpha1.ConditionPlaced, (*pass).place},
		{observed.StepRemote, vitistackv1alpha1.ConditionRemoteReachable, (*pass).connect},
		{observed.StepRemote, vitistackv1alpha1.ConditionVirtualMachineReady, (*pass).find},
		// Before what may be refused: a Machine that cannot be changed is looked after all the same.
		{observed.StepRemote, vitistackv1alpha1.ConditionVirtualMachineReady, (*pass).observe},
		{observed.StepNetwork, vitistackv1alpha1.ConditionNetworkReady, (*pass).attach},
		{observed.StepVM, vitistackv1alpha1.ConditionVirtualMachineReady, (*pass).realize},
	}
}

// goneSteps are the steps of a Machine that is being deleted.
func goneSteps() []step {
	return []step{
		{observed.StepPlace, vitistackv1alpha1.ConditionPlaced, (*pass).readLedger},
		{observed.StepRemote, vitistackv1alpha1.ConditionRemoteReachable, (*pass).connectToDelete},
		{observed.StepVM, vitistackv1alpha1.ConditionVirtualMachineReady, (*pass).deleteVM},
		{observed.StepNetwork, vitistackv1alpha1.ConditionNetworkReady, (*pass).deleteNetworkConfigurations},
		{observed.StepObserve, vitistackv1alpha1.ConditionVirtualMachineReady, (*pass).letGo},
	}
}

// run takes the steps, until one ends the pass.
func (p *pass) run(ctx context.Context) outcome {
	if paused := p.machine.Annotations[vitistackv1alpha1.AnnotationPaused]; paused == "true" {
		return outcome{problem: &observed.Problem{
			Condition: vitistackv1alpha1.ConditionReady, Reason: vitistackv1alpha1.ReasonPaused,
			Message: "the annotation " + vitistackv1alpha1.AnnotationPaused + " is set: nothing is done",
		}}
	}
	steps := liveSteps()
	if !p.machine.DeletionTimestamp.IsZero() {
		steps = goneSteps()
	}
	for _, s := range steps {
		p.reached = s.is
		if err := s.do(p, ctx); err != nil {
			return settle(err, s.condition)
		}
	}
	return outcome{}
}

// finish writes the status, if it changed, and says when to come back. It is the one place that writes a status.
func (p *pass) finish(ctx context.Context, result outcome) (ctrl.Result, error) {
	if p.machine == nil { // let go
		return ctrl.Result{}, result.err
	}
	if result.stale {
		return ctrl.Result{RequeueAfter: result.after}, nil
	}
	if result.problem != nil {
		p.problems = append(p.problems, *result.problem)
	}
	if p.created && result == (outcome{}) {
		return ctrl.Result{RequeueAfter: settleTime}, nil // should no event come before
	}
	input := observed.Input{
		Machine: p.machine, Ledger: p.ledger, Adopted: p.adopted, Reached: p.reached, Problems: p.problems,
		Looked: p.looked, VM: p.vm, VMI: p.vmi, DataVolumes: p.dataVolumes, NetworkConfiguration: p.networkConfiguration,
		Options: p.settings.Observed, Now: p.now,
	}
	status := observed.Status(input)
	if result == (outcome{}) && p.cached && equality.Semantic.DeepEqual(p.machine.Status, status) {
		p.settled()
		return ctrl.Result{}, nil
	}
	later, err := p.writeStatus(ctx, status)
	if err != nil {
		return ctrl.Result{}, errors.Join(result.err, err)
	}
	if result.err != nil {
		return ctrl.Result{}, result.err
	}
	after := soonest(result.after, observed.HoldRemaining(input), later)
	return ctrl.Result{RequeueAfter: after}, nil
}

// writeStatus writes a status that differs from the one there is. It returns after how long a change is to be written that can wait.
func (p *pass) writeStatus(ctx context.Context, status vitistackv1alpha1.MachineStatus) (later time.Duration, err error) {
	if equality.Semantic.DeepEqual(p.machine.Status, status) {
		return 0, nil
	}
	if isSmall(p.machine.Status, status) {
		if later := p.pace.remaining(p.uid(), p.now); later > 0 {
			return later, nil
		}
	}
	before := p.machine.DeepCopy()
	p.machine.Status = status
	// Guarded, because conditions of others are in the same list.
	err = p.Status().Patch(ctx, p.machine, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	if apierrors.IsConflict(err) {
		return conflictRetry, nil
	}
	if err != nil {
		return 0, client.IgnoreNotFound(err)
	}
	p.pace.wrote(p.uid(), p.now)
	p.tell(ctx, before.Status, status)
	return 0, nil
}

// soonest is the shortest of the times that are not 0.
func soonest(times ...time.Duration) time.Duration {
	times = slices.DeleteFunc(times, func(d time.Duration) bool { return d <= 0 })
	if len(times) == 0 {
		return 0
	}
	return slices.Min(times)
}

// tell logs a change of Ready, and makes an Event of it where a person has to know.
func (p *pass) tell(ctx context.Context, before, after vitistackv1alpha1.MachineStatus) {
	was, is := before.Condition(vitistackv1alpha1.ConditionReady), after.Condition(vitistackv1alpha1.ConditionReady)
	if is == nil || was != nil && was.Reason == is.Reason && was.Message == is.Message {
		return
	}
	log.FromContext(ctx).Info("Machine status changed", "phase", after.Phase, "reason", is.Reason)
	for _, problem := range p.problems {
		if problem.Reason == is.Reason && problem.Reason != vitistackv1alpha1.ReasonPaused {
			p.event(eventWarning, is.Reason, "Reconcile", is.Message)
			return
		}
	}
	if is.Reason == vitistackv1alpha1.ReasonReady && after.Phase == vitistackv1alpha1.MachinePhaseRunning {
		p.event(eventNormal, "Running", "Observe", "the virtual machine runs")
	}
}
