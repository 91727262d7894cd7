package machine

import (
	"context"
	"fmt"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// request are the facts of the Machine and of all clusters, without a look for its VirtualMachine. What costs something is gathered
// only where a strategy needs it.
func (p *pass) request(ctx context.Context, configs []vitistackv1alpha1.KubevirtConfig) (placement.Request, error) {
	request := placement.Request{
		Machine:         p.about(),
		Default:         p.settings.DefaultConfig,
		ConfigNamespace: p.settings.ConfigsNamespace,
	}
	for _, config := range configs {
		state, _ := p.KubevirtClientMgr.State(config.Name)
		request.Candidates = append(request.Candidates, placement.Candidate{Name: config.Name, Labels: config.Labels, Reachable: state.Ready()})
	}
	needs := p.placer.Needs()
	if needs.Machines || needs.Capacity {
		if err := p.count(ctx, request.Candidates); err != nil {
			return request, err
		}
	}
	if needs.Capacity {
		request.Machine.Requests = p.size(ctx)
		p.measure(ctx, request.Candidates)
	}
	return request, nil
}

// about is what strategies may know of the Machine.
func (p *pass) about() placement.Machine {
	wanted := references(p.machine)
	about := placement.Machine{
		Namespace: p.machine.Namespace, Name: p.machine.Name, UID: string(p.machine.UID), Labels: p.machine.Labels,
		Reference: placement.Reference{Field: wanted[0], Annotation: wanted[1]},
	}
	about.InstanceType, _ = desired.ClassName(p.machine) // two classes are refused later, and say nothing here
	for name, value := range p.machine.Annotations {
		if !strings.HasPrefix(name, vitistackv1alpha1.AnnotationPrefixPlacement) {
			continue
		}
		if about.Annotations == nil {
			about.Annotations = map[string]string{}
		}
		about.Annotations[name] = value
	}
	return about
}

// count fills in how many Machines are placed in each cluster, by the supervisor's cache.
func (p *pass) count(ctx context.Context, candidates []placement.Candidate) error {
	for i := range candidates {
		placed := &vitistackv1alpha1.MachineList{}
		err := p.List(ctx, placed, client.MatchingFields{clientmgr.IndexConfig: candidates[i].Name}, client.UnsafeDisableDeepCopy)
		if err != nil {
			return fmt.Errorf("counting the Machines of %s: %w", candidates[i].Name, err)
		}
		candidates[i].Capacity.Machines = new(int64(len(placed.Items)))
	}
	return nil
}

// size is what the VirtualMachine will request, unknown where the class cannot be had: that is refused later, by name.
func (p *pass) size(ctx context.Context) placement.Resources {
	if p.class == nil {
		if err := p.readClass(ctx); err != nil {
			return placement.Resources{}
		}
	}
	size, err := desired.SizeFor(p.machine, p.class, p.settings.Desired)
	if err != nil {
		return placement.Resources{}
	}
	cpus := int64(size.Cores) * int64(size.Sockets) * int64(size.Threads)
	return placement.Resources{MilliCPU: new(cpus * 1000), MemoryBytes: new(size.Memory)}
}

// summary is the annotation for what was asked, if the Machine goes to the cluster.
func (a asked) summary(config string) string {
	trace := vitistackv1alpha1.PlacementTrace{Config: config}
	for _, step := range a.trace {
		if step.Verdict == placement.Placed {
			trace.Strategy, trace.Reason = step.Strategy, step.Reason
			if step.Config != config {
				trace.Reason = "it chose " + step.Config + ", but the virtual machine is here"
			}
		}
		trace.Steps = append(trace.Steps, vitistackv1alpha1.PlacementStep{
			Strategy: step.Strategy, Verdict: step.Verdict.String(), Config: step.Config, Reason: step.Reason, Message: step.Message,
		})
	}
	return trace.String()
}
