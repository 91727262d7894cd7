// Package defaultconfig is the strategy of DEFAULT_KUBEVIRT_CONFIG: a Machine goes to the
// KubevirtConfig that the operator's environment names. It is the second strategy in
// docs/specification.md ("Automatic KubevirtConfig Assignment").
//
// The package is pure: no I/O, no clock, no log; the host reads the environment.
package defaultconfig

import (
	"context"
	"fmt"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// Strategy takes Request.Default. It has no opinion where none is set, and refuses
// (placement.ReasonDefaultMissing) where no such KubevirtConfig exists, because a person who set a
// default does not want another cluster.
type Strategy struct{}

// Name is "default".
func (Strategy) Name() string { return "default" }

// Needs is nothing, not even labels.
func (Strategy) Needs() placement.Needs { return placement.Needs{NoLabels: true} }

// Place implements placement.Strategy. It does no I/O.
func (Strategy) Place(_ context.Context, req placement.Request) (placement.Decision, error) {
	if req.Default == "" {
		return placement.Decision{Reason: "DEFAULT_KUBEVIRT_CONFIG is not set"}, nil
	}
	if _, found := req.Candidate(req.Default); !found {
		return placement.Decision{}, placement.Refusal{
			Reason:  placement.ReasonDefaultMissing,
			Message: fmt.Sprintf("DEFAULT_KUBEVIRT_CONFIG is %q, but there is no such KubevirtConfig", req.Default),
		}
	}
	return placement.Decision{Config: req.Default, Reason: "named by DEFAULT_KUBEVIRT_CONFIG"}, nil
}
