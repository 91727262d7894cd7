package custody

import (
	"slices"
	"strings"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Relation says how a VirtualMachine relates to the Machine of a Case.
type Relation int

// The relations.
const (
	// Foreign belongs to somebody else, or nothing tells to whom.
	Foreign Relation = iota
	// Mine is named by the record, or by what is left of a lost one.
	Mine
	// Restored carries the Machine's labels, its name and one of its MAC addresses (or a person's
	// consent), and has another UID than the record: it was deleted and brought back, for example
	// by a backup tool.
	Restored
	// Copy carries the Machine's labels and is neither of the above, for example a clone. It is a
	// person's.
	Copy
	// Unclaimed carries no label of this kind and no controller owns it.
	Unclaimed
	// LegacyUnproven carries only labels of earlier releases that name a Machine of this name.
	LegacyUnproven
	// LegacyProven is LegacyUnproven with one of the Machine's MAC addresses, or with a person's
	// consent.
	LegacyProven
	// OtherMachine was made by this supervisor for another Machine of this name.
	OtherMachine
	// OtherMachineGone is OtherMachine where no other Machine claims it and a person consents to
	// taking it over.
	OtherMachineGone
)

// Relation judges one VirtualMachine.
func (c Case) Relation(l Look, vm Sighting) Relation {
	machine, supervisor := vm.Labels[vitistackv1alpha1.LabelMachineUID], vm.Labels[vitistackv1alpha1.LabelSupervisorUID]
	switch {
	case supervisor != "" && supervisor != c.Machine.label(vitistackv1alpha1.LabelSupervisorUID):
		return Foreign
	case machine != "" && machine != c.Machine.label(vitistackv1alpha1.LabelMachineUID):
		return c.otherMachine(l, vm)
	case c.recorded(l, vm):
		return Mine
	case c.Machine.labelled(vm.Labels):
		return c.unrecorded(l, vm)
	case machine+supervisor != "" || vm.Controlled:
		return Foreign
	default:
		return c.unlabelled(l, vm)
	}
}

// recorded reports whether the record names a VirtualMachine. Its UID is proof by itself, with
// labels or without.
func (c Case) recorded(l Look, vm Sighting) bool {
	r := c.Record
	if r == nil || !r.in(l) {
		return false
	}
	if r.VMUID != "" {
		return string(vm.UID) == r.VMUID
	}
	return r.Nonce != "" && vm.Nonce == r.Nonce && vm.Name == r.VMName && c.Machine.labelled(vm.Labels)
}

// unrecorded judges a VirtualMachine that carries both of the Machine's UIDs and is not named by
// the record.
func (c Case) unrecorded(l Look, vm Sighting) Relation {
	switch r := c.Record; {
	case vm.Controlled || r != nil && !r.in(l):
		return Copy
	case c.consents(l, vm):
		return Restored
	case r == nil && c.Machine.StatusVMUID != "":
		if string(vm.UID) == c.Machine.StatusVMUID {
			return Mine
		}
		return c.restored(vm, c.Machine.VMName)
	case r == nil && vm.Name == c.Machine.VMName && c.mayBeMine(vm):
		return Mine
	case r == nil:
		return Copy
	default:
		return c.restored(vm, r.VMName)
	}
}

// restored tells a VirtualMachine that came back under a new UID from a copy: only the former has
// the Machine's name and address.
func (c Case) restored(vm Sighting, name string) Relation {
	if vm.Name == name && c.shares(vm) {
		return Restored
	}
	return Copy
}

// shares reports whether a VirtualMachine has one of the Machine's MAC addresses. An interface
// without an address shares none.
func (c Case) shares(vm Sighting) bool {
	return slices.ContainsFunc(vm.MACs, func(mac string) bool {
		return mac != "" && slices.Contains(c.Machine.MACs, strings.ToLower(mac))
	})
}

// mayBeMine reports whether the MAC addresses do not speak against a VirtualMachine: where one side
// has none, they say nothing.
func (c Case) mayBeMine(vm Sighting) bool {
	return !hasAddress(vm.MACs) || !hasAddress(c.Machine.MACs) || c.shares(vm)
}

func hasAddress(macs []string) bool {
	return slices.ContainsFunc(macs, func(mac string) bool { return mac != "" })
}

// otherMachine judges what this supervisor made for another Machine.
func (c Case) otherMachine(l Look, vm Sighting) Relation {
	const supervisor, name = vitistackv1alpha1.LabelSupervisorUID, vitistackv1alpha1.LabelSourceMachine
	sameSupervisor := vm.Labels[supervisor] == c.Machine.label(supervisor)
	sameName := vm.Labels[name] == c.Machine.label(name)
	switch {
	case vm.Controlled || !sameSupervisor || !sameName:
		return Foreign
	case c.consents(l, vm) && c.Claimants != nil && !c.claimed(vm):
		return OtherMachineGone
	default:
		return OtherMachine
	}
}

// claimed reports whether another Machine that exists has a claim to a VirtualMachine: by its
// labels or by its ledger.
func (c Case) claimed(vm Sighting) bool {
	return slices.ContainsFunc(c.Claimants, func(other Claimant) bool {
		return other.UIDLabel == vm.Labels[vitistackv1alpha1.LabelMachineUID] || other.VMUID == string(vm.UID)
	})
}

// unlabelled judges a VirtualMachine without any UID in its labels.
func (c Case) unlabelled(l Look, vm Sighting) Relation {
	if slices.ContainsFunc(c.Claimants, func(other Claimant) bool { return other.VMUID == string(vm.UID) }) {
		return Foreign
	}
	for _, label := range []string{vitistackv1alpha1.LabelSourceMachine, vitistackv1alpha1.LegacyLabelSourceMachine} {
		switch source := vm.Labels[label]; {
		case source == "":
		case source != c.Machine.label(vitistackv1alpha1.LabelSourceMachine):
			return Foreign
		case c.consents(l, vm) || c.shares(vm):
			return LegacyProven
		default:
			return LegacyUnproven
		}
	}
	return Unclaimed
}

// NeedsClaimants reports whether the judge has to know the other Machines of the namespace: a person
// consents to taking over a VirtualMachine that was made for another Machine.
func (c Case) NeedsClaimants() bool {
	return slices.ContainsFunc(c.Looks, func(l Look) bool {
		return slices.ContainsFunc(l.Found, func(vm Sighting) bool {
			const uid = vitistackv1alpha1.LabelMachineUID
			return c.consents(l, vm) && vm.Labels[uid] != c.Machine.label(uid)
		})
	})
}

// consents reports whether a person said that this VirtualMachine is the Machine's. The person may
// have named its cluster by any of the KubevirtConfigs that lead to it.
func (c Case) consents(l Look, vm Sighting) bool {
	return c.Machine.Adopt == Consent(l.Config, vm.UID) || slices.ContainsFunc(c.Looks, func(other Look) bool {
		return l.ClusterUID != "" && other.ClusterUID == l.ClusterUID && c.Machine.Adopt == Consent(other.Config, vm.UID)
	})
}
