package agent

import (
	"context"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// handler plays virt-handler: it starts and stops the guests of instances, and reports on them.
type handler struct {
	client    client.Client
	events    events.EventRecorder
	cluster   string
	script    Script
	light     bool
	waiters   *lockedWaiters
	macs      *lockedClaims
	addresses *lockedClaims
	crashes   *lockedClaims
	schedule  *lockedSchedule
}

// Reconcile takes an instance one step on. Its next event brings the next one.
func (h *handler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	vmi := &kubevirtv1.VirtualMachineInstance{}
	if err := h.client.Get(ctx, request.NamespacedName, vmi); err != nil {
		return reconcile.Result{}, err
	}
	next := vmi.DeepCopy()
	wait, err := h.step(ctx, next)
	if err != nil {
		return reconcile.Result{}, err
	}
	if h.light {
		ready(next)
	}
	if !equality.Semantic.DeepEqual(vmi.Status.Conditions, next.Status.Conditions) {
		stamp(next)
	}
	return reconcile.Result{RequeueAfter: wait}, patch(ctx, h.client, vmi, next)
}

// step changes an instance to its next state, and says after how long to look again; 0 means not by
// itself.
func (h *handler) step(ctx context.Context, vmi *kubevirtv1.VirtualMachineInstance) (time.Duration, error) {
	if vmi.IsFinal() {
		return 0, h.final(ctx, vmi)
	}
	guest, err := guestOf(ctx, h.client, h.script, vmi)
	if err != nil {
		return 0, err
	}
	switch {
	case vmi.DeletionTimestamp != nil:
		h.shutDown(vmi, guest)
		return 0, nil
	case vmi.Status.Phase == kubevirtv1.Scheduled:
		return h.boot(ctx, vmi, guest)
	case vmi.Status.Phase == kubevirtv1.Running:
		return h.run(ctx, vmi, guest)
	case h.light:
		return h.admit(ctx, vmi, guest)
	default:
		return 0, nil // virt-controller's
	}
}

// final gives up what a guest that has ended held.
func (h *handler) final(ctx context.Context, vmi *kubevirtv1.VirtualMachineInstance) error {
	h.macs.release(vmi.UID)
	h.addresses.release(vmi.UID)
	h.schedule.forget(vmi.UID)
	h.waiters.remove(keyOf(vmi), needs(vmi))
	if h.light {
		return h.dismiss(ctx, vmi)
	}
	return nil
}

// shutDown ends a guest that is to be deleted.
func (h *handler) shutDown(vmi *kubevirtv1.VirtualMachineInstance, guest Guest) {
	switch {
	case guest.Hold:
	case vmi.Status.Phase == kubevirtv1.Scheduled || vmi.Status.Phase == kubevirtv1.Running:
		setPhase(&vmi.Status, kubevirtv1.Succeeded)
	case h.light:
		setPhase(&vmi.Status, kubevirtv1.Failed)
	}
}

// boot starts a guest once all that it needs is there.
func (h *handler) boot(
	ctx context.Context, vmi *kubevirtv1.VirtualMachineInstance, guest Guest,
) (time.Duration, error) {
	if guest.invalid != nil {
		return 0, h.refuse(vmi, "InvalidScript", guest.invalid.Error(), nil)
	}
	if missing, err := h.missing(ctx, vmi, h.lack); err != nil || missing != "" {
		return 0, h.refuse(vmi, "MissingObjects", missing, err)
	}
	if holder, err := h.claimMACs(ctx, vmi); err != nil || holder != "" {
		return 0, h.refuse(vmi, "MACInUse", holder, err)
	}
	if left := h.schedule.left(vmi.UID, "boot", guest.BootDelay); left > 0 {
		return left, nil
	}
	if guest.Crash == CrashAtBoot {
		h.crash(vmi)
		return 0, nil
	}
	facts, err := h.facts(ctx, vmi, guest)
	if err != nil || facts.pod == nil && !h.light {
		return 0, err
	}
	removeCondition(vmi, kubevirtv1.VirtualMachineInstanceSynchronized)
	setPhase(&vmi.Status, kubevirtv1.Running)
	report(vmi, guest, facts)
	return h.run(ctx, vmi, guest)
}

// refuse reports why a guest does not start.
func (h *handler) refuse(vmi *kubevirtv1.VirtualMachineInstance, reason, message string, err error) error {
	if err != nil {
		return err
	}
	if setCondition(vmi, kubevirtv1.VirtualMachineInstanceSynchronized, corev1.ConditionFalse, reason, message) {
		h.events.Eventf(vmi, nil, corev1.EventTypeWarning, reason, "Start", "%s", message)
	}
	return nil
}

// run keeps the report on a running guest up to date, until it crashes.
func (h *handler) run(ctx context.Context, vmi *kubevirtv1.VirtualMachineInstance, guest Guest) (time.Duration, error) {
	if _, err := h.claimMACs(ctx, vmi); err != nil {
		return 0, err
	}
	if h.crashes.mine(vmi, guest) {
		if left := h.schedule.left(vmi.UID, "crash", guest.CrashAfter); left > 0 {
			return left, nil
		}
		h.crash(vmi)
		return 0, nil
	}
	facts, err := h.facts(ctx, vmi, guest)
	if err != nil {
		return 0, err
	}
	if facts.pod != nil && facts.pod.DeletionTimestamp != nil && !guest.Hold {
		setPhase(&vmi.Status, kubevirtv1.Succeeded)
		return 0, nil
	}
	report(vmi, guest, facts)
	return 0, nil
}

func (h *handler) crash(vmi *kubevirtv1.VirtualMachineInstance) {
	setPhase(&vmi.Status, kubevirtv1.Failed)
	h.events.Eventf(vmi, nil, corev1.EventTypeWarning, "Stopped", "Crash", "The VirtualMachineInstance crashed.")
}

// missing names what an instance needs and lacks, and waits for it.
func (h *handler) missing(
	ctx context.Context, vmi *kubevirtv1.VirtualMachineInstance, lack func(context.Context, need) (string, error),
) (string, error) {
	all := needs(vmi)
	h.waiters.add(keyOf(vmi), all)
	var missing []string
	for _, n := range all {
		what, err := lack(ctx, n)
		if err != nil {
			return "", err
		}
		if what != "" {
			missing = append(missing, n.String()+" "+what)
		}
	}
	if len(missing) > 0 {
		return strings.Join(missing, "; "), nil
	}
	h.waiters.remove(keyOf(vmi), all)
	return "", nil
}

// lack says what a needed object lacks, or "".
func (h *handler) lack(ctx context.Context, n need) (string, error) {
	if n.kind != claimKind {
		return absent(h.client.Get(ctx, n.key, objectOf(n.kind)))
	}
	claim := &corev1.PersistentVolumeClaim{}
	if err := h.client.Get(ctx, n.key, claim); err != nil {
		return absent(err)
	}
	if claim.Status.Phase != corev1.ClaimBound {
		return "is not bound", nil
	}
	return h.lackData(ctx, n)
}

// lackData says whether CDI is still filling a claim.
func (h *handler) lackData(ctx context.Context, n need) (string, error) {
	volume := &cdiv1.DataVolume{}
	err := h.client.Get(ctx, n.key, volume)
	if err == nil && volume.Status.Phase != cdiv1.Succeeded {
		return "is not filled", nil
	}
	return "", client.IgnoreNotFound(err)
}

func absent(err error) (string, error) {
	if apierrors.IsNotFound(err) {
		return "not found", nil
	}
	return "", err
}

// guestOf reads how an instance's guest behaves. For nil it is the Guest of no instance.
func guestOf(
	ctx context.Context, c client.Client, script Script, vmi *kubevirtv1.VirtualMachineInstance,
) (Guest, error) {
	if vmi == nil {
		return Guest{}, nil
	}
	vm, err := ownerOf(ctx, c, vmi)
	if err != nil || vm == nil {
		return script.guest(vmi.Annotations), err
	}
	return script.guest(vmi.Annotations, vm.Annotations), nil
}

// ownerOf returns the VirtualMachine of an instance, or of a DataVolume; nil if it has none.
func ownerOf(ctx context.Context, c client.Client, object client.Object) (*kubevirtv1.VirtualMachine, error) {
	owner := metav1.GetControllerOf(object)
	if owner == nil || owner.Kind != kubevirtv1.VirtualMachineGroupVersionKind.Kind {
		return nil, nil
	}
	vm := &kubevirtv1.VirtualMachine{}
	err := c.Get(ctx, types.NamespacedName{Namespace: object.GetNamespace(), Name: owner.Name}, vm)
	if apierrors.IsNotFound(err) || err == nil && vm.UID != owner.UID {
		return nil, nil
	}
	return vm, err
}

func keyOf(object client.Object) types.NamespacedName { return client.ObjectKeyFromObject(object) }
