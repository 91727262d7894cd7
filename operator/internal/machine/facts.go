package machine

import (
	"context"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/capacity"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/provision"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/survey"
	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// facts are what is known for one question. Each fact that costs something is gathered once, when
// the first strategy is asked that needs it. They are not safe for concurrent use.
type facts struct {
	r       *MachineReconciler
	machine *vitistackv1alpha1.Machine
	vmName  string
	request placement.Request
	seen    survey.All // nil before the look into all clusters
	counted bool
	sized   bool
	judged  bool
}

// gather is a placement.Gather.
func (f *facts) gather(ctx context.Context, needs placement.Needs) (placement.Request, error) {
	if needs.Presence && f.seen == nil {
		if err := f.look(ctx); err != nil {
			return f.request, err
		}
	}
	if (needs.Machines || needs.Capacity) && !f.counted {
		candidates := slices.Clone(f.request.Candidates) // those before are a strategy's
		if err := f.r.count(ctx, candidates); err != nil {
			return f.request, err
		}
		f.request.Candidates, f.counted = candidates, true
	}
	if needs.Capacity && !f.sized {
		candidates := slices.Clone(f.request.Candidates)
		f.r.measure(ctx, candidates)
		f.request.Candidates, f.sized = candidates, true
		f.request.Machine.Requests = f.r.size(ctx, f.machine)
	}
	if needs.Ready && !f.judged {
		candidates := slices.Clone(f.request.Candidates)
		f.r.judgeReadiness(ctx, f.machine, candidates)
		f.request.Candidates, f.judged = candidates, true
		f.request.Machine.Requests = f.r.size(ctx, f.machine)
	}
	return f.request, nil
}

// look looks for the Machine's VirtualMachine in all clusters.
func (f *facts) look(ctx context.Context) error {
	f.seen = survey.Everywhere(ctx, f.r.KubevirtClientMgr, names(f.request.Candidates),
		f.r.lookFor(f.machine, f.vmName, false))
	c, err := f.r.caseOf(ctx, f.machine, f.vmName, nil, f.seen)
	f.request = inform(f.request, c)
	return err
}

// count fills in how many Machines are placed in each cluster, by the supervisor's cache.
func (r *MachineReconciler) count(ctx context.Context, candidates []placement.Candidate) error {
	for i := range candidates {
		placed := &vitistackv1alpha1.MachineList{}
		err := r.List(ctx, placed, client.MatchingFields{clientmgr.IndexConfig: candidates[i].Name},
			client.UnsafeDisableDeepCopy)
		if err != nil {
			at := problem.At{Condition: vitistackv1alpha1.ConditionPlaced, Doing: "counting the Machines of " +
				candidates[i].Name}
			return problem.Supervisor(err, at)
		}
		candidates[i].Capacity.Machines = new(int64(meta.LenList(placed)))
	}
	return nil
}

// size is what the VirtualMachine will request. It is unknown where the class cannot be had: that
// is refused later, by name.
func (r *MachineReconciler) size(ctx context.Context, machine *vitistackv1alpha1.Machine) placement.Resources {
	class, err := provision.Class(ctx, side.SupervisorCache{Reader: r.Client}, machine, nil, r.settings.Desired)
	if err != nil {
		return placement.Resources{}
	}
	size, err := desired.SizeFor(machine, class, r.settings.Desired)
	if err != nil {
		return placement.Resources{}
	}
	cpus := int64(size.Cores) * int64(size.Sockets) * int64(size.Threads)
	return placement.Resources{MilliCPU: new(cpus * 1000), MemoryBytes: new(size.Memory)}
}

// measure fills in the room of each cluster that lets itself be asked, side by side and each for a
// bounded time. What is not known stays unknown: a cluster that is silent, or whose kubeconfig may
// not list nodes and pods.
func (r *MachineReconciler) measure(ctx context.Context, candidates []placement.Candidate) {
	now := r.clock.Now()
	var asking sync.WaitGroup
	for i := range candidates {
		c := &candidates[i]
		if free, known := r.memory.facts.Room.Get(c.Name, now); known {
			c.Capacity.Free = resources(free)
			continue
		}
		if !c.Reachable {
			continue
		}
		asking.Go(func() {
			if free, err := r.freeIn(ctx, c.Name); err == nil {
				r.memory.facts.Room.Put(c.Name, free, now)
				c.Capacity.Free = resources(free)
			}
		})
	}
	asking.Wait()
}

func (r *MachineReconciler) freeIn(ctx context.Context, config string) (capacity.Room, error) {
	reader, err := r.KubevirtClientMgr.Live(config)
	if err != nil {
		return capacity.Room{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, survey.Timeout)
	defer cancel()
	return capacity.Free(ctx, reader)
}

// take lets a Machine that was placed count before it can be seen in the cluster, so that many at
// once do not all go to one.
func (r *MachineReconciler) take(config string, size placement.Resources) {
	if size.MilliCPU == nil || size.MemoryBytes == nil {
		return
	}
	r.memory.facts.Room.Change(config, func(free *capacity.Room) {
		free.MilliCPU -= *size.MilliCPU
		free.MemoryBytes -= *size.MemoryBytes
	})
	r.assessor.Placed(config, readiness.Size{MilliCPU: *size.MilliCPU, MemoryBytes: *size.MemoryBytes})
}

func resources(free capacity.Room) placement.Resources {
	return placement.Resources{MilliCPU: new(free.MilliCPU), MemoryBytes: new(free.MemoryBytes)}
}

// inform hands what was seen to the strategies.
func inform(request placement.Request, c custody.Case) placement.Request {
	informed := request
	informed.Candidates = slices.Clone(request.Candidates)
	for i := range informed.Candidates {
		for _, look := range c.Looks {
			if look.Config == informed.Candidates[i].Name {
				informed.Candidates[i].VM = presence(c, look)
			}
		}
	}
	return informed
}

// presence is what strategies are told of one cluster. Copies do not count as a VirtualMachine that
// is there.
func presence(c custody.Case, look custody.Look) placement.VM {
	if look.Silent != nil {
		return placement.VM{Presence: placement.Unreachable, Cause: look.Silent.Error()}
	}
	best := placement.VM{Presence: placement.Absent}
	for _, found := range look.Found {
		if !c.Concerns(look, found) {
			continue
		}
		vm := placement.VM{Presence: placement.Present, Owner: placement.Foreign, UID: string(found.UID)}
		switch c.Relation(look, found) {
		case custody.Mine, custody.Restored:
			vm.Owner = placement.Ours
		case custody.Unclaimed, custody.LegacyProven, custody.OtherMachineGone:
			vm.Owner = placement.Unlabelled
		}
		if best.Presence == placement.Absent || vm.Owner == placement.Ours {
			best = vm
		}
	}
	return best
}
