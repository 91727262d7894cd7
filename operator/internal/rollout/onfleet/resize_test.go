package onfleet

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// TestResize gives four running Machines another class, two at a time. One that another controller owns
// keeps its class, and is named.
func TestResize(t *testing.T) {
	s := newScene(t, "resized", 5)
	s.most = 2
	owned := s.name(4)
	s.own(owned)
	s.observer = observe(t, s.namespace, func(*vitistackv1alpha1.Machine) {})
	s.rollout = &vitistackv1alpha1.MachineRollout{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "medium"}}
	s.rollout.Spec = vitistackv1alpha1.MachineRolloutSpec{
		Action: vitistackv1alpha1.RolloutResize, Resize: &vitistackv1alpha1.RolloutNewSize{Class: "medium"},
		MaxUnavailable: new(intstr.FromInt32(int32(s.most))),
	}
	must(t, supervisor().Create(t.Context(), s.rollout))
	s.until(4*time.Minute, "the others are resized", func(status vitistackv1alpha1.MachineRolloutStatus) bool {
		return status.Phase == vitistackv1alpha1.RolloutIncomplete
	})
	status := s.rollout.Status
	if status.Updated != 4 || len(status.Stays) != 1 || status.Stays[0].Machine != s.namespace+"/"+owned ||
		status.Stays[0].Reason != vitistackv1alpha1.ReasonOwnedByController {
		t.Errorf("%+v", status)
	}
	small := s.machines(t.Context(), func(m *vitistackv1alpha1.Machine) bool {
		return m.Spec.InstanceType != "medium" || m.Status.CPUs != 2 || m.Status.Memory != 2<<30 || notReady(m)
	})
	if len(small) != 1 || small[0] != owned {
		t.Errorf("%v are not of the new class", small)
	}
	if most, asked := s.observer.counted(); most > s.most || asked != 4 {
		t.Errorf("%d were not Ready at once, %d were asked", most, asked)
	}
}
