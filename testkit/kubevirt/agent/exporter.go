package agent

import (
	"context"
	"errors"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// probeInterval is how often a Pod that is to serve is looked at until it does.
const probeInterval = 200 * time.Millisecond

// isExporter says whether a Pod serves the disks of an export.
func isExporter(pod *corev1.Pod) bool {
	owner := metav1.GetControllerOf(pod)
	return owner != nil && owner.Kind == exportKind.Kind
}

// serviceOf is the name of the Service before a Pod that serves an export. KubeVirt names both after
// the export; a Service's name has no dots.
func serviceOf(pod *corev1.Pod) string { return strings.ReplaceAll(pod.Name, ".", "-") }

// export takes the Pod of an export one step on. It is ready when its server answers.
func (k *kubelet) export(ctx context.Context, pod *corev1.Pod) (time.Duration, error) {
	switch {
	case pod.DeletionTimestamp != nil:
		return 0, errors.Join(k.servers.stop(keyOf(pod)), k.remove(ctx, pod, nil))
	case pod.Spec.NodeName == "":
		return 0, k.bind(ctx, pod)
	case pod.Status.Phase == corev1.PodPending:
		return k.startExport(ctx, pod)
	case pod.Status.Phase == corev1.PodRunning:
		return 0, k.keepExport(ctx, pod)
	default:
		return 0, k.servers.stop(keyOf(pod))
	}
}

func (k *kubelet) startExport(ctx context.Context, pod *corev1.Pod) (time.Duration, error) {
	server := k.servers.of(pod)
	if server == nil {
		var err error
		if server, err = k.servers.start(ctx, pod); err != nil || server == nil {
			return probeInterval, err
		}
	}
	if server.Exited() != nil {
		return 0, k.patchStatus(ctx, pod, failedContainers)
	}
	if server.Ready(ctx) != nil {
		return probeInterval, nil
	}
	return 0, k.run(ctx, pod)
}

// keepExport ends a Pod whose server has ended: containers of exports are not started again.
func (k *kubelet) keepExport(ctx context.Context, pod *corev1.Pod) error {
	server := k.servers.of(pod)
	if server == nil || server.Exited() != nil {
		return k.patchStatus(ctx, pod, failedContainers)
	}
	return k.servers.refresh(ctx, pod, server)
}

// gone is done when a Pod has gone without having been asked to go.
func (k *kubelet) gone(request reconcile.Request) error {
	if k.servers == nil {
		return nil
	}
	return k.servers.stop(request.NamespacedName)
}
