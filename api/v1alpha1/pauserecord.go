package v1alpha1

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ErrInvalidPauseRecord is in the chain of every error of [ParsePauseRecord] and
// [PauseRecord.Validate].
var ErrInvalidPauseRecord = errors.New("invalid pause record")

// maxPauseRecordLength bounds what ParsePauseRecord looks at, in bytes.
const maxPauseRecordLength = 1024

// PauseStage is how far the pause of one instance is.
type PauseStage string

// The stages.
const (
	// PauseAsked: the remote cluster is being asked to pause the instance.
	PauseAsked PauseStage = "Asked"
	// PausePaused: the operator paused the instance, and resumes it when it is no longer wanted paused.
	// Somebody who resumes it meanwhile is not overruled.
	PausePaused PauseStage = "Paused"
	// PauseFound: the instance was paused already, by somebody else, who alone resumes it.
	PauseFound PauseStage = "Found"
)

// PauseRecord is the operator's own record of the instance that it pauses for
// [AnnotationPauseGuest], kept as JSON in the annotation [AnnotationPlacementPause]. It is written
// before the remote cluster is asked, so that only what the operator paused is ever resumed.
type PauseRecord struct {
	// Instance is the UID of the VirtualMachineInstance.
	Instance string `json:"instance"`
	// Stage is how far its pause is.
	Stage PauseStage `json:"stage"`
	// At is when it was asked for last, in UTC and whole seconds.
	At metav1.Time `json:"at"`
}

// ParsePauseRecord reads the JSON form. It is strict: only what [PauseRecord.String] writes is read,
// to the letter. The error wraps [ErrInvalidPauseRecord] and repeats no value.
func ParsePauseRecord(annotation string) (PauseRecord, error) {
	return parseStrict[PauseRecord](annotation, maxPauseRecordLength, ErrInvalidPauseRecord)
}

// PauseRecordOf reads the pause record that a Machine carries in [AnnotationPlacementPause]. found is
// false where it carries none; the record is then empty and there is no error. The metadata of the
// Machine is enough.
func PauseRecordOf(machine metav1.Object) (record PauseRecord, found bool, err error) {
	text, found := machine.GetAnnotations()[AnnotationPlacementPause]
	if !found {
		return PauseRecord{}, false, nil
	}
	record, err = ParsePauseRecord(text)
	return record, true, err
}

// String returns the JSON form, with the fields always in the same order.
func (r PauseRecord) String() string {
	text, err := json.Marshal(r)
	if err != nil { // cannot happen: a struct of strings and a time always encodes
		return ""
	}
	return string(text)
}

// Validate reports the first field that is not what it must be. The error wraps
// [ErrInvalidPauseRecord] and repeats no value.
func (r PauseRecord) Validate() error {
	stages := []PauseStage{PauseAsked, PausePaused, PauseFound}
	field := ""
	switch {
	case r.Instance == "" || len(isOpaqueID(r.Instance)) > 0:
		field = "instance"
	case !slices.Contains(stages, r.Stage):
		field = "stage"
	case r.At.IsZero() || r.At.Year() < 1970 || r.At.Year() > 9999:
		field = "at"
	default:
		return nil
	}
	return fmt.Errorf("%w: field %q", ErrInvalidPauseRecord, field)
}
