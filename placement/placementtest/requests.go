package placementtest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// Large is how many candidates the largest of the suite's requests has.
const Large = 1000

// Requests returns the suite's own requests by name. Each call returns new ones.
func Requests() map[string]placement.Request {
	two := func(edit func(req *placement.Request)) placement.Request {
		req := manyCandidates(2)
		edit(&req)
		return req
	}
	name := manyCandidates(2).Candidates[1].Name
	found := func(owner placement.Owner) placement.VM {
		return placement.VM{Presence: placement.Present, Owner: owner, UID: "vm"}
	}
	return map[string]placement.Request{
		"NoCandidate":    manyCandidates(0),
		"OneCandidate":   manyCandidates(1),
		"TwoCandidates":  manyCandidates(2),
		"ManyCandidates": manyCandidates(Large),
		"Annotation":     two(func(r *placement.Request) { r.Machine.Reference.Annotation = name }),
		"Field":          two(func(r *placement.Request) { r.Machine.Reference.Field = name }),
		"ReferencesDiffer": two(func(r *placement.Request) {
			r.Machine.Reference = placement.Reference{Field: name, Annotation: "other"}
		}),
		"ReferenceUnknown": two(func(r *placement.Request) { r.Machine.Reference.Annotation = "no-such-config" }),
		"Default":          two(func(r *placement.Request) { r.Default = name }),
		"DefaultUnknown":   two(func(r *placement.Request) { r.Default = "no-such-config" }),
		"Ours":             two(func(r *placement.Request) { r.Candidates[1].VM = found(placement.Ours) }),
		"Unlabelled":       two(func(r *placement.Request) { r.Candidates[1].VM = found(placement.Unlabelled) }),
		"Foreign":          two(func(r *placement.Request) { r.Candidates[1].VM = found(placement.Foreign) }),
		"Duplicate": two(func(r *placement.Request) {
			r.Candidates[0].VM, r.Candidates[1].VM = found(placement.Ours), found(placement.Ours)
		}),
		"Disconnected": two(func(r *placement.Request) {
			r.Candidates[0].Reachable = false
			r.Candidates[0].VM = placement.VM{Presence: placement.Unreachable, Cause: "no route to host"}
		}),
		"NotReady": two(func(r *placement.Request) {
			r.Candidates[0].Ready = placement.Ready{Verdict: placement.ReadyNo, Reason: "NoRoom"}
			r.Candidates[1].Ready = placement.Ready{Verdict: placement.ReadyUnknown, Reason: "Forbidden"}
		}),
	}
}

// manyCandidates is a request with that many healthy, empty clusters.
func manyCandidates(count int) placement.Request {
	req := placement.Request{
		Machine: placement.Machine{
			Namespace: "default", Name: "machine", UID: "00000000-0000-0000-0000-000000000001",
			Labels:       map[string]string{"zone": "zone-1"},
			Annotations:  map[string]string{"placement.example.com/hint": "zone-1"},
			InstanceType: "medium",
			Requests:     placement.Resources{MilliCPU: new(int64(2000)), MemoryBytes: new(int64(2 << 30))},
		},
		ConfigNamespace: "kubevirt-configs",
	}
	for i := range count {
		req.Candidates = append(req.Candidates, placement.Candidate{
			Name:      fmt.Sprintf("cluster-%04d", i),
			Labels:    map[string]string{"zone": fmt.Sprintf("zone-%d", i%3)},
			Reachable: true,
			VM:        placement.VM{Presence: placement.Absent},
			Capacity: placement.Capacity{
				Free:     placement.Resources{MilliCPU: new(int64(64000)), MemoryBytes: new(int64(256 << 30))},
				Machines: new(int64(i)),
			},
			Ready: placement.Ready{Verdict: placement.ReadyYes, Score: int32(i % 101)},
		})
	}
	return req
}

// clone copies everything that a strategy could change.
func clone(req placement.Request) placement.Request {
	req.Machine.Labels = maps.Clone(req.Machine.Labels)
	req.Machine.Annotations = maps.Clone(req.Machine.Annotations)
	req.Machine.Requests = cloneResources(req.Machine.Requests)
	req.Candidates = slices.Clone(req.Candidates)
	for i := range req.Candidates {
		c := &req.Candidates[i]
		c.Labels = maps.Clone(c.Labels)
		c.Capacity.Free = cloneResources(c.Capacity.Free)
		c.Capacity.Machines = cloneNumber(c.Capacity.Machines)
	}
	return req
}

func cloneResources(r placement.Resources) placement.Resources {
	return placement.Resources{MilliCPU: cloneNumber(r.MilliCPU), MemoryBytes: cloneNumber(r.MemoryBytes)}
}

func cloneNumber(n *int64) *int64 {
	if n == nil {
		return nil
	}
	return new(*n)
}

func equal(a, b placement.Request) bool { return reflect.DeepEqual(a, b) }
