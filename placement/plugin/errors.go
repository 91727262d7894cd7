package plugin

import "fmt"

// Unavailable is the error of a call to a plugin that cannot answer now: it is missing, starting,
// dead, hung, quarantined or busy. It is a failure of the strategy, not an answer; see
// placement.ErrorPolicy.
type Unavailable struct {
	// Name is the entry's name.
	Name string
	// Reason says why in a few words, stable as long as the cause is the same.
	Reason string
	// Cause is the error behind it, nil if there is none.
	Cause error
}

// Error is "plugin NAME is unavailable: REASON".
func (u Unavailable) Error() string {
	return fmt.Sprintf("plugin %q is unavailable: %s", u.Name, u.Reason)
}

// Unwrap returns Cause.
func (u Unavailable) Unwrap() error { return u.Cause }

// Failure is the error of a call that a running plugin answered with an error, or with something
// that is no answer.
type Failure struct {
	// Name is the entry's name.
	Name string
	// Message is the first line of what the plugin said, clipped.
	Message string
	// Cause is the error behind it, nil if there is none.
	Cause error
}

// Error is "plugin NAME failed: MESSAGE".
func (f Failure) Error() string { return fmt.Sprintf("plugin %q failed: %s", f.Name, f.Message) }

// Unwrap returns Cause.
func (f Failure) Unwrap() error { return f.Cause }
