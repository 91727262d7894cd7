package custody_test

import (
	"errors"
	"maps"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
)

// The Machine that the tables are about is called web and has UID web-1. Its supervisor is sup. Its
// VirtualMachine is vm-web, UID vm-1, in the cluster behind KubevirtConfig east, whose UID is
// c-east.
const (
	machineUID = "web-1"
	formerUID  = "web-0"
	mac        = "02:00:00:00:00:01"
	otherMAC   = "02:00:00:00:00:99"
)

var errSilent = errors.New("the cluster gives no answer")

// labels are what the operator puts on a VirtualMachine of a Machine called web.
func labels(machine, supervisor string) map[string]string {
	all := map[string]string{
		vitistackv1alpha1.LabelMachineUID:    machine,
		vitistackv1alpha1.LabelSupervisorUID: supervisor,
		vitistackv1alpha1.LabelSourceMachine: "web",
	}
	maps.DeleteFunc(all, func(_, value string) bool { return value == "" })
	return all
}

func ours() map[string]string   { return labels(machineUID, "sup") }
func former() map[string]string { return labels(formerUID, "sup") }

// web is the Machine. Its author names no cluster.
func web() custody.Subject {
	return custody.Subject{
		Namespace: "team", Name: "web", Labels: ours(), VMName: "vm-web", MACs: []string{mac}, Held: true,
	}
}

// ledger names vm-1 in east.
func ledger() vitistackv1alpha1.Ledger {
	return vitistackv1alpha1.Ledger{
		Config: "east", ClusterUID: "c-east", Namespace: "team", VMName: "vm-web", Nonce: "n-1", VMUID: "vm-1",
	}
}

// intent is ledger before the VirtualMachine's UID is known.
func intent() vitistackv1alpha1.Ledger {
	intended := ledger()
	intended.VMUID = ""
	return intended
}

func recorded(ledger vitistackv1alpha1.Ledger) *custody.Record {
	return &custody.Record{Ledger: ledger}
}

// original is the VirtualMachine that the operator made for web.
func original() custody.Sighting {
	return custody.Sighting{Name: "vm-web", UID: "vm-1", Labels: ours(), Nonce: "n-1", MACs: []string{mac}}
}

// clone is what a person made from original: everything is copied but the name and the UID.
func clone() custody.Sighting {
	copied := original()
	copied.Name, copied.UID = "vm-web-golden", "vm-9"
	return copied
}

// restored is original after a backup tool brought it back: everything is the same but the UID.
func restored() custody.Sighting {
	back := original()
	back.UID = "vm-2"
	return back
}

// plain is a VirtualMachine of the wanted name that carries nothing of ours.
func plain() custody.Sighting {
	return custody.Sighting{Name: "vm-web", UID: "vm-5", MACs: []string{otherMAC}}
}

func with(vm custody.Sighting, change func(*custody.Sighting)) custody.Sighting {
	change(&vm)
	return vm
}

func saw(config, clusterUID string, found ...custody.Sighting) custody.Look {
	return custody.Look{Config: config, ClusterUID: clusterUID, Found: found}
}

func east(found ...custody.Sighting) custody.Look { return saw("east", "c-east", found...) }
func west(found ...custody.Sighting) custody.Look { return saw("west", "c-west", found...) }

// east2 is another KubevirtConfig of the cluster behind east.
func east2(found ...custody.Sighting) custody.Look { return saw("east2", "c-east", found...) }

func silent(config string) custody.Look { return custody.Look{Config: config, Silent: errSilent} }

// summary is what a table compares: messages are compared by what they must tell.
type summary struct {
	Is       custody.Answer
	VM       string
	Config   string
	Relation custody.Relation
	Reason   string
	Copies   []string
}

func sum(found custody.Finding) summary {
	s := summary{
		Is: found.Is, VM: string(found.Place.VM.UID), Config: found.Place.Config, Relation: found.Relation,
		Reason: found.Reason,
	}
	for _, each := range found.Copies {
		s.Copies = append(s.Copies, string(each.VM.UID)+" in "+each.Config)
	}
	return s
}
