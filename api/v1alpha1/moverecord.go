package v1alpha1

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// ErrInvalidMoveRecord is in the chain of every error of [ParseMoveRecord] and
// [MoveRecord.Validate].
var ErrInvalidMoveRecord = errors.New("invalid move record")

// maxMoveRecordLength bounds what ParseMoveRecord looks at, in bytes.
const maxMoveRecordLength = 8192

// MoveStage is how far a move is decided.
type MoveStage string

// The stages. What was done in them is seen in the clusters.
const (
	// MoveBegun: the Machine is still where it was. The source is stopped and its disks are copied.
	MoveBegun MoveStage = "Begun"
	// MoveCommitted: the Machine is at the target, and its ledger says so. What is left of the source
	// goes.
	MoveCommitted MoveStage = "Committed"
	// MoveAborting: the Machine stays where it was. What was made at the target goes. It follows on
	// MoveCommitted only where the target's guest never ran.
	MoveAborting MoveStage = "Aborting"
)

// MoveRecord is the operator's own record of a move under way, kept as JSON in the annotation
// [AnnotationMove] of the Machine beside its Ledger, which names it. It is written before anything
// is done to either side. Only what it names is stopped, made or deleted.
type MoveRecord struct {
	// ID is the UID of the MachineMove.
	ID string `json:"id"`
	// Name is the MachineMove's. It is in the Machine's namespace.
	Name string `json:"name"`
	// Mode is how the guest goes.
	Mode MoveMode `json:"mode"`
	// Stage is how far it is decided.
	Stage MoveStage `json:"stage"`
	// Was is the run strategy that the VirtualMachine had, and gets again.
	Was string `json:"was"`
	// Ran says that the guest was running.
	Ran bool `json:"ran,omitempty"`
	// Final says that a committed move does not go back any more, although it was about to: the source is
	// gone since.
	Final bool `json:"final,omitempty"`
	// UUID is the firmware's and MACs are the addresses that KubeVirt gave to the running instance alone,
	// as name=address with commas. Both are "" where the VirtualMachine has them itself.
	UUID string `json:"uuid,omitempty"`
	MACs string `json:"macs,omitempty"`
	// From and To are the two places. The VMUID of To is known once the move is committed, that of
	// From always.
	From Ledger `json:"from"`
	To   Ledger `json:"to"`
}

// ParseMoveRecord reads the JSON form. It is strict: only what [MoveRecord.String] writes is read,
// to the letter. The error wraps [ErrInvalidMoveRecord] and repeats no value.
func ParseMoveRecord(annotation string) (MoveRecord, error) {
	return parseStrict[MoveRecord](annotation, maxMoveRecordLength, ErrInvalidMoveRecord)
}

// MoveRecordOf reads the move record that is in force for a Machine: the one that its ledger names.
// under is false where no move is under way; a ledger that names a move whose record is missing,
// broken or another one is an error. The metadata of the Machine is enough.
func MoveRecordOf(machine metav1.Object) (record MoveRecord, under bool, err error) {
	ledger, err := LedgerOf(machine)
	if err != nil || ledger.Move == "" {
		return MoveRecord{}, false, nil
	}
	record, err = ParseMoveRecord(machine.GetAnnotations()[AnnotationMove])
	if err != nil {
		return MoveRecord{}, true, err
	}
	if record.ID != ledger.Move {
		return MoveRecord{}, true, fmt.Errorf("%w: the ledger names another move", ErrInvalidMoveRecord)
	}
	if record.Place() != ledger {
		return MoveRecord{}, true, fmt.Errorf("%w: the ledger names another place", ErrInvalidMoveRecord)
	}
	return record, true, nil
}

// Place is where the Machine is at this stage: the ledger that belongs to the record.
func (r MoveRecord) Place() Ledger {
	ledger := r.From
	if r.Stage == MoveCommitted {
		ledger = r.To
	}
	ledger.Move = r.ID
	return ledger
}

// String returns the JSON form, with the fields always in the same order.
func (r MoveRecord) String() string {
	text, err := json.Marshal(r)
	if err != nil { // cannot happen: a struct of strings always encodes
		return ""
	}
	return string(text)
}

// Validate reports the first field that is not what it must be. The error wraps
// [ErrInvalidMoveRecord] and repeats no value.
func (r MoveRecord) Validate() error {
	stages := []MoveStage{MoveBegun, MoveCommitted, MoveAborting}
	field := ""
	switch {
	case r.ID == "" || len(isOpaqueID(r.ID)) > 0:
		field = "id"
	case len(validation.IsDNS1123Subdomain(r.Name)) > 0:
		field = "name"
	case r.Mode != MoveModeCold:
		field = "mode"
	case !slices.Contains(stages, r.Stage):
		field = "stage"
	case r.Was == "" || len(isOpaqueID(r.Was)) > 0:
		field = "was"
	case len(r.UUID) > 64:
		field = "uuid"
	case len(r.MACs) > 2048:
		field = "macs"
	case r.From.Validate() != nil || r.From.VMUID == "" || r.From.Move != "":
		field = "from"
	case r.To.Validate() != nil || r.To.Move != "" || r.Stage == MoveCommitted && r.To.VMUID == "":
		field = "to"
	case r.From.ClusterUID == r.To.ClusterUID || r.From.Namespace != r.To.Namespace || r.From.Nonce == r.To.Nonce:
		field = "to"
	default:
		return nil
	}
	return fmt.Errorf("%w: field %q", ErrInvalidMoveRecord, field)
}
