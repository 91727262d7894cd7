package custody

import (
	"fmt"
	"slices"
	"strings"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Answer is what a judgement comes to.
type Answer int

// The answers.
const (
	// Undecided: a cluster that matters gave no answer. Nothing may be concluded.
	Undecided Answer = iota
	// Yours: the VirtualMachine is the Machine's.
	Yours
	// Absent: every cluster that matters answered that there is none.
	Absent
	// Refused: a person must act.
	Refused
)

// Finding is a judgement about the VirtualMachine of a Machine.
type Finding struct {
	Is Answer
	// Place is the VirtualMachine, with Yours.
	Place Place
	// Relation is Mine, Restored, LegacyProven, Unclaimed or OtherMachineGone with Yours: how it
	// came to be the Machine's.
	Relation Relation
	// Copies are objects that carry the Machine's labels and are not the Machine's.
	Copies []Place
	// Reason and Message are for a condition, with Undecided and Refused.
	Reason, Message string
}

// Find judges the VirtualMachine of a Machine that is placed: the record's, in the record's
// cluster.
func (c Case) Find() Finding {
	found := Finding{Copies: c.which(Copy)}
	if c.Record == nil {
		return found.refuse(vitistackv1alpha1.ReasonRecordUnconfirmed, "the Machine is not placed")
	}
	here := c.in(*c.Record)
	if len(here.Looks) == 0 || len(here.silent()) > 0 {
		found.Reason, found.Message = unanswered([]string{c.Record.Config})
		return found
	}
	for _, relation := range []Relation{Mine, Restored, OtherMachineGone} {
		switch mine := here.which(relation); {
		case len(mine) > 1:
			return found.refuse(vitistackv1alpha1.ReasonDuplicateVM, "%s", duplicates(mine))
		case len(mine) == 1 && relation == Mine: // what a person consented to beside it stays a copy
			found.Copies = append(found.Copies, here.which(Restored)...)
			return found.yours(mine[0], relation)
		case len(mine) == 1:
			return found.yours(mine[0], relation)
		}
	}
	if taken := here.named(c.Record.VMName); len(taken) > 0 {
		return found.refuse(vitistackv1alpha1.ReasonNameCollision, "%s", here.collision(taken[0]))
	}
	found.Is = Absent
	return found
}

// in is the case with only the looks into the cluster of a record.
func (c Case) in(record Record) Case {
	c.Looks = slices.DeleteFunc(slices.Clone(c.Looks), func(l Look) bool { return !record.in(l) })
	return c
}

// MayCreate says whether a VirtualMachine that is absent may be made. One that was there needs a
// person's consent, once: nobody knows what became of its disks.
func (c Case) MayCreate() Finding {
	r := c.Record
	switch {
	case r == nil:
		return Finding{}.refuse(vitistackv1alpha1.ReasonRecordUnconfirmed, "the Machine is not placed")
	case r.VMUID == "" || c.Machine.Recreate == r.VMUID:
		return Finding{Is: Absent}
	}
	message := fmt.Sprintf("VirtualMachine %s of %s is gone; annotation %s with the value %s makes a new and empty one",
		r.VMName, r.Config, vitistackv1alpha1.AnnotationRecreate, r.VMUID)
	if copies := c.which(Copy); len(copies) > 0 {
		message += fmt.Sprintf("; %s carries its labels: annotation %s with the value %s takes that over instead",
			copies[0], vitistackv1alpha1.AnnotationAdopt, Consent(copies[0].Config, copies[0].VM.UID))
	}
	return Finding{Is: Refused, Reason: vitistackv1alpha1.ReasonVanished, Message: message}
}

// FindLost judges a Machine whose record is lost, by what was seen in all clusters. With Absent it
// was never placed.
func (c Case) FindLost() Finding {
	found := Finding{Copies: c.which(Copy)}
	mine := c.which(Mine, Restored)
	switch silent := c.silent(); {
	case len(mine) == 1:
		l, _ := c.look(mine[0].Config)
		return found.yours(mine[0], c.Relation(l, mine[0].VM))
	case len(mine) > 1:
		return found.refuse(vitistackv1alpha1.ReasonDuplicateVM, "%s", duplicates(mine))
	case len(silent) > 0:
		found.Reason, found.Message = unanswered(silent)
		return found
	default:
		found.Is = Absent
		return found
	}
}

func (f Finding) yours(place Place, relation Relation) Finding {
	f.Is, f.Place, f.Relation = Yours, place, relation
	return f
}

func (f Finding) refuse(reason, format string, args ...any) Finding {
	f.Is, f.Reason, f.Message = Refused, reason, fmt.Sprintf(format, args...)
	return f
}

func unanswered(configs []string) (reason, message string) {
	return vitistackv1alpha1.ReasonClustersUnanswered,
		"it cannot be told whether the VirtualMachine exists already: no answer from " + strings.Join(configs, ", ")
}

func duplicates(all []Place) string {
	names := make([]string, len(all))
	for i, each := range all {
		names[i] = each.String()
	}
	return "there is more than one VirtualMachine of this Machine: " + strings.Join(names, "; ")
}

// named are the VirtualMachines of a name, whosever they are.
func (c Case) named(name string) []Place {
	var all []Place
	for _, l := range c.ordered() {
		for _, vm := range l.Found {
			if l.Silent == nil && vm.Name == name {
				all = append(all, Place{Config: l.Config, VM: vm})
			}
		}
	}
	return all
}

// collision says whose a VirtualMachine is that has the wanted name, and what helps.
func (c Case) collision(with Place) string {
	text := fmt.Sprintf("%s has a VirtualMachine %s that ", with.Config, with.VM.Name)
	consent := fmt.Sprintf("annotation %s with the value %s takes it over",
		vitistackv1alpha1.AnnotationAdopt, Consent(with.Config, with.VM.UID))
	l, _ := c.look(with.Config)
	switch c.Relation(l, with.VM) {
	case Foreign:
		return text + "belongs to somebody else"
	case OtherMachine, OtherMachineGone:
		return text + "was made for an earlier Machine of this name; if that is gone for good, " + consent
	case Copy, Restored:
		return text + "carries this Machine's labels and is another one than was recorded; " + consent
	default:
		return text + "was not made for this Machine; " + consent
	}
}
