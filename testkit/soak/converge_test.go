package soak

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

func TestIsAsAsked(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		change func(*vitistackv1alpha1.Machine)
		want   bool
	}{
		"runs": {
			reason: "A guest that is to run runs, and the status is of the newest generation.",
			change: func(*vitistackv1alpha1.Machine) {}, want: true,
		},
		"off as asked": {
			reason: "A Machine that is stopped is to be Stopped.",
			change: func(m *vitistackv1alpha1.Machine) {
				m.Spec.RunStrategy, m.Status.Phase = vitistackv1alpha1.RunStrategyHalted, vitistackv1alpha1.MachinePhaseStopped
			},
			want: true,
		},
		"runs although it is to be off": {
			reason: "The operator has not stopped it.",
			change: func(m *vitistackv1alpha1.Machine) { m.Spec.RunStrategy = vitistackv1alpha1.RunStrategyHalted },
		},
		"of an earlier generation": {
			reason: "The status says nothing about what was asked last.",
			change: func(m *vitistackv1alpha1.Machine) { m.Generation++ },
		},
		"going": {
			reason: "A Machine whose deletion never ends is one too many.",
			change: func(m *vitistackv1alpha1.Machine) { m.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)} },
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Generation: 3}}
			m.Status.Phase, m.Status.ObservedGeneration = vitistackv1alpha1.MachinePhaseRunning, 3
			tc.change(m)
			if got := isAsAsked(m); got != tc.want {
				t.Errorf("%s: want %v", tc.reason, tc.want)
			}
		})
	}
}
