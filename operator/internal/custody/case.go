package custody

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Case is everything that a judgement rests on.
type Case struct {
	// Machine is the Machine that the judgement is about.
	Machine Subject
	// Record says where the Machine is placed, nil where nothing is recorded or where the record is
	// only a request.
	Record *Record
	// Looks are what was seen in the remote clusters, at most one for each KubevirtConfig.
	Looks []Look
	// Claimants are the other Machines of the Machine's namespace. They matter only where a person
	// consents to taking over another Machine's VirtualMachine; nil means that nobody asked for
	// them.
	Claimants []Claimant
}

// Subject is what a judgement needs to know of a Machine.
type Subject struct {
	// Namespace and Name are the Machine's.
	Namespace, Name string
	// Labels are the labels that everything made for the Machine carries, by LabelMachineUID,
	// LabelSupervisorUID and LabelSourceMachine.
	Labels map[string]string
	// VMName is the name that its VirtualMachine has or would get.
	VMName string
	// MACs are the addresses that the Machine's network record and NetworkConfigurations give to
	// its interfaces, in lower case.
	MACs []string
	// StatusVMUID is status.machineID: the UID of the VirtualMachine as the status remembers it. ""
	// means that it remembers none.
	StatusVMUID string
	// LedgerVMUID is the UID that an unconfirmed ledger names. It proves nothing; it only keeps a
	// VirtualMachine that was there from being made anew without consent. "" means that there is
	// none.
	LedgerVMUID string
	// Adopt and Recreate are the values of the consent annotations of these names.
	Adopt, Recreate string
	// References are spec.kubevirtConfigRef.name and the annotation vitistack.io/kubevirt-config.
	References [2]string
	// Held says that the operator's finalizer is on the Machine.
	Held bool
}

// Names reports whether the Machine's author names a cluster.
func (s Subject) Names() bool { return s.References != [2]string{} }

// Look is what one live look at one cluster saw.
type Look struct {
	// Config is the name of the KubevirtConfig, ClusterUID the identity of the cluster behind it,
	// "" where that cannot be read.
	Config, ClusterUID string
	// Silent is why the cluster gave no answer, nil where it did. Found counts only where it is
	// nil.
	Silent error
	// Found are the VirtualMachines of the Machine's namespace that have its name or carry its UID.
	Found []Sighting
}

// Sighting is a VirtualMachine as it was seen.
type Sighting struct {
	// Name and UID are the VirtualMachine's.
	Name string
	UID  types.UID
	// Labels are the VirtualMachine's.
	Labels map[string]string
	// Nonce is its annotation AnnotationPlacementNonce.
	Nonce string
	// MACs are the addresses of its interfaces, in lower case.
	MACs []string
	// Controlled says that a controller owns it, for example a VirtualMachinePool.
	Controlled bool
}

// Claimant is another Machine, with what it may lay claim to.
type Claimant struct {
	// UIDLabel is its UID as labels have it.
	UIDLabel string
	// VMUID is the VirtualMachine of its ledger, "" where that names none.
	VMUID string
}

// Place is a VirtualMachine and the KubevirtConfig under which it was seen.
type Place struct {
	Config string
	VM     Sighting
}

// String names a VirtualMachine for people.
func (p Place) String() string {
	return fmt.Sprintf("VirtualMachine %s (%s) in %s", p.VM.Name, p.VM.UID, p.Config)
}

// Consent is the value of the annotation vitistack.io/adopt that consents to taking over a
// VirtualMachine.
func Consent(config string, vmUID types.UID) string { return fmt.Sprintf("%s/%s", config, vmUID) }

// look returns what was seen under a KubevirtConfig. A cluster that nobody looked into counts as
// silent.
func (c Case) look(config string) (Look, bool) {
	i := slices.IndexFunc(c.Looks, func(l Look) bool { return l.Config == config })
	if i < 0 {
		return Look{Config: config}, false
	}
	return c.Looks[i], true
}

// silent returns the KubevirtConfigs whose clusters gave no answer, sorted. A cluster that answered
// under one name counts as heard under all.
func (c Case) silent() []string {
	heard := map[string]bool{}
	for _, l := range c.Looks {
		heard[l.ClusterUID] = heard[l.ClusterUID] || l.Silent == nil && l.ClusterUID != ""
	}
	var configs []string
	for _, l := range c.Looks {
		if l.Silent != nil && !heard[l.ClusterUID] {
			configs = append(configs, l.Config)
		}
	}
	slices.Sort(configs)
	return configs
}

// which returns the VirtualMachines of the relations asked for, each once however many
// KubevirtConfigs lead to its cluster. The recorded KubevirtConfig's name goes before others, which
// are in order of their names.
func (c Case) which(wanted ...Relation) []Place {
	var all []Place
	seen := map[[2]string]bool{}
	for _, l := range c.ordered() {
		if l.Silent != nil {
			continue
		}
		for _, vm := range l.Found {
			cluster := cmp.Or(l.ClusterUID, l.Config)
			key := [2]string{cluster, string(vm.UID)}
			if seen[key] || !slices.Contains(wanted, c.Relation(l, vm)) {
				continue
			}
			seen[key] = true
			all = append(all, Place{Config: l.Config, VM: vm})
		}
	}
	return all
}

// ordered returns the looks in an order in which the name that the Machine knows a cluster by comes
// first.
func (c Case) ordered() []Look {
	known := func(config string) int {
		switch {
		case c.Record != nil && c.Record.Config == config:
			return 0
		case slices.Contains(c.Machine.References[:], config):
			return 1
		default:
			return 2
		}
	}
	looks := slices.Clone(c.Looks)
	slices.SortStableFunc(looks, func(a, b Look) int {
		return cmp.Or(known(a.Config)-known(b.Config), cmp.Compare(a.Config, b.Config))
	})
	return looks
}

// label returns one of the labels that the Machine's own objects carry.
func (s Subject) label(name string) string { return s.Labels[name] }

// labelled reports whether labels name this very Machine of this very supervisor.
func (s Subject) labelled(labels map[string]string) bool {
	for _, name := range []string{vitistackv1alpha1.LabelMachineUID, vitistackv1alpha1.LabelSupervisorUID} {
		if s.label(name) == "" || labels[name] != s.label(name) {
			return false
		}
	}
	return true
}
