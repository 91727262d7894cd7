package observed

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// failure is what conditions of the remote cluster say went wrong.
type failure struct {
	// reason is one of package v1alpha1, "" where there is only something to explain.
	reason string
	// message is "" where nothing went wrong.
	message string
}

// Reasons of KubeVirt's condition Synchronized, where they are no general trouble.
const (
	reasonFailedCreate     = "FailedCreate"
	reasonFailedPVC        = "FailedPvcNotFound"
	reasonErrImagePull     = "ErrImagePull"
	reasonImagePullBackOff = "ImagePullBackOff"
)

// failures is the first that went wrong: disks before the VirtualMachine before its instance,
// because one follows from the other.
func failures(
	vm *kubevirtv1.VirtualMachine, vmi *kubevirtv1.VirtualMachineInstance, dataVolumes []cdiv1beta1.DataVolume,
) failure {
	if found := diskFailure(dataVolumes); found.message != "" {
		return found
	}
	for _, c := range vm.Status.Conditions {
		if c.Type == kubevirtv1.VirtualMachineFailure && c.Status == corev1.ConditionTrue {
			return failure{reason: vitistackv1alpha1.ReasonRejected, message: explain(c.Reason, c.Message)}
		}
	}
	if vmi == nil {
		return failure{}
	}
	return instanceFailure(vmi.Status.Conditions)
}

func instanceFailure(conditions []kubevirtv1.VirtualMachineInstanceCondition) failure {
	var unscheduled failure
	for _, c := range conditions {
		if c.Status != corev1.ConditionFalse {
			continue
		}
		switch {
		case c.Type == kubevirtv1.VirtualMachineInstanceSynchronized:
			return failure{reason: synchronizedReason(c.Reason), message: explain(c.Reason, c.Message)}
		case string(c.Type) == string(corev1.PodScheduled) && c.Reason == corev1.PodReasonUnschedulable:
			unscheduled = failure{message: c.Message}
		}
	}
	return unscheduled
}

func synchronizedReason(reason string) string {
	switch reason {
	case reasonFailedCreate:
		return vitistackv1alpha1.ReasonRejected
	case reasonFailedPVC:
		return vitistackv1alpha1.ReasonDiskFailed
	case reasonErrImagePull, reasonImagePullBackOff:
		return vitistackv1alpha1.ReasonImagePullFailed
	default:
		return vitistackv1alpha1.ReasonCrashLoop
	}
}

// diskFailure joins the failures of all disks, by name.
func diskFailure(dataVolumes []cdiv1beta1.DataVolume) failure {
	var messages []string
	for _, dv := range dataVolumes {
		if message := dataVolumeFailure(dv); message != "" {
			messages = append(messages, "DataVolume "+name(dv.Name)+": "+sentence(message))
		}
	}
	if len(messages) == 0 {
		return failure{}
	}
	slices.Sort(messages)
	return failure{reason: vitistackv1alpha1.ReasonDiskFailed, message: strings.Join(messages, "; ")}
}

// progress is how far the disks are that are being filled, in words that follow a sentence. It is
// told in steps of ten per cent: a status is not written for less.
func progress(dataVolumes []cdiv1beta1.DataVolume) string {
	var each []string
	for _, dv := range dataVolumes {
		if dv.Status.Phase == cdiv1beta1.Succeeded || dv.Status.Phase == "" {
			continue
		}
		is := fmt.Sprintf("DataVolume %s is in the phase %s", name(dv.Name), word(string(dv.Status.Phase)))
		done, err := strconv.ParseFloat(strings.TrimSuffix(string(dv.Status.Progress), "%"), 64)
		if err == nil && done >= 0 && done <= 100 {
			is += fmt.Sprintf(" at %d%%", int(done)/10*10)
		}
		each = append(each, is)
	}
	if len(each) == 0 {
		return ""
	}
	slices.Sort(each)
	return ": " + strings.Join(each, ", ")
}

// dataVolumeFailure is "" where the DataVolume is done or on its way. The reasons of the importer's
// failures are Error and ImagePullFailed; those of storage that cannot be had begin with Err.
func dataVolumeFailure(dv cdiv1beta1.DataVolume) string {
	if dv.Status.Phase == cdiv1beta1.Succeeded {
		return ""
	}
	for _, c := range dv.Status.Conditions {
		if c.Status == corev1.ConditionTrue || c.Type == cdiv1beta1.DataVolumeReady {
			continue
		}
		if strings.HasPrefix(c.Reason, "Err") || c.Reason == "ImagePullFailed" {
			return explain(c.Reason, c.Message)
		}
	}
	if dv.Status.Phase == cdiv1beta1.Failed {
		return "failed"
	}
	return ""
}

func explain(reason, message string) string {
	switch {
	case message == "":
		return reason
	case reason == "" || strings.Contains(message, reason):
		return message
	default:
		return reason + ": " + message
	}
}
