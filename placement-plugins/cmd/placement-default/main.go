// Command placement-default serves the strategy of package default_ to the operator's plugin host.
package main

import (
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/default_"
)

func main() { plugin.Serve(default_.Strategy{}) }
