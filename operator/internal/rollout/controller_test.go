package rollout

import (
	"testing"

	"k8s.io/apimachinery/pkg/util/intstr"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// TestStaleLeader: a process whose caches stand still, and which would begin another Machine first,
// begins none.
func TestStaleLeader(t *testing.T) {
	w := newWorld(restart(func(s *spec) {
		s.MaxUnavailable, s.Order = new(intstr.FromInt32(1)), vitistackv1alpha1.RolloutSmallestFirst
	}), ready("m0"), ready("m1"))
	w.fallBehind(1)
	w.change("m1", func(m *vitistackv1alpha1.Machine) { m.Status.Memory = 1 << 30 })
	for _, process := range []int{0, 1} {
		if _, err := w.reconcile(process, "r"); err != nil {
			t.Fatal(err)
		}
	}
	if w.asks["m0"]+w.asks["m1"] != 1 || w.asks["m1"] != 1 {
		t.Errorf("asked %v", w.asks)
	}
}
