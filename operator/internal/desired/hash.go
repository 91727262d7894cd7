package desired

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/operator/api/v1alpha1"
)

// Hash is a hash of what is wanted in an object: of its JSON, without status and without what the API server writes into metadata.
// The order of maps does not matter, that of lists does. It is 32 hexadecimal digits and fits in a label. The annotation
// v1alpha1.AnnotationAppliedHash, where a hash is kept, has no part in it.
func Hash(object any) (string, error) {
	raw, err := json.Marshal(object)
	if err != nil {
		return "", fmt.Errorf("hashing: %w", err)
	}
	var fields map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // large numbers would become equal as floats
	if err := decoder.Decode(&fields); err != nil {
		return "", fmt.Errorf("hashing: %w", err)
	}
	delete(fields, "status")
	if metadata, ok := fields["metadata"].(map[string]any); ok {
		for _, name := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"} {
			delete(metadata, name)
		}
		if annotations, ok := metadata["annotations"].(map[string]any); ok {
			delete(annotations, vitistackv1alpha1.AnnotationAppliedHash)
			if len(annotations) == 0 {
				delete(metadata, "annotations")
			}
		}
	}
	canonical, err := json.Marshal(fields)
	if err != nil {
		return "", fmt.Errorf("hashing: %w", err)
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:16]), nil
}
