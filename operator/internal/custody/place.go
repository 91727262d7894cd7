package custody

import (
	"slices"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Choice is what the strategies chose for a Machine without a record.
type Choice struct {
	// Config is the chosen KubevirtConfig.
	Config string
	// Searched says that the strategy chose by looking for an existing VirtualMachine, and that the
	// looks of the Case cover every cluster. That is necessary for taking over an unclaimed one,
	// and not sufficient: the judge counts for itself in how many clusters it is.
	Searched bool
}

// Place has the last word on a choice, whatever strategy made it. With Yours the Machine belongs
// where its VirtualMachine is. With Absent it may be placed in the chosen cluster. The looks must
// cover every cluster, but for a Machine that cannot have a VirtualMachine yet.
func (c Case) Place(choice Choice) Finding {
	found := Finding{Copies: c.which(Copy)}
	mine := c.which(Mine, Restored)
	if len(mine) == 0 {
		mine = c.which(LegacyProven, OtherMachineGone)
		mine = append(mine, c.consented()...)
		if silent := c.silent(); len(silent) > 0 {
			found.Reason, found.Message = unanswered(silent)
			return found
		}
	}
	switch {
	case len(mine) > 1:
		return found.refuse(vitistackv1alpha1.ReasonDuplicateVM, "%s", duplicates(mine))
	case len(mine) == 1 && len(c.rivals(mine[0])) > 0:
		rival := c.rivals(mine[0])[0]
		return c.taken(found, Choice{Config: rival.Config}, rival)
	case len(mine) == 1:
		return c.belongs(found, choice.Config, mine[0])
	}
	if silent := c.unheard(choice.Config); len(silent) > 0 {
		found.Reason, found.Message = unanswered(silent)
		return found
	}
	if taken := c.here(choice.Config); len(taken) > 0 {
		return c.taken(found, choice, taken[0])
	}
	if former := c.former(); len(former) > 0 {
		return c.taken(found, choice, former[0])
	}
	if consent := c.Machine.Adopt; consent != "" {
		return found.refuse(vitistackv1alpha1.ReasonAdoptionRefused,
			"there is no VirtualMachine %s, which annotation %s asks for", consent, vitistackv1alpha1.AnnotationAdopt)
	}
	if vanished := c.mayForget(); vanished.Is == Refused {
		return found.refuse(vanished.Reason, "%s", vanished.Message)
	}
	found.Is = Absent
	return found
}

// mayForget says whether a Machine without a record may get a new VirtualMachine. The status may be
// the last that remembers one, or a ledger that was written just before the operator ended.
func (c Case) mayForget() Finding {
	uid := c.Machine.StatusVMUID
	if c.Machine.Held && c.Machine.LedgerVMUID != "" {
		uid = c.Machine.LedgerVMUID // it was written later
	}
	if uid == "" || c.Machine.Recreate == uid {
		return Finding{Is: Absent}
	}
	return Finding{}.refuse(vitistackv1alpha1.ReasonVanished,
		"the Machine's VirtualMachine %s is gone and its record is lost; "+
			"annotation %s with the value %s makes a new and empty one", uid, vitistackv1alpha1.AnnotationRecreate, uid)
}

// consented are the unclaimed VirtualMachines that a person gave to the Machine.
func (c Case) consented() []Place {
	return slices.DeleteFunc(c.which(Unclaimed), func(p Place) bool {
		l, _ := c.look(p.Config)
		return !c.consents(l, p.VM)
	})
}

// unheard is the chosen cluster, where nobody looked into it.
func (c Case) unheard(config string) []string {
	if _, looked := c.look(config); looked {
		return nil
	}
	return []string{config}
}

// belongs: the VirtualMachine exists, so the Machine belongs where that is.
func (c Case) belongs(found Finding, config string, mine Place) Finding {
	if c.Machine.Names() && !c.same(config, mine.Config) {
		return found.refuse(vitistackv1alpha1.ReasonAlreadyPlaced,
			"the Machine asks for %s, but its VirtualMachine is in %s", config, mine.Config)
	}
	l, _ := c.look(mine.Config)
	found.Is, found.Place, found.Relation = Yours, mine, c.Relation(l, mine.VM)
	return found
}

// same reports whether two KubevirtConfigs lead to one cluster.
func (c Case) same(a, b string) bool {
	if a == b {
		return true
	}
	first, _ := c.look(a)
	second, _ := c.look(b)
	return first.ClusterUID != "" && first.ClusterUID == second.ClusterUID
}

// here are the VirtualMachines that stand in the way in the chosen cluster. A copy of another name
// does not.
func (c Case) here(config string) []Place {
	l, _ := c.look(config)
	var all []Place
	for _, vm := range l.Found {
		if c.Concerns(l, vm) {
			all = append(all, Place{Config: config, VM: vm})
		}
	}
	return all
}

// Concerns reports whether a VirtualMachine has to do with a Machine that is not placed: it has the
// wanted name, or its labels say so. A copy of another name has not, and neither has a stranger
// that only has the Machine's own name.
func (c Case) Concerns(l Look, vm Sighting) bool {
	switch c.Relation(l, vm) {
	case Foreign, Copy:
		return vm.Name == c.Machine.VMName
	case Unclaimed:
		return vm.Name == c.Machine.VMName || c.consents(l, vm)
	default:
		return true
	}
}

// unclaimed are the unclaimed VirtualMachines of the wanted name.
func (c Case) unclaimed() []Place {
	return slices.DeleteFunc(c.which(Unclaimed), func(p Place) bool { return p.VM.Name != c.Machine.VMName })
}

// former are VirtualMachines of an earlier Machine of this name, in any cluster, where this Machine
// may be that one: it has the operator's finalizer before it is placed, or its author names no
// cluster.
func (c Case) former() []Place {
	if c.Machine.Names() && !c.Machine.Held {
		return nil
	}
	return c.which(OtherMachine)
}

// rivals are VirtualMachines of an earlier Machine of this name beside one that is not the
// Machine's by its record: a person has to say what becomes of them first, or there would be two.
func (c Case) rivals(mine Place) []Place {
	l, _ := c.look(mine.Config)
	if relation := c.Relation(l, mine.VM); relation == Mine || relation == Restored {
		return nil
	}
	return c.former()
}

// RefuseFormer refuses to leave a Machine to a person's choice of a cluster while an earlier
// Machine of its name has a VirtualMachine somewhere. ok is false where nothing is to be refused.
func (c Case) RefuseFormer() (found Finding, ok bool) {
	former := c.former()
	if len(former) == 0 {
		return Finding{}, false
	}
	return c.taken(Finding{}, Choice{Config: former[0].Config}, former[0]), true
}

// taken: a VirtualMachine stands where the Machine's would be made.
func (c Case) taken(found Finding, choice Choice, with Place) Finding {
	l, _ := c.look(with.Config)
	relation := c.Relation(l, with.VM)
	consents := c.consents(l, with.VM)
	switch {
	case relation == Unclaimed && choice.Searched && !c.Machine.Names() && len(c.unclaimed()) == 1:
		found.Is, found.Place, found.Relation = Yours, with, Unclaimed
		return found
	case relation == Foreign && consents:
		return found.refuse(vitistackv1alpha1.ReasonAdoptionRefused, "%s belongs to somebody else", with)
	case relation == OtherMachine && consents:
		return found.refuse(vitistackv1alpha1.ReasonAdoptionRefused, "%s belongs to another Machine, which exists", with)
	default:
		return found.refuse(vitistackv1alpha1.ReasonNameCollision, "%s", c.collision(with))
	}
}
