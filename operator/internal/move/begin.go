package move

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	kubevirtv1 "kubevirt.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/removal"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/survey"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/relocation"
)

// Guest is what is to be moved, as its cluster has it.
type Guest struct {
	Machine  *vitistackv1alpha1.Machine
	Ledger   vitistackv1alpha1.Ledger
	VM       *kubevirtv1.VirtualMachine
	Instance *kubevirtv1.VirtualMachineInstance // nil where none runs
	Claims   map[string]corev1.PersistentVolumeClaim
}

// Sample is the VirtualMachine that a move would make in another cluster, to ask there whether it
// would be admitted. labels are the Machine's.
func (g Guest) Sample(labels map[string]string) (*kubevirtv1.VirtualMachine, error) {
	urls := map[string]string{}
	for name := range g.Claims {
		urls[name] = "https://export.invalid/" + name
	}
	return relocation.VirtualMachine(relocation.Input{
		VM: g.VM, Instance: g.Instance, Claims: g.Claims, Labels: labels, URLs: urls,
		Move: "sample", Nonce: "sample", Fence: "sample", CA: "sample", Header: "sample",
	})
}

// Targets says where a guest may go.
type Targets interface {
	// Target returns the KubevirtConfig of the cluster to go to: the one that is asked for, if the
	// guest can run there, or for "" the one that is chosen. The error is a *problem.Problem that says
	// what is missing.
	Target(ctx context.Context, guest Guest, to string) (config string, err error)
	// Allowed says why a cluster takes no Machine from elsewhere, as a *problem.Problem; nil where it does.
	Allowed(ctx context.Context, machine *vitistackv1alpha1.Machine, config string) error
}

// pendingAgain is when a move that cannot begin is looked at again first; then ever more seldom. What
// changes in the supervisor is an event.
const pendingAgain = 15 * time.Second

// beginNext begins the oldest move of a Machine that is not over. One that cannot begin says why, and
// keeps no younger one from beginning.
func (r *Reconciler) beginNext(
	ctx context.Context, machine *vitistackv1alpha1.Machine, wishes []vitistackv1alpha1.MachineMove,
) (ctrl.Result, error) {
	result := ctrl.Result{}
	for i := range wishes {
		wish := &wishes[i]
		if wish.Status.Phase.Over() || !wish.DeletionTimestamp.IsZero() {
			r.memory.forget(pending(wish))
			continue
		}
		if told, was := r.interrupted(machine, wish); was {
			if err := r.tell(ctx, wish, told); err != nil {
				return ctrl.Result{}, err
			}
			continue
		}
		record, written, err := r.begin(ctx, machine, wish)
		if err == nil {
			r.memory.forget(pending(wish))
			return r.goOn(ctx, written, record, wishes)
		}
		p, isProblem := problem.As(err)
		if !isProblem {
			return ctrl.Result{}, err
		}
		if p.Stale {
			return ctrl.Result{RequeueAfter: problem.StaleRetry}, nil
		}
		told := telling{phase: vitistackv1alpha1.MovePhasePending, reason: p.Reason, message: p.Message}
		if p.Reason == vitistackv1alpha1.ReasonMoveAborted {
			told.phase = vitistackv1alpha1.MovePhaseFailed
		}
		if err := r.tell(ctx, wish, told); err != nil {
			return ctrl.Result{}, err
		}
		if told.phase == vitistackv1alpha1.MovePhasePending {
			shows := string(wish.UID) + p.Reason + p.Message
			waited := r.Clock.Now().Sub(r.memory.same(pending(wish), shows, r.Clock.Now()))
			result.RequeueAfter = wake.Soonest(result.RequeueAfter, min(max(waited/2, pendingAgain), longestWait))
		}
	}
	return result, nil
}

// interrupted reports whether a move was under way and is not any more, and nobody told its end: the
// record went together with a Machine that was let go by force, or with a restored supervisor.
func (r *Reconciler) interrupted(
	machine *vitistackv1alpha1.Machine, wish *vitistackv1alpha1.MachineMove,
) (told telling, was bool) {
	if wish.Status.Phase == "" || wish.Status.Phase == vitistackv1alpha1.MovePhasePending {
		return telling{}, false
	}
	told = telling{phase: vitistackv1alpha1.MovePhaseFailed, reason: vitistackv1alpha1.ReasonMoveAborted,
		message: "the record of this move is gone; look at the Machine for where it is"}
	if machine == nil {
		told.message = "the Machine is gone"
		return told, true
	}
	if ledger, err := vitistackv1alpha1.LedgerOf(machine); err == nil && ledger.Config == wish.Status.To {
		told.phase, told.reason = vitistackv1alpha1.MovePhaseSucceeded, vitistackv1alpha1.ReasonMoved
		told.message = "the Machine is in " + wish.Status.To
	}
	return told, true
}

