package observer

import (
	"cmp"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// leaks finds what is left of Machines that are gone, in any cluster: whatever carries their labels
// and is nobody else's.
func leaks(s seen) []Violation {
	var found []Violation
	for _, l := range s.lives {
		if !s.isLeft(l) {
			continue
		}
		found = append(found, Violation{
			Invariant: Leak, Cluster: l.Cluster, Object: l.object(), At: s.now,
			Message: fmt.Sprintf("it is left of Machine %s, which is gone", s.nameOf(l.machine())),
			about:   []types.UID{l.UID, l.machine(), l.guest()},
		})
	}
	slices.SortFunc(found, func(a, b Violation) int { return cmp.Compare(a.key(), b.key()) })
	return found
}

// isLeft reports whether an object should be gone with its Machine.
func (s seen) isLeft(l life) bool {
	machine := l.machine()
	if machine == "" || !l.Until.IsZero() || l.Returned || !slices.Contains(perMachine(), l.Resource) ||
		s.isPersonsGuest(l) {
		return false
	}
	m, known := s.machines[machine]
	switch {
	case known && m.Gone.IsZero():
		return false
	case known && (m.Undone || wasReleased(m)):
		return false // an orphan is shown, and stays
	case !known && l.Listed && !l.From.After(s.options.Since):
		return false // from before the observer
	default:
		return s.calm(s.now, s.now, l.Cluster) || l.Cluster == fleet.Supervisor // else it is owed
	}
}

// perMachine are the kinds of what is made for one Machine.
func perMachine() []string {
	return []string{virtualMachines, instances, dataVolumes, claims, secrets, configMaps, exports, attachments,
		networkConfigs}
}

// wasReleased reports whether a person let a Machine go without what was made for it.
func wasReleased(m machine) bool {
	if m.last().isKept() {
		return true
	}
	released := m.last().Object.Annotations[vitistackv1alpha1.AnnotationForceRelease]
	later := len(released) > len(vitistackv1alpha1.ForceReleaseDeleteLater) &&
		released[len(released)-len(vitistackv1alpha1.ForceReleaseDeleteLater):] == vitistackv1alpha1.ForceReleaseDeleteLater
	return released != "" && !later
}

// isKept reports whether a person wants the VirtualMachine of a Machine that is being deleted: the Machine
// says so, or its spec was changed after its deletion was held.
func (s state) isKept() bool {
	held := s.condition(vitistackv1alpha1.ConditionDeletionHeld)
	return s.Object.Annotations[vitistackv1alpha1.AnnotationKeepVM] == "true" || held != nil &&
		held.Status == metav1.ConditionTrue && held.ObservedGeneration > 0 && s.Object.Generation > held.ObservedGeneration
}
