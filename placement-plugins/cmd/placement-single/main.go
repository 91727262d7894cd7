// Command placement-single serves the strategy of package single to the operator's plugin host.
package main

import (
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/single"
)

func main() { plugin.Serve(single.Strategy{}) }
