package machine_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	kubevirtv1 "kubevirt.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
)

// TestBootIsCoalesced plays the ten writes that KubeVirt makes to an instance while it boots, a
// tenth of a second apart, with a pass after each. What nobody decides by waits; that the guest
// runs does not; and in the end everything is told.
func TestBootIsCoalesced(t *testing.T) {
	w := placed(t)
	now := clocktesting.NewFakePassiveClock(time.Unix(2e9, 0))
	r := w.reconciler(machine.WithClock(now))
	w.run(east)
	key := types.NamespacedName{Namespace: namespace, Name: vmName}
	boot := func(change func(*kubevirtv1.VirtualMachineInstance)) {
		edit(w, east, key, &kubevirtv1.VirtualMachineInstance{}, change)
		now.SetTime(now.Now().Add(100 * time.Millisecond))
		if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: webKey}); err != nil {
			t.Fatal(err)
		}
	}
	w.forget()
	boot(func(vmi *kubevirtv1.VirtualMachineInstance) { vmi.Status.Phase = kubevirtv1.Running })
	if got := w.machine().Status.Phase; got != vitistackv1alpha1.MachinePhaseRunning {
		t.Errorf("the guest runs, and the phase is %s", got)
	}
	for i := range 9 {
		boot(func(vmi *kubevirtv1.VirtualMachineInstance) {
			vmi.Status.GuestOSInfo.KernelRelease = string(rune('a' + i))
			vmi.Status.PhaseTransitionTimestamps = append(vmi.Status.PhaseTransitionTimestamps,
				kubevirtv1.VirtualMachineInstancePhaseTransitionTimestamp{
					Phase: kubevirtv1.Running, PhaseTransitionTimestamp: metav1.NewTime(now.Now()),
				})
		})
	}
	if writes := w.written(); len(writes) > 2 {
		t.Errorf("ten writes of an instance cost %d of the Machine: %v", len(writes), writes)
	}
	now.SetTime(now.Now().Add(time.Second))
	if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: webKey}); err != nil {
		t.Fatal(err)
	}
	if got := w.machine().Status.KernelVersion; got != "i" {
		t.Errorf("in the end the kernel is %q, not the last one told", got)
	}
}
