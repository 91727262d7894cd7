package rollout

import (
	"cmp"
	"encoding/json"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// FieldOwner is the name under which rollouts write to Machines, in their managedFields.
const FieldOwner = "kubevirt-operator-rollouts"

// fields is as much of a managedFields entry as matters here.
type fields struct {
	Metadata struct {
		Annotations     map[string]json.RawMessage `json:"f:annotations"`
		OwnerReferences map[string]json.RawMessage `json:"f:ownerReferences"`
	} `json:"f:metadata"`
}

// writer is who wrote parts of a Machine.
type writer struct {
	name string
	fields
}

// writersOf are those who wrote to a Machine that was read from the server, without writers of its
// status; the one that wrote last comes first.
func writersOf(machine *vitistackv1alpha1.Machine) []writer {
	entries := slices.DeleteFunc(slices.Clone(machine.ManagedFields), func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Subresource != ""
	})
	slices.SortStableFunc(entries, func(a, b metav1.ManagedFieldsEntry) int {
		at, bt := cmp.Or(a.Time, &metav1.Time{}), cmp.Or(b.Time, &metav1.Time{})
		return bt.Compare(at.Time)
	})
	var writers []writer
	for _, entry := range entries {
		w := writer{name: entry.Manager}
		if entry.FieldsV1 != nil {
			_ = json.Unmarshal(entry.FieldsV1.GetRawBytes(), &w.fields) // an unreadable entry writes nothing
		}
		writers = append(writers, w)
	}
	return writers
}

// ownersAnnotation is an annotation of a rollout's that the owner of a Machine writes itself, "" where
// there is none. The owner is who wrote the owner reference.
func ownersAnnotation(machine *vitistackv1alpha1.Machine) string {
	for _, w := range writersOf(machine) {
		if len(w.Metadata.OwnerReferences) == 0 || w.name == FieldOwner {
			continue
		}
		for _, name := range []string{vitistackv1alpha1.AnnotationRestart, vitistackv1alpha1.AnnotationResize} {
			if _, writes := w.Metadata.Annotations["f:"+name]; writes {
				return name
			}
		}
	}
	return ""
}

// whoTookBack names who may have taken from a Machine what a rollout asked of it: who writes the
// annotation now, else who wrote to the Machine last. self is this process itself.
func whoTookBack(machine *vitistackv1alpha1.Machine, self string) string {
	last := "somebody"
	for _, w := range writersOf(machine) {
		if w.name == FieldOwner || w.name == self {
			continue
		}
		if _, writes := w.Metadata.Annotations["f:"+vitistackv1alpha1.AnnotationRestart]; writes {
			return w.name
		}
		if last == "somebody" {
			last = w.name
		}
	}
	return last
}
