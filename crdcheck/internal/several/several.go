// Package several takes apart an error that is made of several.
package several

import (
	"errors"

	"github.com/hashicorp/go-multierror"
)

// Errors returns the errors that an error is made of, itself where it is one, nil for nil.
func Errors(err error) []error {
	var many *multierror.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &many):
		return many.Errors
	default:
		return []error{err}
	}
}
