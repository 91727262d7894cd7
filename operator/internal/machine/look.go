package machine

import (
	"context"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/operator/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/desired"
	"github.com/vitistack/kubevirt-multicluster/placement"
)

// owner says whose a VirtualMachine is.
type owner int

const (
	foreign owner = iota // somebody else's, or nobody can tell
	ours                 // it carries this supervisor's and this Machine's UID, or its UID is in the ledger
	nobodys              // no label and no controller claims it
	earlier              // labels of earlier releases name a Machine of this name
)

// sighting is a VirtualMachine that a live look found.
type sighting struct {
	vm    *kubevirtv1.VirtualMachine
	owner owner
}

// sight is what a live look at one cluster found: an answer (found may be empty), or the reason why there is none.
type sight struct {
	config string
	found  []sighting
	err    error
}

// sightings are sorted by config.
type sightings []sight

// look looks for the Machine's VirtualMachine in clusters, by name and by the Machine's UID, side by side and each for a bounded time.
func (p *pass) look(ctx context.Context, vmName string, configs []string) sightings {
	seen := make(sightings, len(configs))
	var looking sync.WaitGroup
	for i, config := range configs {
		looking.Go(func() {
			found, err := p.lookIn(ctx, config, vmName)
			seen[i] = sight{config: config, found: found, err: err}
		})
	}
	looking.Wait()
	return seen
}

// lookIn asks one cluster's API server. Its NotFound is the server's own word.
func (p *pass) lookIn(ctx context.Context, config, vmName string) ([]sighting, error) {
	reader, err := p.KubevirtClientMgr.Live(config)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	list := &kubevirtv1.VirtualMachineList{}
	if p.uid() != "" {
		labels := client.MatchingLabels{vitistackv1alpha1.LabelMachineUID: string(p.uid())}
		if err := reader.List(ctx, list, client.InNamespace(p.machine.Namespace), labels); err != nil {
			return nil, err
		}
	}
	named := &kubevirtv1.VirtualMachine{}
	err = reader.Get(ctx, client.ObjectKey{Namespace: p.machine.Namespace, Name: vmName}, named)
	if client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	if !apierrors.IsNotFound(err) && !slices.ContainsFunc(list.Items, func(vm kubevirtv1.VirtualMachine) bool { return vm.UID == named.UID }) {
		list.Items = append(list.Items, *named)
	}
	var found []sighting
	for i := range list.Items {
		vm := &list.Items[i]
		found = append(found, sighting{vm: vm, owner: p.ownerOf(vm)})
	}
	return found, nil
}

// ownerOf tells whose a VirtualMachine is that has the wanted name or the Machine's UID.
func (p *pass) ownerOf(vm *kubevirtv1.VirtualMachine) owner {
	recorded := p.ledger != nil && p.ledger.VMUID != "" && p.ledger.VMUID == string(vm.UID)
	if recorded || desired.IsOurs(vm.Labels, p.uid(), p.settings.Desired.SupervisorUID) {
		return ours
	}
	claimed := vm.Labels[vitistackv1alpha1.LabelMachineUID] + vm.Labels[vitistackv1alpha1.LabelSupervisorUID]
	if claimed != "" || metav1.GetControllerOf(vm) != nil {
		return foreign
	}
	for _, label := range []string{vitistackv1alpha1.LabelSourceMachine, vitistackv1alpha1.LegacyLabelSourceMachine} {
		if source := vm.Labels[label]; source != "" {
			if source == p.machine.Name {
				return earlier
			}
			return foreign
		}
	}
	return nobodys
}

// of returns what was seen in one cluster.
func (s sightings) of(config string) sight {
	for _, each := range s {
		if each.config == config {
			return each
		}
	}
	return sight{config: config}
}

// unanswered are the clusters that gave no answer.
func (s sightings) unanswered() []string {
	var configs []string
	for _, each := range s {
		if each.err != nil {
			configs = append(configs, each.config)
		}
	}
	return configs
}

// ours are the VirtualMachines that are this Machine's, with where they are.
func (s sightings) ours() (all []sighting, configs []string) {
	for _, each := range s {
		for _, found := range each.found {
			if found.owner == ours {
				all, configs = append(all, found), append(configs, each.config)
			}
		}
	}
	return all, configs
}

// named is the VirtualMachine of a name, or nil.
func (s sight) named(vmName string) *sighting {
	for i := range s.found {
		if s.found[i].vm.Name == vmName {
			return &s.found[i]
		}
	}
	return nil
}

// inform hands what was seen to the strategies.
func (s sightings) inform(request placement.Request) placement.Request {
	informed := request
	informed.Candidates = slices.Clone(request.Candidates)
	for i := range informed.Candidates {
		informed.Candidates[i].VM = s.of(informed.Candidates[i].Name).presence()
	}
	return informed
}

func (s sight) presence() placement.VM {
	if s.err != nil {
		return placement.VM{Presence: placement.Unreachable, Cause: s.err.Error()}
	}
	best := placement.VM{Presence: placement.Absent}
	for _, found := range s.found {
		vm := placement.VM{Presence: placement.Present, Owner: placement.Foreign, UID: string(found.vm.UID)}
		switch found.owner {
		case ours:
			vm.Owner = placement.Ours
		case nobodys:
			vm.Owner = placement.Unlabelled
		}
		if best.Presence == placement.Absent || vm.Owner == placement.Ours {
			best = vm
		}
	}
	return best
}