const onMove = vitistackv1alpha1.ConditionReady

// begin looks whether a Machine can be moved, and writes the record. Nothing is written before all is
// known to be well on both sides.
func (r *Reconciler) begin(
	ctx context.Context, machine *vitistackv1alpha1.Machine, wish *vitistackv1alpha1.MachineMove,
) (vitistackv1alpha1.MoveRecord, *vitistackv1alpha1.Machine, error) {
	var record vitistackv1alpha1.MoveRecord
	if wish.Spec.Abort {
		return record, nil, problem.Person(onMove, vitistackv1alpha1.ReasonMoveAborted,
			"the move was given up before it began")
	}
	ledger, err := movable(machine, wish)
	if err != nil {
		return record, nil, err
	}
	source, err := survey.OpenAt(ctx, r.Clusters, ledger)
	if err != nil {
		return record, nil, silentSource(ledger, err)
	}
	guest, err := r.guest(ctx, source, machine, ledger)
	if err != nil {
		return record, nil, err
	}
	if err := r.mayExport(ctx, source, guest); err != nil {
		return record, nil, err
	}
	to, err := r.Targets.Target(ctx, guest, wish.Spec.To)
	if err != nil {
		return record, nil, err
	}
	state, _ := r.Clusters.State(to)
	if state.ClusterUID == "" || state.ClusterUID == ledger.ClusterUID {
		return record, nil, problem.Person(onMove, vitistackv1alpha1.ReasonSameCluster,
			"KubevirtConfig %s leads to the cluster in which the Machine is; name another one", to)
	}
	record = vitistackv1alpha1.MoveRecord{
		ID: string(wish.UID), Name: wish.Name, Mode: vitistackv1alpha1.MoveModeCold, Stage: vitistackv1alpha1.MoveBegun,
		Was: string(strategyOf(guest.VM)), Ran: guest.Instance != nil, From: ledger,
		To: vitistackv1alpha1.Ledger{Config: to, ClusterUID: state.ClusterUID, Namespace: ledger.Namespace,
			VMName: ledger.VMName, Nonce: string(uuid.NewUUID())},
	}
	record = remembered(record, guest.VM, guest.Instance)
	if err := record.Validate(); err != nil {
		return record, nil, problem.Person(onMove, vitistackv1alpha1.ReasonCannotMove, "the move cannot be recorded: %v", err)
	}
	if err := r.turn(ctx, wish); err != nil {
		return record, nil, err
	}
	job := &job{Reconciler: r, machine: machine, record: record, wish: wish}
	if err := job.write(ctx, record, nil); err != nil {
		if r.Left != nil {
			r.Left(wish)
		}
		return record, nil, err
	}
	r.memory.moving(machine.UID, client.ObjectKeyFromObject(machine))
	log.FromContext(ctx).Info("Begins to move machine", "move", wish.Name, "from", ledger.Config, "to", to)
	return record, job.machine, nil
}

// turn holds back a move whose Evacuation has enough of them under way.
func (r *Reconciler) turn(ctx context.Context, wish *vitistackv1alpha1.MachineMove) error {
	if r.Turn == nil {
		return nil
	}
	held, err := r.Turn(ctx, wish)
	if err != nil || held == "" {
		return err
	}
	return problem.Time(onMove, vitistackv1alpha1.ReasonMoveUnderWay, "%s", held)
}

// movable is the ledger of a Machine whose record can be relied on.
func movable(
	machine *vitistackv1alpha1.Machine, wish *vitistackv1alpha1.MachineMove,
) (vitistackv1alpha1.Ledger, error) {
	none := func(format string, args ...any) (vitistackv1alpha1.Ledger, error) {
		return vitistackv1alpha1.Ledger{}, problem.Person(onMove, vitistackv1alpha1.ReasonNoVirtualMachine, format, args...)
	}
	switch {
	case machine == nil:
		return vitistackv1alpha1.Ledger{}, problem.Person(onMove, vitistackv1alpha1.ReasonMachineNotFound,
			"there is no Machine %s in namespace %s", wish.Spec.MachineName, wish.Namespace)
	case !machine.DeletionTimestamp.IsZero():
		return none("Machine %s is being deleted", machine.Name)
	case machine.Annotations[vitistackv1alpha1.AnnotationPaused] == "true":
		return vitistackv1alpha1.Ledger{}, problem.Person(onMove, vitistackv1alpha1.ReasonPaused,
			"Machine %s has the annotation %s: nothing is done with it", machine.Name, vitistackv1alpha1.AnnotationPaused)
	}
	ledger, err := vitistackv1alpha1.LedgerOf(machine)
	held := controllerutil.ContainsFinalizer(machine, vitistackv1alpha1.FinalizerMachine)
	if err != nil || ledger.VMUID == "" || !held || machine.Status.MachineID != ledger.VMUID {
		return none("Machine %s has no virtual machine yet that its record and its status name", machine.Name)
	}
	if ledger.ClusterUID == "" {
		return none("the identity of cluster %s is not known", ledger.Config)
	}
	return ledger, nil
}

