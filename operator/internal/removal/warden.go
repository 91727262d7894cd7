package removal

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
)

// Warden looks after what moves left behind: it stops a VirtualMachine that has a tombstone and was
// brought back by a backup, and deletes one that a move made and never started. It does nothing
// until one of them is seen.
type Warden struct {
	Book     Book
	Clusters clientmgr.RemoteClusters
	// Server reads the supervisor past the cache.
	Server side.SupervisorServer
	// SupervisorUID is in the labels of what is ours.
	SupervisorUID string
	// Events takes what is told of a Machine, nil for nobody.
	Events events.EventRecorder

	mu     sync.Mutex
	graves map[types.UID]Grave // nil before they were read
}

// SetupWithManager lets mgr run the Warden.
func (w *Warden) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).Named("warden").
		WatchesRawSource(w.Clusters.Source(clientmgr.EventHandler{Object: w.suspects})).
		WithOptions(controller.Options{RateLimiter: wake.Backoff()}).
		Complete(w)
}

// suspects are the VirtualMachines that a look is worth. It costs nothing for all others.
func (w *Warden) suspects(ctx context.Context, config string, object client.Object) []reconcile.Request {
	vm, isVM := object.(*kubevirtv1.VirtualMachine)
	if !isVM || !vm.DeletionTimestamp.IsZero() || !w.isBuried(ctx, vm.UID) && !isUnborn(vm) {
		return nil
	}
	return []reconcile.Request{
		{NamespacedName: types.NamespacedName{Namespace: config, Name: vm.Namespace + "/" + vm.Name}},
	}
}

// isUnborn reports whether a move made a VirtualMachine and has not let it run, and nobody else did.
func isUnborn(vm *kubevirtv1.VirtualMachine) bool {
	fence := vm.Annotations[vitistackv1alpha1.AnnotationMoveFence]
	return fence != "" && !strings.HasSuffix(fence, vitistackv1alpha1.MoveFenceLifted) && !vm.Status.Created &&
		ptr.Deref(vm.Spec.RunStrategy, "") == kubevirtv1.RunStrategyHalted
}

// isBuried reports whether a VirtualMachine has a tombstone. Where they cannot be read now, none has:
// the next event asks again.
func (w *Warden) isBuried(ctx context.Context, uid types.UID) bool {
	all, err := w.known(ctx)
	_, found := all[uid]
	return err == nil && found
}

func (w *Warden) known(ctx context.Context) (map[types.UID]Grave, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.graves == nil {
		graves, err := w.Book.Graves(ctx)
		if err != nil {
			return nil, err
		}
		w.graves = graves
	}
	return maps.Clone(w.graves), nil
}

// Bury writes a grave down before its VirtualMachine is deleted.
func (w *Warden) Bury(ctx context.Context, grave Grave) error {
	known, err := w.known(ctx)
	if err != nil {
		return err
	}
	if err := w.Book.Bury(ctx, grave, known); err != nil {
		return fmt.Errorf("writing the tombstone of VirtualMachine %s: %w", grave.Name, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, old := range spent(w.graves, grave.At) {
		delete(w.graves, old.VMUID)
	}
	w.graves[grave.VMUID] = grave
	return nil
}

// Remember learns of a grave that somebody else in this process wrote down: graves are read once.
func (w *Warden) Remember(grave Grave) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.graves != nil {
		w.graves[grave.VMUID] = grave
	}
}

// IsBuried reports whether a VirtualMachine has a tombstone.
func (w *Warden) IsBuried(ctx context.Context, uid types.UID) (bool, error) {
	all, err := w.known(ctx)
	_, found := all[uid]
	return found, err
}

// Reconcile looks at one VirtualMachine, past every cache.
func (w *Warden) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	config := request.Namespace
	namespace, name, _ := strings.Cut(request.Name, "/")
	live, err := w.Clusters.Live(config)
	if err != nil {
		return w.later(config), nil
	}
	vm := &kubevirtv1.VirtualMachine{}
	if err := live.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, vm); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if vm.Labels[vitistackv1alpha1.LabelSupervisorUID] != w.SupervisorUID ||
		vm.Labels[vitistackv1alpha1.LabelMachineUID] == "" {
		return ctrl.Result{}, nil // whatever it says of a move
	}
	machine, err := w.machineOf(ctx, vm)
	if err != nil {
		return ctrl.Result{}, err
	}
	all, err := w.known(ctx)
	if err != nil {
		return ctrl.Result{}, err
	}
	grave, buried := all[vm.UID]
	if concerns(machine, vm) || !buried && !isUnborn(vm) {
		return ctrl.Result{}, nil
	}
	remote, err := w.Clusters.GetClientForConfig(ctx, config)
	if err != nil {
		return w.later(config), nil
	}
	found := leftover{config: config, remote: remote, vm: vm, machine: machine}
	if buried {
		err = w.lay(ctx, found, grave)
	} else {
		err = w.drop(ctx, found)
	}
	if stale, isProblem := problem.As(err); isProblem && stale.Stale { // its status was written meanwhile: nothing failed
		return ctrl.Result{RequeueAfter: problem.StaleRetry}, nil
	}
	return ctrl.Result{}, err
}

