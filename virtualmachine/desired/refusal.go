package desired

import (
	"fmt"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Refusal is the error that says that what is asked for cannot be made until a person changes it.
// Find it with errors.As.
type Refusal struct {
	// Reason is one of the reasons of package v1alpha1, for a condition.
	Reason string
	// Message is a sentence for people. It is stable and repeats nothing of a Secret.
	Message string
}

// Error returns Message.
func (r *Refusal) Error() string { return r.Message }

// Wait is the error that says that something is missing that others are going to provide. Find it
// with errors.As.
type Wait struct {
	// Reason is one of the reasons of package v1alpha1, for a condition.
	Reason string
	// Message is a sentence for people. It is stable and repeats nothing of a Secret.
	Message string
}

// Error returns Message.
func (w *Wait) Error() string { return w.Message }

func refuse(reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) *Refusal {
	return refuse(vitistackv1alpha1.ReasonInvalidSpec, format, args...)
}

func wait(reason, format string, args ...any) *Wait {
	return &Wait{Reason: reason, Message: fmt.Sprintf(format, args...)}
}
