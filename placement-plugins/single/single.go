// Package single is the strategy of the only cluster: where exactly one KubevirtConfig exists, a
// Machine goes there. It is the third strategy in docs/specification.md ("Automatic KubevirtConfig
// Assignment").
//
// The package is pure: no I/O, no clock, no log.
package single

import (
	"context"
	"fmt"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// Strategy takes the only candidate. It counts KubevirtConfigs, not healthy ones: a second cluster
// that is down does not make the first one the only one.
type Strategy struct{}

// Name is "single".
func (Strategy) Name() string { return "single" }

// Needs is nothing, not even labels.
func (Strategy) Needs() placement.Needs { return placement.Needs{NoLabels: true} }

// Place implements placement.Strategy. It does no I/O.
func (Strategy) Place(_ context.Context, req placement.Request) (placement.Decision, error) {
	if count := len(req.Candidates); count != 1 {
		return placement.Decision{Reason: fmt.Sprintf("there are %d KubevirtConfigs", count)}, nil
	}
	return placement.Decision{Config: req.Candidates[0].Name, Reason: "the only KubevirtConfig"}, nil
}
