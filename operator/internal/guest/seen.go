package guest

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
)

// Seen is what a live look showed. The VirtualMachine was read before its instance: KubeVirt takes a
// request to stop off the VirtualMachine only once the instance is going.
type Seen struct {
	// VM is the Machine's VirtualMachine.
	VM *kubevirtv1.VirtualMachine
	// VMI is its instance, nil where there is none.
	VMI *kubevirtv1.VirtualMachineInstance
}

// lives says whether there is an instance that has not ended.
func (s Seen) lives() bool { return s.VMI != nil && !s.VMI.IsFinal() }

// ending says whether the instance is about to stop, whoever wanted that.
func (s Seen) ending() bool {
	return s.VMI != nil && (!s.VMI.DeletionTimestamp.IsZero() || s.asked(kubevirtv1.StopRequest, s.VMI.UID))
}

// asked says whether KubeVirt has a request that it has not carried out. uid "" is any instance's.
func (s Seen) asked(action kubevirtv1.StateChangeRequestAction, uid types.UID) bool {
	return slices.ContainsFunc(s.VM.Status.StateChangeRequests, func(r kubevirtv1.VirtualMachineStateChangeRequest) bool {
		return r.Action == action && (uid == "" || r.UID == nil || *r.UID == uid)
	})
}

// staysOff says whether no instance runs and KubeVirt will start none by itself.
func (s Seen) staysOff() bool {
	if s.lives() || s.ending() || s.asked(kubevirtv1.StartRequest, "") {
		return false
	}
	strategy, err := s.VM.RunStrategy()
	if err != nil {
		return false
	}
	switch strategy {
	case kubevirtv1.RunStrategyHalted:
		return true
	case kubevirtv1.RunStrategyManual:
		return true
	case kubevirtv1.RunStrategyRerunOnFailure, kubevirtv1.RunStrategyOnce:
		return s.VMI != nil && s.VMI.Status.Phase == kubevirtv1.Succeeded
	default:
		return false
	}
}

// runs says whether an instance runs that is not about to stop.
func runs(vmi *kubevirtv1.VirtualMachineInstance) bool {
	return vmi != nil && vmi.Status.Phase == kubevirtv1.Running && vmi.DeletionTimestamp.IsZero()
}

// paused says whether an instance is frozen.
func paused(vmi *kubevirtv1.VirtualMachineInstance) bool {
	return slices.ContainsFunc(vmi.Status.Conditions, func(c kubevirtv1.VirtualMachineInstanceCondition) bool {
		return c.Type == kubevirtv1.VirtualMachineInstancePaused && c.Status == "True"
	})
}
