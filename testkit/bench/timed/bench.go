package timed

import (
	"context"
	"fmt"

	"github.com/vitistack/kubevirt-multicluster/testkit/bench/stage"
)

const (
	// Involved clusters get the Machines of a round; one more is there to be cut off.
	Involved = 3
	// notOperators is the provider of the bare loop's Machines: the operator leaves them alone.
	notOperators = "bare-loop"
)

// Sizes say how much is measured.
type Sizes struct {
	// Machines are created in a round over the involved clusters, Pairs is how many rounds there are
	// of each kind, and Changes is how many guests change.
	Machines, Pairs, Changes int
}

// Bench measures on one stage, one thing at a time.
type Bench struct {
	*stage.Stage
	Sizes

	sample sample
	rounds int
}

// New lets the operator make a first Machine, for the bare loop to make the same, and then freezes
// KubeVirt.
func New(ctx context.Context, s *stage.Stage, sizes Sizes) (*Bench, error) {
	b := &Bench{Stage: s, Sizes: sizes}
	if err := b.learn(ctx); err != nil {
		return nil, fmt.Errorf("a first Machine: %w", err)
	}
	return b, b.FreezeKubeVirt()
}
