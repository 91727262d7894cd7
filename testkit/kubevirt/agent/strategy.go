package agent

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
)

const (
	// After n failed starts in a row virt-controller waits n² times startInterval, and startAtMost at
	// most.
	startInterval = 10 * time.Second
	startAtMost   = 5 * time.Minute
)

// starts says whether a VirtualMachine without a guest shall have one.
func starts(m *machine, strategy kubevirtv1.VirtualMachineRunStrategy) bool {
	switch strategy {
	case kubevirtv1.RunStrategyAlways, kubevirtv1.RunStrategyOnce:
		return true
	case kubevirtv1.RunStrategyRerunOnFailure:
		// It runs again after a failure, or when the strategy is new to the VirtualMachine.
		return requested(m.vm, kubevirtv1.StartRequest) || m.vm.Status.RunStrategy != strategy
	default:
		return requested(m.vm, kubevirtv1.StartRequest)
	}
}

// stops says whether the guest of a VirtualMachine shall go, to be followed by another or not. One
// that failed and is to run again leaves a request for its start.
func stops(m *machine, strategy kubevirtv1.VirtualMachineRunStrategy) bool {
	stop := requested(m.vm, kubevirtv1.StopRequest)
	switch strategy {
	case kubevirtv1.RunStrategyAlways:
		return stop || m.vmi.IsFinal()
	case kubevirtv1.RunStrategyRerunOnFailure:
		if m.vmi.Status.Phase == kubevirtv1.Failed && !requested(m.vm, kubevirtv1.StartRequest) {
			m.vm.Status.StateChangeRequests = append(m.vm.Status.StateChangeRequests,
				kubevirtv1.VirtualMachineStateChangeRequest{Action: kubevirtv1.StartRequest})
		}
		return stop || m.vmi.IsFinal()
	case kubevirtv1.RunStrategyHalted:
		return true
	case kubevirtv1.RunStrategyOnce:
		return false
	default:
		return stop
	}
}

// requested says whether the first request that is not done yet asks for action.
func requested(vm *kubevirtv1.VirtualMachine, action kubevirtv1.StateChangeRequestAction) bool {
	requests := vm.Status.StateChangeRequests
	return len(requests) > 0 && requests[0].Action == action
}

// trimRequests drops the first request if it is done.
func trimRequests(m *machine) {
	requests := m.vm.Status.StateChangeRequests
	if len(requests) == 0 {
		return
	}
	first := requests[0]
	gone := m.vmi == nil || first.UID != nil && *first.UID != m.vmi.UID
	runs := m.vmi != nil && m.vmi.DeletionTimestamp == nil && !m.vmi.IsFinal()
	if first.Action == kubevirtv1.StopRequest && gone || first.Action == kubevirtv1.StartRequest && runs {
		m.vm.Status.StateChangeRequests = requests[1:]
	}
}

// backoff returns how long a VirtualMachine is not to be started yet.
func backoff(vm *kubevirtv1.VirtualMachine) time.Duration {
	failure := vm.Status.StartFailure
	if failure == nil || failure.RetryAfterTimestamp == nil {
		return 0
	}
	return max(0, time.Until(failure.RetryAfterTimestamp.Time))
}

// countFailure counts guests that ended without having run; one that ran ends the count.
func countFailure(m *machine) {
	if m.vmi == nil {
		return
	}
	failure := m.vm.Status.StartFailure
	switch {
	case ran(m.vmi):
		m.vm.Status.StartFailure = nil
	case m.vmi.IsFinal() && (failure == nil || failure.LastFailedVMIUID != m.vmi.UID):
		count := 1
		if failure != nil {
			count += failure.ConsecutiveFailCount
		}
		retry := metav1.NewTime(time.Now().Add(min(startAtMost, time.Duration(count*count)*startInterval)))
		m.vm.Status.StartFailure = &kubevirtv1.VirtualMachineStartFailure{
			ConsecutiveFailCount: count, LastFailedVMIUID: m.vmi.UID, RetryAfterTimestamp: &retry,
		}
	}
}

// ran says whether a guest has ever run.
func ran(vmi *kubevirtv1.VirtualMachineInstance) bool {
	for _, transition := range vmi.Status.PhaseTransitionTimestamps {
		if transition.Phase == kubevirtv1.Running {
			return true
		}
	}
	return false
}
