// Command placement-default serves the strategy of package defaultconfig to the operator's plugin
// host.
package main

import (
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/defaultconfig"
)

func main() { plugin.Serve(defaultconfig.Strategy{}) }
