// Command placement-annotation serves the strategy of package annotation to the operator's plugin
// host.
package main

import (
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/annotation"
)

func main() { plugin.Serve(annotation.Strategy{}) }
