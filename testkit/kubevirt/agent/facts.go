package agent

import (
	"context"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// facts are what virt-handler finds on its node about an instance.
type facts struct {
	node      string
	pod       *corev1.Pod // nil in a light cluster, which has none
	addresses []netip.Addr
	claims    map[string]*corev1.PersistentVolumeClaim // by the names of volumes; in a light cluster
}

func (h *handler) facts(ctx context.Context, vmi *kubevirtv1.VirtualMachineInstance, guest Guest) (facts, error) {
	f := facts{node: NodeName(h.cluster)}
	var err error
	if h.light {
		f.addresses = podAddresses(h.addresses, h.cluster, vmi.UID)
		f.claims, err = h.claimsOf(ctx, vmi)
	} else if f.pod, err = h.podOf(ctx, vmi); f.pod != nil {
		for _, ip := range f.pod.Status.PodIPs {
			address, err := netip.ParseAddr(ip.IP)
			if err != nil {
				return f, err
			}
			f.addresses = append(f.addresses, address)
		}
	}
	if !guest.DualStack && len(f.addresses) > 1 {
		f.addresses = f.addresses[:1]
	}
	return f, err
}

// podOf returns the running Pod of an instance, or nil.
func (h *handler) podOf(ctx context.Context, vmi *kubevirtv1.VirtualMachineInstance) (*corev1.Pod, error) {
	pods := &corev1.PodList{}
	if err := h.client.List(ctx, pods, client.InNamespace(vmi.Namespace),
		client.MatchingFields{launcherIndex: vmi.Name}); err != nil {
		return nil, err
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		if metav1.IsControlledBy(pod, vmi) && pod.Status.Phase == corev1.PodRunning {
			return pod, nil
		}
	}
	return nil, nil
}

func (h *handler) claimsOf(
	ctx context.Context, vmi *kubevirtv1.VirtualMachineInstance,
) (map[string]*corev1.PersistentVolumeClaim, error) {
	claims := map[string]*corev1.PersistentVolumeClaim{}
	for _, volume := range vmi.Spec.Volumes {
		name := claimName(volume)
		if name == "" {
			continue
		}
		claim := &corev1.PersistentVolumeClaim{}
		if err := h.client.Get(ctx, client.ObjectKey{Namespace: vmi.Namespace, Name: name}, claim); err != nil {
			return nil, client.IgnoreNotFound(err)
		}
		claims[volume.Name] = claim
	}
	return claims, nil
}

// launcherOf is the index function of launcherIndex.
func launcherOf(object client.Object) []string {
	owner := metav1.GetControllerOf(object)
	if owner == nil || owner.Kind != kubevirtv1.VirtualMachineInstanceGroupVersionKind.Kind {
		return nil
	}
	return []string{owner.Name}
}
