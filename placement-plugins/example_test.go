package plugins_test

import (
	"context"
	"fmt"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement-plugins/spread"
)

// A strategy without a process: configured, and asked in a chain behind the explicit reference.
func Example() {
	strategy := new(spread.Strategy)
	if err := strategy.Configure([]byte(`{"labelKey": "zone"}`)); err != nil {
		fmt.Println(err)
		return
	}
	cluster := func(name, zone string, machines int64) placement.Candidate {
		return placement.Candidate{
			Name: name, Labels: map[string]string{"zone": zone}, Reachable: true,
			Capacity: placement.Capacity{Machines: &machines},
		}
	}
	chain := placement.Chain{{Strategy: placement.Explicit{}}, {Strategy: strategy, OnError: placement.SkipOnError}}
	decision, _, err := chain.Place(context.Background(), placement.Given(placement.Request{
		Machine:    placement.Machine{Namespace: "shop", Name: "db-0", UID: "u"},
		Candidates: []placement.Candidate{cluster("east", "a", 3), cluster("north", "a", 1), cluster("west", "b", 4)},
	}))
	fmt.Println(decision.Config, err)
	// Output: north <nil>
}
