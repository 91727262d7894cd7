package v1alpha1

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
)

// ErrInvalidDiskRecord is in the chain of every error of [ParseDiskRecord].
var ErrInvalidDiskRecord = errors.New("invalid disk record")

const (
	maxDiskRecordLength = 64 << 10
	maxDisks            = 256
)

// DiskRecord is the operator's own record of the disks that go with a Machine's VirtualMachine,
// kept as JSON in the annotation [AnnotationPlacementDisks]. It is written before the
// VirtualMachine is deleted. Only what it names is waited for and deleted afterwards.
type DiskRecord []Disk

// Disk is a DataVolume or a PersistentVolumeClaim of the remote namespace.
type Disk struct {
	// Kind is DataVolume or PersistentVolumeClaim.
	Kind string `json:"kind"`
	// Name is the object's.
	Name string `json:"name"`
	// UID is the object's.
	UID types.UID `json:"uid"`
}

// The kinds of disks.
const (
	DiskKindDataVolume            = "DataVolume"
	DiskKindPersistentVolumeClaim = "PersistentVolumeClaim"
)

// DiskRecordOf reads the record that a Machine carries in [AnnotationPlacementDisks]. The metadata of
// the Machine is enough. A Machine without one is an error of [ParseDiskRecord].
func DiskRecordOf(machine metav1.Object) (DiskRecord, error) {
	return ParseDiskRecord(machine.GetAnnotations()[AnnotationPlacementDisks])
}

// ParseDiskRecord reads the JSON form. Errors wrap [ErrInvalidDiskRecord] and repeat no value.
func ParseDiskRecord(annotation string) (DiskRecord, error) {
	if len(annotation) > maxDiskRecordLength {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrInvalidDiskRecord, maxDiskRecordLength)
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(annotation)))
	decoder.DisallowUnknownFields()
	var record DiskRecord
	if err := decoder.Decode(&record); err != nil {
		return nil, fmt.Errorf("%w: not the JSON that the operator writes", ErrInvalidDiskRecord)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something follows the JSON value", ErrInvalidDiskRecord)
	}
	if len(record) > maxDisks {
		return nil, fmt.Errorf("%w: more than %d disks", ErrInvalidDiskRecord, maxDisks)
	}
	for i, disk := range record {
		isKind := disk.Kind == DiskKindDataVolume || disk.Kind == DiskKindPersistentVolumeClaim
		if !isKind || len(validation.IsDNS1123Subdomain(disk.Name)) > 0 || len(isOpaqueID(string(disk.UID))) > 0 {
			return nil, fmt.Errorf("%w: disk %d", ErrInvalidDiskRecord, i)
		}
	}
	return record, nil
}

// String returns the JSON form.
func (r DiskRecord) String() string {
	text, err := json.Marshal(append(DiskRecord{}, r...))
	if err != nil { // cannot happen: a list of structs of strings always encodes
		return ""
	}
	return string(text)
}

// Has reports whether the record names a disk of that kind and name.
func (r DiskRecord) Has(kind, name string) bool {
	return slices.ContainsFunc(r, func(d Disk) bool { return d.Kind == kind && d.Name == name })
}
