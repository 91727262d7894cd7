package placement_test

import (
	"context"
	"fmt"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// A chain of the explicit reference and a strategy of one's own.
func ExampleChain() {
	zone := placement.NewFunc(
		"zone", placement.Needs{},
		func(_ context.Context, req placement.Request) (placement.Decision, error) {
			for _, c := range req.Candidates {
				if c.Labels["zone"] == req.Machine.Labels["zone"] {
					return placement.Decision{Config: c.Name, Reason: "same zone"}, nil
				}
			}
			return placement.Decision{}, nil
		},
	)
	chain := placement.Chain{{Strategy: placement.Explicit{}}, {Strategy: zone, OnError: placement.SkipOnError}}
	decision, trace, err := chain.Place(context.Background(), placement.Given(placement.Request{
		Machine: placement.Machine{Namespace: "shop", Name: "db-0", Labels: map[string]string{"zone": "north"}},
		Candidates: []placement.Candidate{
			{Name: "cluster-east", Labels: map[string]string{"zone": "south"}},
			{Name: "cluster-west", Labels: map[string]string{"zone": "north"}},
		},
	}))
	fmt.Println(decision.Config, err)
	fmt.Println(trace)
	// Output:
	// cluster-west <nil>
	// annotation: NoOpinion (the machine names no KubevirtConfig); zone: Placed cluster-west (same zone)
}
