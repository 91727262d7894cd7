package machine

import (
	"context"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/capacity"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/provision"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/survey"
	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// Placer answers where Machines go. placement.Chain is one, and so is a plugin host.
type Placer interface {
	// Needs is what Place reads of a request, as far as it is known.
	Needs() placement.Needs
	// Place is placement.Chain.Place.
	Place(ctx context.Context, req placement.Request) (placement.Decision, placement.Trace, error)
}

// ask asks the strategies. It looks into all clusters before, where the Machine is not fresh, or in
// between, where a strategy has to know. What was asked and seen is written into the decision.
func (r *MachineReconciler) ask(
	ctx context.Context, machine *vitistackv1alpha1.Machine, vmName string, request placement.Request, decision *Decision,
) (placement.Decision, error) {
	everywhere := func() error {
		decision.Seen = survey.Everywhere(ctx, r.KubevirtClientMgr, names(request.Candidates),
			r.lookFor(machine, vmName, false))
		c, err := r.caseOf(ctx, machine, vmName, nil, decision.Seen)
		request = inform(request, c)
		return err
	}
	if !r.isFresh(machine) || r.hasFormer(ctx, machine, vmName, request.Candidates) {
		if err := everywhere(); err != nil {
			return placement.Decision{}, err
		}
	}
	chosen, trace, err := r.placer.Place(ctx, request)
	if hold, held := placement.AsHold(err); held && hold.Reason == placement.ReasonPresenceNotRequested {
		if err := everywhere(); err != nil {
			return placement.Decision{}, err
		}
		chosen, trace, err = r.placer.Place(ctx, request)
	}
	decision.Asked = Asked{Request: request, Trace: trace}
	return chosen, err
}

// hasFormer reports whether a cache has a VirtualMachine of the wanted name that was made for
// another Machine: reason enough to look closer.
func (r *MachineReconciler) hasFormer(
	ctx context.Context, machine *vitistackv1alpha1.Machine, vmName string, candidates []placement.Candidate,
) bool {
	subject := r.subject(machine, vmName)
	if subject.Names() && !subject.Held {
		return false
	}
	return slices.ContainsFunc(names(candidates), func(config string) bool {
		vm := &kubevirtv1.VirtualMachine{}
		remote, err := r.KubevirtClientMgr.GetClientForConfig(ctx, config)
		if err != nil || remote.Get(ctx, client.ObjectKey{Namespace: machine.Namespace, Name: vmName}, vm) != nil {
			return false
		}
		look := survey.Answered(config, "", vm).Look
		return custody.Case{Machine: subject}.Relation(look, look.Found[0]) == custody.OtherMachine
	})
}

// request are the facts of the Machine and of all clusters, without a look for its VirtualMachine.
// What costs something is gathered only where a strategy needs it.
func (r *MachineReconciler) request(
	ctx context.Context, machine *vitistackv1alpha1.Machine, configs []vitistackv1alpha1.KubevirtConfig,
) (placement.Request, error) {
	request := placement.Request{
		Machine: about(machine), Default: r.settings.DefaultConfig, ConfigNamespace: r.settings.ConfigsNamespace,
	}
	for _, config := range configs {
		state, _ := r.KubevirtClientMgr.State(config.Name)
		request.Candidates = append(request.Candidates,
			placement.Candidate{Name: config.Name, Labels: config.Labels, Reachable: state.Ready()})
	}
	needs := r.placer.Needs()
	if needs.Machines || needs.Capacity {
		if err := r.count(ctx, request.Candidates); err != nil {
			return request, err
		}
	}
	if needs.Capacity {
		request.Machine.Requests = r.size(ctx, machine)
		r.measure(ctx, request.Candidates)
	}
	return request, nil
}

// about is what strategies may know of the Machine.
func about(machine *vitistackv1alpha1.Machine) placement.Machine {
	wanted := references(machine)
	about := placement.Machine{
		Namespace: machine.Namespace, Name: machine.Name, UID: string(machine.UID), Labels: machine.Labels,
		Reference: placement.Reference{Field: wanted[0], Annotation: wanted[1]},
	}
	about.InstanceType, _ = desired.ClassName(machine) // two classes are refused later, and say nothing here
	for name, value := range machine.Annotations {
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

// closed says why a KubevirtConfig takes no Machine of a namespace whose VirtualMachine is not
// there already. nil means that it does.
func (r *MachineReconciler) closed(
	ctx context.Context, configs []vitistackv1alpha1.KubevirtConfig, name, namespace string,
) error {
	const placed = vitistackv1alpha1.ConditionPlaced
	i := slices.IndexFunc(configs, func(config vitistackv1alpha1.KubevirtConfig) bool { return config.Name == name })
	if i < 0 {
		return nil
	}
	config := &configs[i]
	switch {
	case !config.DeletionTimestamp.IsZero():
		return problem.Time(placed, vitistackv1alpha1.ReasonConfigTerminating, "KubevirtConfig %s is being deleted", name)
	case config.Spec.Paused:
		return problem.Person(placed, vitistackv1alpha1.ReasonPaused, "KubevirtConfig %s is paused: it takes no new Machines",
			name)
	case config.Spec.AllowedNamespaces == nil:
		return nil
	}
	labels := map[string]string{}
	if config.Spec.AllowedNamespaces.Selector != nil {
		read := &corev1.Namespace{}
		if err := r.live.Get(ctx, client.ObjectKey{Name: namespace}, read); client.IgnoreNotFound(err) != nil {
			return problem.Supervisor(err, problem.At{Condition: placed, Doing: "reading namespace " + namespace})
		}
		labels = read.Labels
	}
	if !config.Allows(namespace, labels) {
		return problem.Person(placed, vitistackv1alpha1.ReasonClusterNotAllowed,
			"KubevirtConfig %s takes no Machines of namespace %s: see its spec.allowedNamespaces", name, namespace)
	}
	return nil
}

func names(candidates []placement.Candidate) []string {
	all := make([]string, 0, len(candidates))
	for _, candidate := range candidates {
		all = append(all, candidate.Name)
	}
	return all
}
