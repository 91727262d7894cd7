// Command placement-search serves the strategy of package search to the operator's plugin host.
package main

import (
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/search"
)

func main() { plugin.Serve(search.Strategy{}) }
