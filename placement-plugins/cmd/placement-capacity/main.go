// Command placement-capacity serves the strategy of package capacity to the operator's plugin host.
package main

import (
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/capacity"
)

func main() { plugin.Serve(&capacity.Strategy{}) }
