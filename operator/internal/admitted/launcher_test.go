package admitted

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/agent"
)

// TestLauncher: what hinders the Pod that launches a guest stands in the Machine's failure while it
// does, in the words of whoever wrote it, and is gone when it passes. virt-controller copies from
// that Pod the condition PodScheduled and what keeps a container's image away, and nothing else;
// that a guest ends again and again it counts itself.
func TestLauncher(t *testing.T) {
	cases := map[string]struct {
		reason            string
		annotation, value string // of the trouble
		ready, failure    string
		phase             vitistackv1alpha1.MachinePhase
		message           string
	}{
		"Unschedulable": {
			reason:     "a node may come, so that the Machine is not Failed; but it says why it waits",
			annotation: agent.UnschedulableAnnotation, value: "true",
			ready: "False/Unschedulable", failure: vitistackv1alpha1.ReasonUnschedulable,
			phase:   vitistackv1alpha1.MachinePhasePending,
			message: "0/1 nodes are available: 1 Insufficient memory.",
		},
		"ImagePull": {
			reason:     "no node gets the launcher's image",
			annotation: agent.ImagePullErrorAnnotation, value: "true",
			ready: "False/ImagePullFailed", failure: vitistackv1alpha1.ReasonImagePullFailed,
			phase:   vitistackv1alpha1.MachinePhaseFailed,
			message: "failed to pull image",
		},
		"Crash": {
			reason:     "the guest ends before it runs, again and again",
			annotation: agent.CrashAnnotation, value: "boot",
			ready: "False/CrashLoop", failure: vitistackv1alpha1.ReasonCrashLoop, phase: vitistackv1alpha1.MachinePhaseFailed,
			message: "the virtual machine fails again and again",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l := begin(t, "launcher-"+strings.ToLower(name), func(m *vitistackv1alpha1.Machine) {
				m.Spec.RunStrategy = vitistackv1alpha1.RunStrategyHalted
			})
			l.byHand(func(vm *kubevirtv1.VirtualMachine) { vm.Annotations[tc.annotation] = tc.value })
			l.edit(func(m *vitistackv1alpha1.Machine) { m.Spec.RunStrategy = vitistackv1alpha1.RunStrategyAlways })
			l.until(tc.ready)
			status := l.machine().Status
			if status.Phase != tc.phase || status.FailureReason != tc.failure ||
				!strings.Contains(status.FailureMessage, tc.message) {
				t.Errorf("\n%s\nphase %s, failure %s: %q; want %s, %s: %q", tc.reason, status.Phase, status.FailureReason,
					status.FailureMessage, tc.phase, tc.failure, tc.message)
			}
			l.byHand(func(vm *kubevirtv1.VirtualMachine) { delete(vm.Annotations, tc.annotation) })
			eventually(t, func() string {
				l.touchPods()
				if _, err := l.reconciler.Reconcile(t.Context(), ctrl.Request{NamespacedName: l.key}); err != nil {
					return err.Error()
				}
				status := l.machine().Status
				if status.Phase != vitistackv1alpha1.MachinePhaseRunning || status.FailureReason != "" ||
					status.FailureMessage != "" {
					return fmt.Sprintf("%s: phase %s, failure %s: %q", tc.reason, status.Phase, status.FailureReason,
						status.FailureMessage)
				}
				return ""
			})
		})
	}
}

// touchPods lets the node look at the Machine's Pods again, as it would by itself after a while.
func (l *life) touchPods() {
	l.t.Helper()
	pods := &corev1.PodList{}
	if err := server.List(l.t.Context(), pods, client.InNamespace(namespace),
		client.MatchingLabels{"vm.kubevirt.io/name": "vm-" + l.key.Name}); err != nil {
		l.t.Fatal(err)
	}
	for _, pod := range pods.Items {
		before := pod.DeepCopy()
		if pod.Annotations == nil {
			pod.Annotations = map[string]string{}
		}
		pod.Annotations["example.com/touched"] += "."
		if err := server.Patch(l.t.Context(), &pod, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
			l.t.Fatal(err)
		}
	}
}
