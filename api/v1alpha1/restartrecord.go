package v1alpha1

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ErrInvalidRestartRecord is in the chain of every error of [ParseRestartRecord] and
// [RestartRecord.Validate].
var ErrInvalidRestartRecord = errors.New("invalid restart record")

// MaxGuestToken is how long the value of [AnnotationRestart] and of [AnnotationResize] may be, in
// bytes.
const MaxGuestToken = 253

// maxRestartRecordLength bounds what ParseRestartRecord looks at, in bytes. JSON may need six bytes
// for one of a token.
const maxRestartRecordLength = 4096

// RestartRecord is the operator's own record of the last restart that a person asked for with
// [AnnotationRestart], kept as JSON in the annotation [AnnotationPlacementRestart]. It is written
// before the remote cluster is asked, so that one token never restarts a guest twice.
type RestartRecord struct {
	// Token is the value of [AnnotationRestart] that asked for the restart.
	Token string `json:"token"`
	// Instance is the UID of the VirtualMachineInstance that ran when the restart was recorded. "" means
	// that none ran, so that there was nothing to restart.
	Instance string `json:"instance,omitempty"`
	// At is when the restart was last about to be asked for, in UTC and whole seconds.
	At metav1.Time `json:"at"`
	// Done says that another instance runs since, or that there was none to restart. A token that is
	// done is never asked for again.
	Done bool `json:"done,omitempty"`
}

// ParseRestartRecord reads the JSON form. It is strict: only what [RestartRecord.String] writes is
// read, to the letter. The error wraps [ErrInvalidRestartRecord] and repeats no value.
func ParseRestartRecord(annotation string) (RestartRecord, error) {
	return parseStrict[RestartRecord](annotation, maxRestartRecordLength, ErrInvalidRestartRecord)
}

// RestartRecordOf reads the restart record that a Machine carries in [AnnotationPlacementRestart].
// found is false where it carries none; the record is then empty and there is no error. The metadata
// of the Machine is enough.
func RestartRecordOf(machine metav1.Object) (record RestartRecord, found bool, err error) {
	text, found := machine.GetAnnotations()[AnnotationPlacementRestart]
	if !found {
		return RestartRecord{}, false, nil
	}
	record, err = ParseRestartRecord(text)
	return record, true, err
}

// String returns the JSON form, with the fields always in the same order. For a valid record,
// [ParseRestartRecord] of it gives the same record back.
func (r RestartRecord) String() string {
	text, err := json.Marshal(r)
	if err != nil { // cannot happen: a struct of strings and a time always encodes
		return ""
	}
	return string(text)
}

// Validate reports the first field that is not what it must be. The error wraps
// [ErrInvalidRestartRecord] and repeats no value.
func (r RestartRecord) Validate() error {
	field := ""
	switch {
	case !IsGuestToken(r.Token):
		field = "token"
	case r.Instance != "" && len(isOpaqueID(r.Instance)) > 0:
		field = "instance"
	case r.At.IsZero() || r.At.Year() < 1970 || r.At.Year() > 9999:
		field = "at"
	case r.Instance == "" && !r.Done:
		field = "done"
	default:
		return nil
	}
	return fmt.Errorf("%w: field %q", ErrInvalidRestartRecord, field)
}

// IsGuestToken reports whether a value of [AnnotationRestart] or of [AnnotationResize] asks for
// something: it is not empty, valid UTF-8, and at most [MaxGuestToken] bytes long.
func IsGuestToken(value string) bool {
	return value != "" && len(value) <= MaxGuestToken && utf8.ValidString(value)
}
