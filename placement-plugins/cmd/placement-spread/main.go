// Command placement-spread serves the strategy of package spread to the operator's plugin host.
package main

import (
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/spread"
)

func main() { plugin.Serve(&spread.Strategy{}) }
