package agent

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// launcherIndex finds the Pods of an instance by its name.
const launcherIndex = "instance"

// kubelet plays the scheduler, the kubelet and Multus for Pods.
type kubelet struct {
	client    client.Client
	cluster   string
	script    Script
	addresses *lockedClaims
	servers   *servers // nil where nothing is exported
}

// Reconcile takes a Pod one step on. Its next event brings the next one.
func (k *kubelet) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	pod := &corev1.Pod{}
	if err := k.client.Get(ctx, request.NamespacedName, pod); apierrors.IsNotFound(err) {
		return reconcile.Result{}, k.gone(request)
	} else if err != nil {
		return reconcile.Result{}, err
	}
	if k.servers != nil && isExporter(pod) {
		wait, err := k.export(ctx, pod)
		return reconcile.Result{RequeueAfter: wait}, err
	}
	if isHandler(pod) {
		return reconcile.Result{}, nil
	}
	vmi, err := k.instance(ctx, pod)
	if err != nil {
		return reconcile.Result{}, err
	}
	guest, err := guestOf(ctx, k.client, k.script, vmi)
	if err != nil {
		return reconcile.Result{}, err
	}
	switch {
	case pod.DeletionTimestamp != nil:
		err = k.remove(ctx, pod, vmi)
	case pod.Spec.NodeName == "" && guest.Unschedulable:
		err = k.patchStatus(ctx, pod, unschedulable)
	case pod.Spec.NodeName == "":
		err = k.bind(ctx, pod)
	case pod.Status.Phase == corev1.PodPending && guest.ImagePullError:
		err = k.patchStatus(ctx, pod, imagePullError)
	case pod.Status.Phase == corev1.PodPending:
		err = k.run(ctx, pod)
	}
	return reconcile.Result{}, err
}

// instance returns the instance that a Pod launches, or nil.
func (k *kubelet) instance(ctx context.Context, pod *corev1.Pod) (*kubevirtv1.VirtualMachineInstance, error) {
	owner := metav1.GetControllerOf(pod)
	if owner == nil || owner.Kind != kubevirtv1.VirtualMachineInstanceGroupVersionKind.Kind {
		return nil, nil
	}
	vmi := &kubevirtv1.VirtualMachineInstance{}
	err := k.client.Get(ctx, types.NamespacedName{Namespace: pod.Namespace, Name: owner.Name}, vmi)
	if apierrors.IsNotFound(err) || err == nil && vmi.UID != owner.UID {
		return nil, nil
	}
	return vmi, err
}

// remove lets a Pod go once its guest has shut down.
func (k *kubelet) remove(ctx context.Context, pod *corev1.Pod, vmi *kubevirtv1.VirtualMachineInstance) error {
	if vmi != nil && (vmi.Status.Phase == kubevirtv1.Scheduled || vmi.Status.Phase == kubevirtv1.Running) {
		return nil
	}
	err := k.client.Delete(ctx, pod, client.GracePeriodSeconds(0), client.Preconditions{UID: &pod.UID})
	if err == nil {
		k.addresses.release(pod.UID)
	}
	return err
}

func (k *kubelet) bind(ctx context.Context, pod *corev1.Pod) error {
	binding := &corev1.Binding{Target: corev1.ObjectReference{Kind: "Node", Name: NodeName(k.cluster)}}
	err := k.client.SubResource("binding").Create(ctx, pod, binding)
	if apierrors.IsConflict(err) {
		return nil // it is bound, which the cache has not seen
	}
	return err
}

// run attaches a Pod to its networks and starts its containers.
func (k *kubelet) run(ctx context.Context, pod *corev1.Pod) error {
	addresses := podAddresses(k.addresses, k.cluster, pod.UID)
	attached := pod.DeepCopy()
	if err := attach(attached, addresses); err != nil {
		return err
	}
	if len(attached.Annotations) != len(pod.Annotations) {
		if err := k.client.Patch(ctx, attached, client.MergeFrom(pod)); err != nil {
			return err
		}
	}
	return k.patchStatus(ctx, attached, func(status *corev1.PodStatus, spec corev1.PodSpec, now metav1.Time) {
		runContainers(status, spec, now)
		status.PodIP = addresses[0].String()
		status.PodIPs = nil
		for _, address := range addresses {
			status.PodIPs = append(status.PodIPs, corev1.PodIP{IP: address.String()})
		}
	})
}

// patchStatus sends what change changes of a Pod's status, if anything.
func (k *kubelet) patchStatus(
	ctx context.Context, pod *corev1.Pod, change func(*corev1.PodStatus, corev1.PodSpec, metav1.Time),
) error {
	changed := pod.DeepCopy()
	change(&changed.Status, pod.Spec, metav1.Now())
	return patchStatus(ctx, k.client, pod, changed)
}
