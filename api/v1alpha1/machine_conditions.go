package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MachineCondition is a metav1.Condition in which every field is optional. It has the same fields
// in the same order, so one converts to the other. The schema of metav1.Condition is stricter than
// the public Machine's: a condition that another controller once wrote there would keep the whole
// status from being written.
type MachineCondition struct {
	// type of the condition.
	// +optional
	Type string `json:"type,omitempty"`

	// status of the condition: True, False or Unknown.
	// +optional
	Status metav1.ConditionStatus `json:"status,omitempty"`

	// observedGeneration is the metadata.generation that the condition describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// lastTransitionTime is when status last changed.
	// +optional
	LastTransitionTime metav1.Time `json:"lastTransitionTime,omitzero"`

	// reason is one word for programs.
	// +optional
	Reason string `json:"reason,omitempty"`

	// message is a sentence for people.
	// +optional
	Message string `json:"message,omitempty"`
}

// GetConditions returns the conditions as a new slice, in order. Changes to it do not reach the
// Machine.
func (m *Machine) GetConditions() []metav1.Condition {
	return m.Status.GetConditions()
}

// SetConditions replaces all conditions. It keeps no reference to the slice.
func (m *Machine) SetConditions(conditions []metav1.Condition) {
	m.Status.SetConditions(conditions)
}

// GetConditions returns the conditions as a new slice, in order. Changes to it do not reach the
// status.
func (s *MachineStatus) GetConditions() []metav1.Condition {
	if s.Conditions == nil {
		return nil
	}
	conditions := make([]metav1.Condition, len(s.Conditions))
	for i, c := range s.Conditions {
		conditions[i] = metav1.Condition(c)
	}
	return conditions
}

// SetConditions replaces all conditions. It keeps no reference to the slice.
func (s *MachineStatus) SetConditions(conditions []metav1.Condition) {
	if conditions == nil {
		s.Conditions = nil
		return
	}
	s.Conditions = make([]MachineCondition, len(conditions))
	for i, c := range conditions {
		s.Conditions[i] = MachineCondition(c)
	}
}

// SetCondition adds a condition, or changes the one of its type, and reports whether anything
// changed. The time of the last transition moves only with the status: to the given one, or to now
// where none is given.
func (s *MachineStatus) SetCondition(condition metav1.Condition) (changed bool) {
	conditions := s.GetConditions()
	changed = meta.SetStatusCondition(&conditions, condition)
	s.SetConditions(conditions)
	return changed
}

// Condition returns a copy of the first condition of a type, or nil where there is none.
func (s *MachineStatus) Condition(conditionType string) *metav1.Condition {
	for _, c := range s.Conditions {
		if c.Type == conditionType {
			found := metav1.Condition(c)
			return &found
		}
	}
	return nil
}
