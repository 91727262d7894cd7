// Command placement-zone is a whole plugin: it places a Machine in a cluster with the same label zone.
package main

import (
	"context"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

func main() { plugin.Serve(placement.NewFunc("zone", placement.Needs{}, sameZone)) }

func sameZone(_ context.Context, req placement.Request) (placement.Decision, error) {
	chosen := placement.Decision{Reason: "no cluster in the machine's zone"}
	for _, c := range req.Candidates { // in any order: the first by name is taken, so that the answer is always the same
		matches := c.Labels["zone"] != "" && c.Labels["zone"] == req.Machine.Labels["zone"]
		if matches && (chosen.Config == "" || c.Name < chosen.Config) {
			chosen = placement.Decision{Config: c.Name, Reason: "same zone"}
		}
	}
	return chosen, nil
}
