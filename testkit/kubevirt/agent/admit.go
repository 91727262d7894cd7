package agent

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
)

const (
	podScheduled  = kubevirtv1.VirtualMachineInstanceConditionType(corev1.PodScheduled)
	claimNotFound = "FailedPvcNotFound"
	errImagePull  = "ErrImagePull"
	failedCreate  = "FailedCreate"
)

// admit plays virt-controller, the scheduler and the kubelet for an instance of a light cluster,
// which has no Pod.
func (h *handler) admit(
	ctx context.Context, vmi *kubevirtv1.VirtualMachineInstance, guest Guest,
) (time.Duration, error) {
	if vmi.Status.Phase == kubevirtv1.VmPhaseUnset {
		setPhase(&vmi.Status, kubevirtv1.Pending)
	}
	if launchable, err := h.launch(ctx, vmi); err != nil || !launchable {
		return 0, err
	}
	setPhase(&vmi.Status, kubevirtv1.Scheduling)
	if guest.Unschedulable {
		setCondition(vmi, podScheduled, corev1.ConditionFalse, corev1.PodReasonUnschedulable,
			"0/1 nodes are available: 1 Insufficient memory.")
		return 0, nil
	}
	removeCondition(vmi, podScheduled)
	if guest.ImagePullError {
		return 0, h.refuse(vmi, errImagePull, "failed to pull the launcher's image", nil)
	}
	removeCondition(vmi, kubevirtv1.VirtualMachineInstanceSynchronized)
	setPhase(&vmi.Status, kubevirtv1.Scheduled)
	vmi.Status.NodeName = NodeName(h.cluster)
	metav1.SetMetaDataLabel(&vmi.ObjectMeta, kubevirtv1.NodeNameLabel, vmi.Status.NodeName)
	return h.boot(ctx, vmi, guest)
}

// launch says whether virt-controller could make a Pod: not without the networks and claims, nor
// before CDI has filled these.
func (h *handler) launch(ctx context.Context, vmi *kubevirtv1.VirtualMachineInstance) (bool, error) {
	networks, err := h.missing(ctx, vmi, h.lackOf(attachmentKind))
	if err != nil || networks != "" {
		return false, h.refuse(vmi, failedCreate, "failed to render launch manifest: "+networks, err)
	}
	claims, err := h.missing(ctx, vmi, h.lackOf(claimKind))
	if err != nil {
		return false, err
	}
	filled, err := h.reportData(ctx, vmi)
	if err != nil || !filled {
		return false, err
	}
	if claims != "" {
		setCondition(vmi, podScheduled, corev1.ConditionFalse, corev1.PodReasonUnschedulable, claims)
		return false, h.refuse(vmi, claimNotFound, claims, nil)
	}
	return true, nil
}

// lackOf is lack for objects of one kind that do not exist, alone.
func (h *handler) lackOf(kind schema.GroupVersionKind) func(context.Context, need) (string, error) {
	return func(ctx context.Context, n need) (string, error) {
		if n.kind != kind {
			return "", nil
		}
		return absent(h.client.Get(ctx, n.key, objectOf(kind)))
	}
}

// reportData says whether all DataVolumes of an instance are filled, if it has any.
func (h *handler) reportData(ctx context.Context, vmi *kubevirtv1.VirtualMachineInstance) (bool, error) {
	const kind = kubevirtv1.VirtualMachineInstanceDataVolumesReady
	found := false
	for _, n := range needs(vmi) {
		if n.kind != claimKind {
			continue
		}
		volume := &cdiv1.DataVolume{}
		if err := h.client.Get(ctx, n.key, volume); apierrors.IsNotFound(err) {
			continue
		} else if err != nil {
			return false, err
		}
		found = true
		if volume.Status.Phase != cdiv1.Succeeded {
			h.waiters.add(keyOf(vmi), []need{n})
			setCondition(vmi, kind, corev1.ConditionFalse, kubevirtv1.VirtualMachineInstanceReasonNotAllDVsReady,
				"Not all of the VMI's DVs are ready")
			return false, nil
		}
	}
	if found {
		setCondition(vmi, kind, corev1.ConditionTrue, kubevirtv1.VirtualMachineInstanceReasonAllDVsReady,
			"All of the VMI's DVs are bound and ready")
	}
	return true, nil
}

// dismiss lets an instance of a light cluster go that has ended.
func (h *handler) dismiss(ctx context.Context, vmi *kubevirtv1.VirtualMachineInstance) error {
	finalizers := []string{kubevirtv1.VirtualMachineInstanceFinalizer}
	vm, err := ownerOf(ctx, h.client, vmi)
	if err != nil {
		return err
	}
	if vm == nil {
		finalizers = append(finalizers, kubevirtv1.VirtualMachineControllerFinalizer)
	}
	vmi.Finalizers = slices.DeleteFunc(vmi.Finalizers, func(f string) bool { return slices.Contains(finalizers, f) })
	return nil
}

// ready writes the condition that virt-controller takes from the Pod and the phase.
func ready(vmi *kubevirtv1.VirtualMachineInstance) {
	const kind = kubevirtv1.VirtualMachineInstanceReady
	switch {
	case vmi.IsFinal() || vmi.DeletionTimestamp != nil && vmi.IsRunning():
		setCondition(vmi, kind, corev1.ConditionFalse, kubevirtv1.PodTerminatingReason, "virt-launcher pod is terminating")
	case vmi.IsRunning():
		setCondition(vmi, kind, corev1.ConditionTrue, "", "")
	case vmi.Status.Phase == kubevirtv1.Pending:
		setCondition(vmi, kind, corev1.ConditionFalse, kubevirtv1.PodNotExistsReason,
			"virt-launcher pod has not yet been scheduled")
	default:
		setCondition(vmi, kind, corev1.ConditionFalse, kubevirtv1.GuestNotRunningReason,
			"Guest VM is not reported as running")
	}
}

// holds says whether an instance has a condition with a status, and reasonOf why it is false, or
// "".
func holds(
	vmi *kubevirtv1.VirtualMachineInstance, kind kubevirtv1.VirtualMachineInstanceConditionType,
	status corev1.ConditionStatus,
) bool {
	for _, condition := range vmi.Status.Conditions {
		if condition.Type == kind {
			return condition.Status == status
		}
	}
	return false
}

func reasonOf(vmi *kubevirtv1.VirtualMachineInstance, kind kubevirtv1.VirtualMachineInstanceConditionType) string {
	for _, condition := range vmi.Status.Conditions {
		if condition.Type == kind && condition.Status == corev1.ConditionFalse {
			return condition.Reason
		}
	}
	return ""
}
