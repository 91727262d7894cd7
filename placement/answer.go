package placement

import (
	"errors"
	"time"
)

// A Decision names the KubevirtConfig that a strategy chose. An empty Config means no opinion: the
// next strategy is asked.
type Decision struct {
	// Config is a candidate's name, or "".
	Config string
	// Reason says in a few words why, or why not; for people.
	Reason string
}

// A Refusal is an answer in the form of an error: the Machine is not placed, and asking again does
// not help until a person changes something.
type Refusal struct {
	// Reason is one CamelCase word, fit for a condition.
	Reason string
	// Message is one sentence, stable for an unchanged world.
	Message string
	// Cause is the failure behind it, nil if there is none. It does not cross a process boundary.
	Cause error
}

// Error is the message, or the reason where there is none.
func (r Refusal) Error() string { return textOf(r.Reason, r.Message) }

// Unwrap returns Cause.
func (r Refusal) Unwrap() error { return r.Cause }

// A Hold is an answer in the form of an error: not now, ask again. Nothing is wrong with the
// Machine.
type Hold struct {
	// Reason is one CamelCase word, fit for a condition.
	Reason string
	// Message is one sentence, stable for an unchanged world.
	Message string
	// RetryAfter is when to ask again; 0 leaves it to the host.
	RetryAfter time.Duration
	// Cause is the failure behind it, nil if there is none. It does not cross a process boundary.
	Cause error
}

// Error is the message, or the reason where there is none.
func (h Hold) Error() string { return textOf(h.Reason, h.Message) }

// Unwrap returns Cause.
func (h Hold) Unwrap() error { return h.Cause }

// The reasons of refusals and holds that this module gives.
const (
	ReasonReferencesDiffer     = "ReferencesDiffer"     // field and annotation name different configs
	ReasonReferenceOverruled   = "ReferenceOverruled"   // a decision contradicts the explicit reference
	ReasonUnknownCluster       = "UnknownCluster"       // the chosen config does not exist
	ReasonNoneAvailable        = "NoneAvailable"        // there is no config at all
	ReasonCannotDetermine      = "CannotDetermine"      // no strategy has an opinion
	ReasonStrategyFailed       = "StrategyFailed"       // a strategy failed and its policy is RefuseOnError
	ReasonStrategyUnavailable  = "StrategyUnavailable"  // a strategy failed and its policy is HoldOnError
	ReasonDefaultMissing       = "DefaultMissing"       // DEFAULT_KUBEVIRT_CONFIG names no config
	ReasonDuplicateVM          = "DuplicateVM"          // the VirtualMachine was found in several clusters
	ReasonPresenceUnknown      = "PresenceUnknown"      // clusters that must answer are unreachable
	ReasonPresenceNotRequested = "PresenceNotRequested" // the host has not looked though the strategy needs it
)

// AsRefusal returns the Refusal in err's tree, given as value or pointer.
func AsRefusal(err error) (Refusal, bool) {
	if pointer, ok := errors.AsType[*Refusal](err); ok && pointer != nil {
		return *pointer, true
	}
	return errors.AsType[Refusal](err)
}

// AsHold returns the Hold in err's tree, given as value or pointer.
func AsHold(err error) (Hold, bool) {
	if pointer, ok := errors.AsType[*Hold](err); ok && pointer != nil {
		return *pointer, true
	}
	return errors.AsType[Hold](err)
}

func textOf(reason, message string) string {
	if message == "" {
		return reason
	}
	return message
}
