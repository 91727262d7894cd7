package fleet_test

import (
	"context"
	"fmt"
	"os"

	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
)

// In a test, fleet.New(t, options) fails the test and stops the fleet by itself.
func Example() {
	ctx := context.Background()
	f, err := fleet.Start(ctx, fleet.Options{Remotes: 2, KubeVirt: kubevirt.Light, Progress: os.Stderr})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = f.Stop() }()

	// Start what is to be tested with f.OperatorKubeconfig(). Then let things go wrong.
	east := f.Remotes[0]
	err = east.SetFault(faults.Fault{Kind: faults.Blackhole}) // for those who come with the operator's identity
	if err == nil {
		err = east.SetFault(faults.Fault{}) // back to pass
	}
	if err == nil {
		err = east.Rotate(ctx, fleet.RotateToken) // a new one in the Secret, the old one is refused
	}
	if err == nil {
		err = east.Kill() // for everybody
	}
	fmt.Println(east.State(), err)
}