func silentSource(ledger vitistackv1alpha1.Ledger, err error) error {
	return problem.Cluster(onMove, vitistackv1alpha1.ReasonSourceSilent, "%s gives no answer%s", ledger.Config,
		because(err))
}

// guest reads what is to be moved, past the cache, and refuses what cannot go.
func (r *Reconciler) guest(
	ctx context.Context, source side.Remote, machine *vitistackv1alpha1.Machine, ledger vitistackv1alpha1.Ledger,
) (Guest, error) {
	guest := Guest{Machine: machine, Ledger: ledger}
	vm, err := readVM(ctx, source, ledger)
	if err != nil {
		return guest, silentSource(ledger, err)
	}
	if vm == nil || string(vm.UID) != ledger.VMUID || !desired.IsOurs(vm.Labels, machine.UID, r.Options.SupervisorUID) {
		return guest, problem.Person(onMove, vitistackv1alpha1.ReasonNoVirtualMachine,
			"%s has no VirtualMachine %s that is the Machine's", ledger.Config, ledger.VMName)
	}
	guest.VM = vm
	instance := &kubevirtv1.VirtualMachineInstance{}
	switch err := source.Server.Get(ctx, client.ObjectKeyFromObject(vm), instance); {
	case err == nil && !instance.IsFinal():
		guest.Instance = instance
	case client.IgnoreNotFound(err) != nil:
		return guest, silentSource(ledger, err)
	}
	if guest.Claims, err = claimsOf(ctx, source, vm); err != nil {
		return guest, err
	}
	return guest, r.checkGuest(ctx, source, guest)
}

func (r *Reconciler) checkGuest(ctx context.Context, source side.Remote, guest Guest) error {
	if err := noSnapshots(ctx, source, guest); err != nil {
		return err
	}
	disks, err := relocation.Disks(guest.VM, guest.Claims)
	if err := errors.Join(relocation.Movable(guest.VM, guest.Instance), err); err != nil {
		refusal, _ := errors.AsType[*desired.Refusal](err)
		return problem.Person(onMove, refusal.Reason, "%s", refusal.Message)
	}
	work := removal.Job{
		MachineUID: guest.Machine.UID, SupervisorUID: r.Options.SupervisorUID, Ledger: guest.Ledger, Remote: source,
	}
	own, err := work.DisksOf(ctx, guest.VM)
	if err != nil {
		return err
	}
	for _, disk := range disks {
		if !own.Has(vitistackv1alpha1.DiskKindPersistentVolumeClaim, disk.Claim) {
			return problem.Person(onMove, vitistackv1alpha1.ReasonCannotMove,
				"disk %s (PersistentVolumeClaim %s) is not this Machine's own; take it out of the VirtualMachine, or give it the "+
					"Machine's labels", disk.Volume, disk.Claim)
		}
	}
	return nil
}

// noSnapshots refuses a guest of which there are snapshots: they would stay behind, and could never
// be restored. Where they may not be listed they are not looked for.
func noSnapshots(ctx context.Context, source side.Remote, guest Guest) error {
	snapshots := &unstructured.UnstructuredList{}
	snapshots.SetAPIVersion("snapshot.kubevirt.io/v1beta1")
	snapshots.SetKind("VirtualMachineSnapshotList")
	err := source.Server.List(ctx, snapshots, client.InNamespace(guest.VM.Namespace))
	if apierrors.IsForbidden(err) || errors.Is(err, clientmgr.ErrKindNotServed) {
		return nil
	}
	if err != nil {
		return silentSource(guest.Ledger, err)
	}
	for _, snapshot := range snapshots.Items {
		kind, _, _ := unstructured.NestedString(snapshot.Object, "spec", "source", "kind")
		name, _, _ := unstructured.NestedString(snapshot.Object, "spec", "source", "name")
		if kind == "VirtualMachine" && name == guest.VM.Name {
			return problem.Person(onMove, vitistackv1alpha1.ReasonCannotMove,
				"VirtualMachineSnapshot %s of the guest would stay behind; delete it where it is not needed", snapshot.GetName())
		}
	}
	return nil
}

// pending is the key under which it is remembered since when a move cannot begin. No Machine has it.
func pending(wish *vitistackv1alpha1.MachineMove) types.NamespacedName {
	return types.NamespacedName{Namespace: wish.Namespace, Name: "move/" + wish.Name}
}
