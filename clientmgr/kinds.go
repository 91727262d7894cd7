package clientmgr

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// served asks the server for the resource of each declared kind; its error names every kind that is
// not served. They are asked for one by one: what a REST mapper fails with depends on what it has
// learned before, and for the first question of all it names no kind.
func (c *connection) served() error {
	var missing []string
	for _, kind := range c.options.Kinds {
		gvk, err := apiutil.GVKForObject(kind.Object, c.options.Scheme)
		if err != nil {
			return fmt.Errorf("declared kind: %w", err)
		}
		_, err = c.direct.RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version)
		switch {
		case meta.IsNoMatchError(err):
			missing = append(missing, gvk.GroupKind().String())
		case err != nil:
			return classify(err)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return notServed(slices.Compact(missing)...)
}

// notServed is the failure of a cluster that lacks the definitions of some kinds.
func notServed(kinds ...string) failure {
	return failure{ErrKindNotServed, ReasonKindNotServed, "the server does not serve a declared kind: " +
		strings.Join(kinds, ", ")}
}

// kindError is classify for what a REST mapper may say as well: a kind has gone since served was
// asked.
func kindError(err error) error {
	var noKind *meta.NoKindMatchError
	switch {
	case errors.As(err, &noKind):
		return notServed(noKind.GroupKind.String())
	case meta.IsNoMatchError(err):
		return failure{ErrKindNotServed, ReasonKindNotServed, "the server does not serve a declared kind"}
	default:
		return classify(err)
	}
}
