package plugins_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// BenchmarkChain asks all strategies of the default chain: only the last one, search, decides.
func BenchmarkChain(b *testing.B) {
	for transport, chain := range map[string]placer{"InProcess": inProcess(), "Exec": execd(b)} {
		for _, count := range []int{3, 50, 500} {
			b.Run(fmt.Sprintf("%s/%d", transport, count), func(b *testing.B) {
				req := fleet(count)
				var took []time.Duration
				for b.Loop() {
					start := time.Now()
					if decision, trace, err := chain.Place(b.Context(), placement.Given(req)); err != nil || decision.Config == "" {
						b.Fatalf("%v %v", trace, err)
					}
					took = append(took, time.Since(start))
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			})
		}
	}
}

// fleet is a request with so many clusters, the Machine's VirtualMachine in the last one.
func fleet(count int) placement.Request {
	req := placement.Request{Machine: placement.Machine{
		Namespace: "default", Name: "my-machine", UID: "0f4bba52-0b5f-4d0a-9a55-4d4f3f6f1a11",
		Labels: map[string]string{"vitistack.io/clusterid": "talos-1", "vitistack.io/node-role": "worker"},
	}}
	for i := range count {
		req.Candidates = append(req.Candidates, placement.Candidate{
			Name: fmt.Sprintf("cluster-%04d", i), Reachable: true,
			Labels: map[string]string{"region": "north", "zone": "a", "provider": "kubevirt", "tier": "gold"},
			VM:     placement.VM{Presence: placement.Absent},
		})
	}
	req.Candidates[count-1].VM = placement.VM{Presence: placement.Present, Owner: placement.Ours, UID: "1"}
	return req
}
