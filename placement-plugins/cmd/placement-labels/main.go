// Command placement-labels serves the strategy of package labels to the operator's plugin host.
package main

import (
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/labels"
)

func main() { plugin.Serve(&labels.Strategy{}) }
