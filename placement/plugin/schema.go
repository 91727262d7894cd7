package plugin

import (
	"encoding/json"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// validateConfig holds a strategy's configuration against the strategy's own JSON Schema, in the
// plugin's process: a schema can take for ever, or the whole stack. Its error is
// placement.Violations where they differ. Without a schema or a configuration there is nothing to
// hold.
func validateConfig(schema, config []byte) error {
	if len(schema) == 0 || len(config) == 0 {
		return nil
	}
	var parsed jsonschema.Schema
	if err := json.Unmarshal(schema, &parsed); err != nil {
		return fmt.Errorf("the schema of its configuration: %w", err)
	}
	resolved, err := parsed.Resolve(nil) // what is outside of the schema is not loaded
	if err != nil {
		return fmt.Errorf("the schema that it gives for its configuration: %w", err)
	}
	var document any
	if err := json.Unmarshal(config, &document); err != nil {
		return fmt.Errorf("its configuration: %w", err)
	}
	if err := resolved.Validate(document); err != nil {
		return placement.Violations{{Message: clip(err.Error())}}
	}
	return nil
}
