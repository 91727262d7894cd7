package v1alpha1

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// strictRecord is a record of the operator's that is read only as the operator writes it.
type strictRecord interface {
	Validate() error
	String() string
}

// parseStrict reads the JSON form of a record of at most so many bytes. Only what its String writes is
// read, to the letter. The error wraps invalid and repeats no value.
func parseStrict[R strictRecord](annotation string, most int, invalid error) (R, error) {
	var record, none R
	if len(annotation) > most {
		return none, fmt.Errorf("%w: longer than %d bytes", invalid, most)
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(annotation)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&record); err != nil {
		return none, fmt.Errorf("%w: not the JSON that the operator writes", invalid)
	}
	if err := record.Validate(); err != nil {
		return none, err
	}
	if record.String() != annotation {
		return none, fmt.Errorf("%w: not the JSON that the operator writes", invalid)
	}
	return record, nil
}
