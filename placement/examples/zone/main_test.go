package main

import (
	"testing"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/placementtest"
)

func TestConformance(t *testing.T) {
	in := func(zone string) map[string]string { return map[string]string{"zone": zone} }
	strategy := placement.NewFunc("zone", placement.Needs{}, sameZone)
	placementtest.Run(t, strategy)
	placementtest.RunRequests(t, strategy, map[string]placement.Request{"TwoInTheZone": {
		Machine: placement.Machine{Namespace: "shop", Name: "db-0", UID: "u", Labels: in("a")},
		Candidates: []placement.Candidate{
			{Name: "east", Labels: in("a")}, {Name: "north", Labels: in("a")}, {Name: "west", Labels: in("b")},
		},
	}})
}
