package kubevirt_test

import (
	"context"
	"fmt"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/agent"
)

// A light cluster whose guests take two seconds to boot, unless their annotations say otherwise.
func ExampleStart() {
	ctx := context.Background()
	cluster, err := controlplane.Start(ctx, controlplane.Options{Name: "cluster-east"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cluster.Stop()
	stack, err := kubevirt.Start(ctx, cluster, kubevirt.Options{
		Mode:   kubevirt.Light,
		Script: agent.Script{Guest: agent.Guest{BootDelay: 2 * time.Second}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stack.Stop()
}
