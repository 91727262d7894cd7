package placementhost_test

import (
	"context"
	"fmt"

	"github.com/vitistack/kubevirt-multicluster/placement"
	placementhost "github.com/vitistack/kubevirt-multicluster/placement/host"
)

// The default chain for one command: `make bin` has built its plugins.
func Example() {
	ctx := context.Background()
	host, err := placementhost.New(placementhost.Source{Dir: "../../bin/plugins"}, placementhost.Options{})
	if err != nil {
		fmt.Println(err) // the file or the digests cannot be read
		return
	}
	defer host.Close()
	if err := host.Open(ctx); err != nil {
		fmt.Println(err)
		return
	}
	decision, trace, err := host.Place(ctx, placement.Given(placement.Request{
		Machine:    placement.Machine{Namespace: "shop", Name: "db-0"},
		Candidates: []placement.Candidate{{Name: "east"}},
	}))
	fmt.Println(decision.Config, err)
	for _, step := range trace {
		fmt.Println(step.Strategy, step.Verdict)
	}
	// Output:
	// east <nil>
	// annotation NoOpinion
	// default NoOpinion
	// single Placed
	// search NotReached
}
