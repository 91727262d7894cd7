// Command placement-fit serves the strategy of package fit to the operator's plugin host.
package main

import (
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/fit"
)

func main() { plugin.Serve(&fit.Strategy{}) }
