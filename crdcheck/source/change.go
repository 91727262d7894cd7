package source

import (
	"encoding/json"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// Change is when the spec of a definition was last changed in its cluster.
type Change struct {
	// At is in UTC, to the second.
	At time.Time
	// By is the field manager that made the change: "helm", "virt-operator"; "" where only the time of
	// the definition's creation is known.
	By string
}

// Changes returns when each definition was last changed, by its name, from what the API server
// itself keeps (metadata.managedFields, creationTimestamp). Definitions from files have no entry.
func (s Set) Changes() map[string]Change {
	changes := make(map[string]Change, len(s.CRDs))
	for i := range s.CRDs {
		if change := changeOf(&s.CRDs[i]); s.At == nil && !change.At.IsZero() {
			changes[s.CRDs[i].Name] = change
		}
	}
	return changes
}

func changeOf(crd *apiextensionsv1.CustomResourceDefinition) Change {
	last := Change{At: crd.CreationTimestamp.UTC()}
	for _, entry := range crd.ManagedFields {
		if entry.Time == nil || entry.Subresource != "" || entry.FieldsV1 == nil {
			continue
		}
		var owned struct {
			Spec json.RawMessage `json:"f:spec"`
		}
		if json.Unmarshal(entry.FieldsV1.GetRawBytes(), &owned) != nil || owned.Spec == nil {
			continue // its labels, say
		}
		if at := entry.Time.UTC(); !at.Before(last.At) {
			last = Change{At: at, By: entry.Manager}
		}
	}
	return last
}