// leftover is a VirtualMachine that no Machine has any more, in a cluster.
type leftover struct {
	config  string
	remote  client.Client
	vm      *kubevirtv1.VirtualMachine
	machine *vitistackv1alpha1.Machine // that it was made for, nil where that is gone
}

// wardenAgain is when a cluster is asked again that gives no answer now.
const wardenAgain = 5 * time.Second

// later looks again soon at a cluster that gives no answer now, and never at one that is not known
// any more.
func (w *Warden) later(config string) ctrl.Result {
	if _, known := w.Clusters.State(config); !known {
		return ctrl.Result{}
	}
	return ctrl.Result{RequeueAfter: wardenAgain}
}

// machineOf reads the Machine that a VirtualMachine carries the UID of, nil where that is gone.
func (w *Warden) machineOf(
	ctx context.Context, vm *kubevirtv1.VirtualMachine,
) (*vitistackv1alpha1.Machine, error) {
	uid := vm.Labels[vitistackv1alpha1.LabelMachineUID]
	machines := &vitistackv1alpha1.MachineList{}
	if err := w.Server.List(ctx, machines, client.InNamespace(vm.Namespace)); err != nil {
		return nil, fmt.Errorf("looking for the Machine of VirtualMachine %s: %w", vm.Name, err)
	}
	for i := range machines.Items {
		if string(machines.Items[i].UID) == uid {
			return &machines.Items[i], nil
		}
	}
	return nil, nil
}

// concerns reports whether a Machine's record names a VirtualMachine, or a move of it is under way,
// which looks after both sides itself. A ledger that cannot be read may name anything.
func concerns(machine *vitistackv1alpha1.Machine, vm *kubevirtv1.VirtualMachine) bool {
	if machine == nil {
		return false
	}
	if machine.Annotations[vitistackv1alpha1.AnnotationPlacement] == "" {
		return machine.Status.MachineID == string(vm.UID) || machine.Status.KubevirtConfigRef != nil
	}
	ledger, err := vitistackv1alpha1.LedgerOf(machine)
	return err != nil || ledger.Move != "" || ledger.VMUID == string(vm.UID) || ledger.VMUID == ""
}

// lay stops a VirtualMachine that has a tombstone and may run. It is kept: whoever restored the
// backup decides what becomes of it.
func (w *Warden) lay(ctx context.Context, found leftover, grave Grave) error {
	vm := found.vm
	if ptr.Deref(vm.Spec.RunStrategy, "") == kubevirtv1.RunStrategyHalted {
		return nil
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": vm.UID, "resourceVersion": vm.ResourceVersion,
			"annotations": map[string]any{vitistackv1alpha1.AnnotationMovedBy: "tombstone"}},
		"spec": map[string]any{"running": nil, "runStrategy": kubevirtv1.RunStrategyHalted},
	})
	if err != nil {
		return err
	}
	err = found.remote.Patch(ctx, vm, client.RawPatch(types.MergePatchType, patch), side.FieldOwner)
	if client.IgnoreNotFound(err) != nil {
		return problem.Remote(err, found.config, problem.At{Condition: ready, Doing: "stopping VirtualMachine " + vm.Name})
	}
	log.FromContext(ctx).Info("Stopped a virtual machine whose Machine was moved away: a backup has brought it back",
		"kubevirtConfig", found.config, "namespace", vm.Namespace, "vm", vm.Name, "machine", grave.Machine)
	w.tell(found.machine, "TombstoneStopped", "stopped VirtualMachine %s (%s) of %s: the Machine was moved away from "+
		"there, and a backup has brought it back; delete it where nobody needs it", vm.Name, vm.UID, found.config)
	return nil
}

// drop deletes what a move made and never let run: the move was given up while its cluster gave no
// answer, or a process that had slept made it too late.
func (w *Warden) drop(ctx context.Context, found leftover) error {
	vm := found.vm
	guard := client.Preconditions{UID: &vm.UID, ResourceVersion: &vm.ResourceVersion}
	if err := found.remote.Delete(ctx, vm, guard); client.IgnoreNotFound(err) != nil {
		return problem.Remote(err, found.config, problem.At{Condition: ready, Doing: "deleting VirtualMachine " + vm.Name})
	}
	log.FromContext(ctx).Info("Deleted what a move made and never started", "kubevirtConfig", found.config,
		"namespace", vm.Namespace, "vm", vm.Name)
	w.tell(found.machine, "MoveLeftover", "deleted VirtualMachine %s of %s, which a move made that was given up",
		vm.Name, found.config)
	return nil
}

func (w *Warden) tell(machine *vitistackv1alpha1.Machine, reason, format string, args ...any) {
	if w.Events != nil && machine != nil {
		w.Events.Eventf(machine, nil, "Warning", reason, "Move", format, args...)
	}
}
