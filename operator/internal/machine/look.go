package machine

import (
	"context"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// owner says whose a VirtualMachine is.
type owner int

const (
	foreign   owner = iota // somebody else's, or nobody can tell
	ours                   // it carries this supervisor's and this Machine's UID, or its UID is in the ledger
	nobodys                // no label and no controller claims it
	earlier                // labels of earlier releases name a Machine of this name
	matched                // the same, and it has a MAC address of this Machine's NetworkConfiguration, or a person consents
	former                 // this supervisor's, for another Machine of this name
	inherited              // the same, that Machine is no more, and a person consents
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
	if p.uid() != "" && (p.ledger != nil || !p.isFresh()) { // nothing can carry a UID that is new
		labels := client.MatchingLabels{vitistackv1alpha1.LabelMachineUID: string(p.uid())}
		if err := reader.List(ctx, list, client.InNamespace(p.machine.Namespace), labels); err != nil {
			return nil, err
		}
	}
	for _, name := range p.namesOf(vmName) {
		named := &kubevirtv1.VirtualMachine{}
		err := reader.Get(ctx, client.ObjectKey{Namespace: p.machine.Namespace, Name: name}, named)
		if client.IgnoreNotFound(err) != nil {
			return nil, err
		}
		if err == nil && !slices.ContainsFunc(list.Items, func(vm kubevirtv1.VirtualMachine) bool { return vm.UID == named.UID }) {
			list.Items = append(list.Items, *named)
		}
	}
	var found []sighting
	for i := range list.Items {
		each := sighting{vm: &list.Items[i], owner: p.ownerOf(&list.Items[i])}
		switch {
		case each.owner == earlier && p.consents(config, each):
			each.owner = matched
		case each.owner == earlier:
			each.owner, err = p.match(ctx, each.vm)
		case each.owner == former && p.consents(config, each):
			each.owner, err = p.inherit(ctx, each.vm)
		}
		if err != nil {
			return nil, err
		}
		if each.vm.Name == vmName || each.owner == earlier || each.owner == former || p.isMine(config, each) {
			found = append(found, each)
		}
	}
	return found, nil
}

// namesOf are the names that the Machine's VirtualMachine may have: the wanted one and, before the Machine is placed, its own name, which is
// what the public operator gave it. One of that name counts if it says whose it is.
func (p *pass) namesOf(vmName string) []string {
	if p.ledger != nil || vmName == p.machine.Name {
		return []string{vmName}
	}
	return []string{vmName, p.machine.Name}
}

// ownerOf tells whose a VirtualMachine is that has the wanted name or the Machine's UID.
func (p *pass) ownerOf(vm *kubevirtv1.VirtualMachine) owner {
	// A ledger is copied with the Machine that has it: it is no claim on what carries another's UID.
	for label, mine := range p.labels() {
		if value := vm.Labels[label]; value == "" || value == mine {
			continue
		}
		if metav1.GetControllerOf(vm) == nil && desired.IsFormers(vm.Labels, p.machine, p.settings.Desired) {
			return former
		}
		return foreign
	}
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
			if source == desired.LabelValue(p.machine.Name) {
				return earlier
			}
			return foreign
		}
	}
	return nobodys
}

// match is matched where a MAC address proves that labels of an earlier release mean this very Machine, else earlier.
func (p *pass) match(ctx context.Context, vm *kubevirtv1.VirtualMachine) (owner, error) {
	existing, err := readNetworkConfiguration(ctx, p.live, client.ObjectKeyFromObject(p.machine))
	if err != nil {
		return foreign, err
	}
	if existing == nil || !desired.OwnsNetworkConfiguration(p.machine, existing, p.settings.Desired) {
		return earlier, nil
	}
	for _, has := range desired.Interfaces(vm) {
		for _, given := range existing.Spec.NetworkInterfaces {
			if mac, ok := desired.ParseMAC(given.MacAddress); ok && mac == has.MAC {
				return matched, nil
			}
		}
	}
	return earlier, nil
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

// which are the VirtualMachines that are as asked, with where they are.
func (s sightings) which(is func(config string, found sighting) bool) (all []sighting, configs []string) {
	for _, each := range s {
		for _, found := range each.found {
			if is(each.config, found) {
				all, configs = append(all, found), append(configs, each.config)
			}
		}
	}
	return all, configs
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
		case nobodys, matched, inherited:
			vm.Owner = placement.Unlabelled
		}
		if best.Presence == placement.Absent || vm.Owner == placement.Ours {
			best = vm
		}
	}
	return best
}
