package v1alpha1

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// ErrInvalidLedger is in the chain of every error of [ParseLedger] and [Ledger.Validate].
var ErrInvalidLedger = errors.New("invalid placement ledger")

// maxLedgerLength bounds what ParseLedger looks at, in bytes. A valid ledger stays below 1,200.
const maxLedgerLength = 4096

// opaqueID is what a UID or nonce may look like: UUIDs, and whatever else fits in one word.
var opaqueID = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$`)

// Ledger is the operator's own record of where a Machine is placed, kept as JSON in the annotation
// [AnnotationPlacement]. It is written before anything is created in a remote cluster, and
// everything after (observing, changing, deleting) goes by it.
type Ledger struct {
	// Config is the name of the KubevirtConfig.
	Config string `json:"config"`
	// ClusterUID is the UID of the kube-system namespace of the remote cluster. "" where it may not be
	// read.
	ClusterUID string `json:"clusterUID,omitempty"`
	// Namespace is the namespace of the VirtualMachine.
	Namespace string `json:"namespace"`
	// VMName is the name of the VirtualMachine.
	VMName string `json:"vmName"`
	// Nonce tells this intent to create from any earlier one of the same Machine.
	Nonce string `json:"nonce"`
	// VMUID is the UID of the VirtualMachine. "" until it was seen.
	VMUID string `json:"vmUID,omitempty"`
	// Move is the ID of the [MoveRecord] beside the ledger, "" while no move is under way. It stands
	// here so that an operator that knows no moves cannot read the ledger, and leaves the Machine
	// alone.
	Move string `json:"move,omitempty"`
}

// ParseLedger reads the JSON form. It is strict, because a ledger that is only half understood must
// not be acted upon: every field of the object must be known, spelled exactly, a string, given once
// and valid. The error wraps [ErrInvalidLedger], names the field at fault and never repeats its
// value.
func ParseLedger(annotation string) (Ledger, error) {
	if len(annotation) > maxLedgerLength {
		return Ledger{}, fmt.Errorf("%w: longer than %d bytes", ErrInvalidLedger, maxLedgerLength)
	}
	var l Ledger
	if err := readStrings(annotation, l.field); err != nil {
		return Ledger{}, fmt.Errorf("%w: %w", ErrInvalidLedger, err)
	}
	if err := l.Validate(); err != nil {
		return Ledger{}, err
	}
	return l, nil
}

// LedgerOf reads the ledger that a Machine carries in [AnnotationPlacement]. The metadata of the
// Machine is enough. A Machine without a ledger is an error of [ParseLedger], as one whose ledger
// cannot be read.
func LedgerOf(machine metav1.Object) (Ledger, error) {
	return ParseLedger(machine.GetAnnotations()[AnnotationPlacement])
}

// String returns the JSON form, with the fields always in the same order. For a valid ledger,
// [ParseLedger] of it gives the same ledger back.
func (l Ledger) String() string {
	b, err := json.Marshal(l)
	if err != nil { // cannot happen: a struct of strings always encodes
		return ""
	}
	return string(b)
}

// Validate reports the first field, in the order of the struct, that is not what it must be. The
// error wraps [ErrInvalidLedger], names the field and never repeats its value.
func (l Ledger) Validate() error {
	checks := []struct {
		name, value string
		optional    bool
		check       func(string) []string
	}{
		{name: "config", value: l.Config, check: validation.IsDNS1123Subdomain},
		{name: "clusterUID", value: l.ClusterUID, optional: true, check: isOpaqueID},
		{name: "namespace", value: l.Namespace, check: validation.IsDNS1123Label},
		{name: "vmName", value: l.VMName, check: validation.IsDNS1123Subdomain},
		{name: "nonce", value: l.Nonce, check: isOpaqueID},
		{name: "vmUID", value: l.VMUID, optional: true, check: isOpaqueID},
		{name: "move", value: l.Move, optional: true, check: isOpaqueID},
	}
	for _, c := range checks {
		if c.value == "" {
			if c.optional {
				continue
			}
			return fmt.Errorf("%w: field %q: missing", ErrInvalidLedger, c.name)
		}
		if problems := c.check(c.value); len(problems) > 0 {
			return fmt.Errorf("%w: field %q: %s", ErrInvalidLedger, c.name, strings.Join(problems, "; "))
		}
	}
	return nil
}

// field returns where the value of a JSON field belongs, or nil for an unknown field.
func (l *Ledger) field(name string) *string {
	switch name {
	case "config":
		return &l.Config
	case "clusterUID":
		return &l.ClusterUID
	case "namespace":
		return &l.Namespace
	case "vmName":
		return &l.VMName
	case "nonce":
		return &l.Nonce
	case "vmUID":
		return &l.VMUID
	case "move":
		return &l.Move
	default:
		return nil
	}
}

func isOpaqueID(value string) []string {
	if opaqueID.MatchString(value) {
		return nil
	}
	return []string{"must be at most 128 letters, digits, '-', '.' or '_', and begin and end with a letter or digit"}
}

// readStrings reads one JSON object whose values are all strings into the targets that field gives
// for their names. encoding/json alone would let a field come twice, and in any case.
func readStrings(object string, field func(name string) *string) error {
	decoder := json.NewDecoder(strings.NewReader(object))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return errors.New("not a JSON object")
	}
	seen := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return errors.New("not a JSON object")
		}
		name, _ := token.(string) // the decoder admits nothing else here
		if seen[name] {
			return fmt.Errorf("field %q: given twice", name)
		}
		seen[name] = true
		target := field(name)
		if target == nil {
			return fmt.Errorf("field %q: unknown", name)
		}
		if *target, err = readString(decoder); err != nil {
			return fmt.Errorf("field %q: %w", name, err)
		}
	}
	if _, err := decoder.Token(); err != nil {
		return errors.New("JSON object without an end")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	return nil
}

func readString(decoder *json.Decoder) (string, error) {
	token, err := decoder.Token()
	if err != nil {
		return "", errors.New("not JSON")
	}
	value, ok := token.(string)
	if !ok {
		return "", errors.New("not a string")
	}
	return value, nil
}

// DebtsConfigMap is the name of the ConfigMap, in the namespace of the KubevirtConfigs, with what
// is owed to clusters that gave no answer when a Machine was let go or moved away. Its keys are UIDs
// of Machines, with the ID of the move after a point where the Machine goes on elsewhere; its values
// are JSON with the Ledger under ledger. Keys that begin with [TombstonePrefix] are the
// VirtualMachines that moves left behind and deleted.
const DebtsConfigMap = "vitistack-debts"

// TombstonePrefix begins the keys of [DebtsConfigMap] under which a VirtualMachine is remembered by
// its UID that must never run again: its Machine was moved away. A restored backup of its cluster
// brings it back.
const TombstonePrefix = "tombstone."

// DeletionsConfigMap is the name of the ConfigMap, in the namespace of the KubevirtConfigs, with the
// deletions that the brake let go a short while ago. Its keys are UIDs of Machines. Keys that begin
// with [KeptPrefix] are the VirtualMachines that a person kept when their Machine went.
const DeletionsConfigMap = "vitistack-deletions"

// KeptPrefix begins the keys of [DeletionsConfigMap] of VirtualMachines that wait for the next Machine
// of a name. The UID of the Machine that went follows.
const KeptPrefix = "kept."
