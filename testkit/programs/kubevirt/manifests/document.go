package main

import (
	"encoding/json"
	"fmt"
	"io"
)

// writeDocument writes an object as one document of a YAML stream, on one line, without what only
// an API server sets.
func writeDocument(out io.Writer, object any) error {
	raw, err := json.Marshal(object)
	if err != nil {
		return err
	}
	var document map[string]any
	if err := json.Unmarshal(raw, &document); err != nil {
		return err
	}
	delete(document, "status")
	if metadata, ok := document["metadata"].(map[string]any); ok && metadata["creationTimestamp"] == nil {
		delete(metadata, "creationTimestamp")
	}
	if raw, err = json.Marshal(document); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "---\n%s\n", raw)
	return err
}
