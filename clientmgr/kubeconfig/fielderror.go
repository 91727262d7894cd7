package kubeconfig

import "errors"

// ErrNotValidNow is the cause of a FieldError about a certificate whose time is over or has not
// come yet. Time alone, or a right clock, can mend it.
var ErrNotValidNow = errors.New("not valid now")

// FieldError says which field of a kubeconfig is refused, and why.
type FieldError struct {
	// Field is a path as a kubeconfig spells it, as "users[].user.exec"; the context in use decides
	// which entry is meant. "" is the whole file.
	Field string
	// Problem is a sentence without any value of the kubeconfig. Only the dates of certificates and
	// the numbers of lines may stand in it.
	Problem string
	// Cause is ErrNotValidNow or nil.
	Cause error
}

// Error returns "field: problem".
func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Problem
	}
	return e.Field + ": " + e.Problem
}

// Unwrap returns Cause.
func (e *FieldError) Unwrap() error { return e.Cause }

func refuse(field, problem string) error { return &FieldError{Field: field, Problem: problem} }
