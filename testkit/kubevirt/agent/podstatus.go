package agent

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// unschedulable is what the scheduler writes when no node has room.
func unschedulable(status *corev1.PodStatus, _ corev1.PodSpec, now metav1.Time) {
	setPodCondition(status, corev1.PodCondition{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable,
		Message: "0/1 nodes are available: 1 Insufficient memory.", LastTransitionTime: now,
	})
}

// imagePullError is what the kubelet writes when it cannot get an image.
func imagePullError(status *corev1.PodStatus, spec corev1.PodSpec, now metav1.Time) {
	setPodCondition(status, scheduled(now))
	if len(status.ContainerStatuses) > 0 {
		return
	}
	for _, container := range spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, corev1.ContainerStatus{
			Name: container.Name, Image: container.Image,
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
				Reason: "ErrImagePull", Message: "failed to pull image " + container.Image + ": not found",
			}},
		})
	}
}

// runContainers is what the kubelet writes when all containers run and are ready.
func runContainers(status *corev1.PodStatus, spec corev1.PodSpec, now metav1.Time) {
	status.Phase = corev1.PodRunning
	status.StartTime = &now
	setPodCondition(status, scheduled(now))
	for _, kind := range []corev1.PodConditionType{corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		setPodCondition(status, corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	status.InitContainerStatuses, status.ContainerStatuses = nil, nil
	for _, container := range spec.InitContainers {
		status.InitContainerStatuses = append(status.InitContainerStatuses, initStatus(container, now))
	}
	for _, container := range spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, runningStatus(container, now))
	}
}

// initStatus is that of an init container that has done its work, or of a side-car, which runs on.
func initStatus(container corev1.Container, now metav1.Time) corev1.ContainerStatus {
	if container.RestartPolicy != nil && *container.RestartPolicy == corev1.ContainerRestartPolicyAlways {
		return runningStatus(container, now)
	}
	return corev1.ContainerStatus{
		Name: container.Name, Image: container.Image, Ready: true, Started: ptr.To(false),
		State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			Reason: "Completed", StartedAt: now, FinishedAt: now,
		}},
	}
}

func runningStatus(container corev1.Container, now metav1.Time) corev1.ContainerStatus {
	return corev1.ContainerStatus{
		Name: container.Name, Image: container.Image, Ready: true, Started: ptr.To(true),
		State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
	}
}

func scheduled(now metav1.Time) corev1.PodCondition {
	return corev1.PodCondition{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: now}
}

// setPodCondition sets a condition; one that says the same already stays as it is.
func setPodCondition(status *corev1.PodStatus, condition corev1.PodCondition) {
	for i, old := range status.Conditions {
		if old.Type != condition.Type {
			continue
		}
		if old.Status == condition.Status && old.Reason == condition.Reason {
			return
		}
		status.Conditions[i] = condition
		return
	}
	status.Conditions = append(status.Conditions, condition)
}

// failedContainers is what the kubelet writes when the containers of a Pod have ended that are not
// started again.
func failedContainers(status *corev1.PodStatus, _ corev1.PodSpec, now metav1.Time) {
	status.Phase = corev1.PodFailed
	for _, kind := range []corev1.PodConditionType{corev1.ContainersReady, corev1.PodReady} {
		setPodCondition(status, corev1.PodCondition{
			Type: kind, Status: corev1.ConditionFalse, Reason: "PodFailed", LastTransitionTime: now,
		})
	}
	for i := range status.ContainerStatuses {
		container := &status.ContainerStatuses[i]
		container.Ready, container.Started = false, ptr.To(false)
		container.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			Reason: "Error", ExitCode: 1, FinishedAt: now,
		}}
	}
}
