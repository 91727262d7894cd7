package agent

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
)

// progressInterval is how often the progress of a download is reported.
const progressInterval = 500 * time.Millisecond

// fetch reports how far the download of a disk is, and returns after how long to look again.
func (i *importer) fetch(volume *cdiv1.DataVolume, claim *corev1.PersistentVolumeClaim) time.Duration {
	state, percent, known := i.downloads.start(volume, claim).state()
	volume.Status.RestartCount = max(volume.Status.RestartCount, state.restarts)
	if known && state.step != mounting {
		volume.Status.Progress = cdiv1.DataVolumeProgress(fmt.Sprintf("%.2f%%", percent))
	} else if volume.Status.Progress == "" {
		volume.Status.Progress = "N/A"
	}
	bound := func(phase cdiv1.DataVolumePhase, running corev1.ConditionStatus, reason, message string) {
		setVolume(volume, phase,
			cdiv1.DataVolumeCondition{Status: corev1.ConditionTrue, Reason: "Bound", Message: "PVC " + volume.Name + " Bound"},
			cdiv1.DataVolumeCondition{Status: running, Reason: reason, Message: message})
	}
	switch state.step {
	case mounting:
		bound(cdiv1.ImportScheduled, corev1.ConditionFalse, "ContainerCreating", "")
	case transferring:
		bound(cdiv1.ImportInProgress, corev1.ConditionTrue, "Pod is running", "")
		return progressInterval
	case restarting:
		i.warn(volume, state.failure.Message)
		bound(cdiv1.ImportInProgress, corev1.ConditionFalse, state.failure.Reason, state.failure.Message)
	case failed:
		i.warn(volume, state.failure.Message)
		bound(cdiv1.Failed, corev1.ConditionFalse, state.failure.Reason, state.failure.Message)
	case filled:
		volume.Status.Progress = "100.0%"
		bound(cdiv1.Succeeded, corev1.ConditionFalse, "Completed", "Import Complete")
	}
	return 0
}

// warn tells of a failure that the DataVolume does not tell of yet.
func (i *importer) warn(volume *cdiv1.DataVolume, message string) {
	if slices.ContainsFunc(volume.Status.Conditions, func(c cdiv1.DataVolumeCondition) bool {
		return c.Type == cdiv1.DataVolumeRunning && c.Message == message
	}) {
		return
	}
	i.events.Eventf(volume, nil, corev1.EventTypeWarning, "ImportFailed", "Import", "%s", message)
}
