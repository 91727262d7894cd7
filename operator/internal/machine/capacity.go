package machine

import (
	"context"
	"sync"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/capacity"
	"github.com/vitistack/kubevirt-multicluster/placement"
)

// take lets a Machine that was placed count before it can be seen in the cluster, so that many at once do not all go to one.
func (p *pass) take(config string, size placement.Resources) {
	if size.MilliCPU == nil || size.MemoryBytes == nil {
		return
	}
	p.seen.room.change(config, func(free *capacity.Room) {
		free.MilliCPU -= *size.MilliCPU
		free.MemoryBytes -= *size.MemoryBytes
	})
}

// measure fills in the room of each cluster that lets itself be asked, side by side and each for a bounded time. What is not known stays
// unknown: a cluster that is silent, or whose kubeconfig may not list nodes and pods.
func (p *pass) measure(ctx context.Context, candidates []placement.Candidate) {
	var asking sync.WaitGroup
	for i := range candidates {
		c := &candidates[i]
		if free, known := p.seen.room.get(c.Name, p.now); known {
			c.Capacity.Free = resources(free)
			continue
		}
		if !c.Reachable {
			continue
		}
		asking.Go(func() {
			if free, err := p.freeIn(ctx, c.Name); err == nil {
				p.seen.room.put(c.Name, free, p.now)
				c.Capacity.Free = resources(free)
			}
		})
	}
	asking.Wait()
}

func resources(free capacity.Room) placement.Resources {
	return placement.Resources{MilliCPU: new(free.MilliCPU), MemoryBytes: new(free.MemoryBytes)}
}

// freeIn asks one cluster for its room.
func (p *pass) freeIn(ctx context.Context, config string) (capacity.Room, error) {
	reader, err := p.KubevirtClientMgr.Live(config)
	if err != nil {
		return capacity.Room{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	return capacity.Free(ctx, reader)
}
