// Command zoneplugin is the README's example: a third party's whole plugin.
package main

import (
	"context"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

func main() {
	plugin.Serve(
		placement.NewFunc(
			"zone",
			placement.Needs{},
			func(_ context.Context, req placement.Request) (placement.Decision, error) {
				for _, c := range req.Candidates {
					if zone := req.Machine.Labels["zone"]; zone != "" && c.Labels["zone"] == zone {
						return placement.Decision{Config: c.Name, Reason: "same zone"}, nil
					}
				}
				return placement.Decision{Reason: "no cluster in the machine's zone"}, nil
			},
		),
	)
}
