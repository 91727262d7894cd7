package custody_test

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
)

// shape is what does not change during an exploration.
type shape struct {
	name     string
	sameName bool     // the second Machine is the first one's name made anew
	configs  []number // 1 east, 2 west, 3 another config of east's cluster
	rare     uint8    // how many rare actions there may be in one history
}

func clusterOf(config number) cluster { return (config + 1) % 2 } // 1 and 3 lead to cluster 0, 2 to cluster 1

func (s shape) nameOf(m number) number {
	if s.sameName {
		return 1
	}
	return m
}

// texts are the numbers as the judge knows them. They are made once, because a state is judged
// millions of times.
type texts struct {
	machine, vmUID, vmName, nonce, mac, config, cluster []string
	labels                                              []map[string]string
}

func newTexts(s shape) *texts {
	t := &texts{
		config: []string{"", "east", "west", "east2"}, cluster: []string{"c-0", "c-1"},
		machine: []string{"", "uid-1", "uid-2", ""},
	}
	for i := range 32 {
		t.vmUID = append(t.vmUID, fmt.Sprintf("vm-uid-%d", i))
		t.vmName = append(t.vmName, fmt.Sprintf("vm-%d", i))
		t.nonce = append(t.nonce, fmt.Sprintf("nonce-%d", i))
		t.mac = append(t.mac, fmt.Sprintf("02:00:00:00:00:%02x", i))
	}
	t.vmUID[0], t.nonce[0] = "", ""
	t.labels = []map[string]string{nil}
	for m := number(1); m <= machines; m++ {
		t.labels = append(t.labels, map[string]string{
			vitistackv1alpha1.LabelMachineUID: t.machine[m], vitistackv1alpha1.LabelSupervisorUID: "sup",
			vitistackv1alpha1.LabelSourceMachine: t.vmName[s.nameOf(m)],
		})
	}
	t.labels = append(t.labels, map[string]string{
		vitistackv1alpha1.LabelMachineUID: "elsewhere", vitistackv1alpha1.LabelSupervisorUID: "sup-2",
	})
	return t
}

func (t *texts) ledger(s shape, m number, b book) vitistackv1alpha1.Ledger {
	return vitistackv1alpha1.Ledger{
		Config: t.config[b.config], ClusterUID: t.cluster[clusterOf(b.config)], Namespace: "team",
		VMName: t.vmName[s.nameOf(m)], Nonce: t.nonce[b.nonce], VMUID: t.vmUID[b.vm],
	}
}

func (t *texts) sighting(x number, v vm) custody.Sighting {
	sighting := custody.Sighting{Name: t.vmName[v.name], UID: types.UID(t.vmUID[x]), Labels: t.labels[v.label],
		Nonce: t.nonce[v.nonce]}
	if v.mac != 0 {
		sighting.MACs = t.mac[v.mac : v.mac+1]
	}
	return sighting
}

func (t *texts) subject(s shape, m number, from machine) custody.Subject {
	var macs []string
	if from.mac != 0 {
		macs = t.mac[from.mac : from.mac+1]
	}
	return custody.Subject{
		Namespace: "team", Name: t.vmName[s.nameOf(m)], Labels: t.labels[m], VMName: t.vmName[s.nameOf(m)], MACs: macs,
		StatusVMUID: t.vmUID[from.statusVM], Adopt: t.consent(from), Recreate: t.vmUID[from.recreate],
		References: [2]string{1: t.config[from.reference]}, Held: from.held,
	}
}

func (t *texts) consent(from machine) string {
	if from.adopt == 0 {
		return ""
	}
	return custody.Consent(t.config[from.adoptConfig], types.UID(t.vmUID[from.adopt]))
}

// look is what a live look into a config's cluster sees: the VirtualMachine of the name, and those
// with the Machine's label.
func (t *texts) look(s shape, from *state, m, config number) custody.Look {
	where := clusterOf(config)
	look := custody.Look{Config: t.config[config], ClusterUID: t.cluster[where]}
	if from.silent[where] {
		look.Silent = errSilent
		return look
	}
	for i, v := range from.vms {
		if v.there && v.where == where && (v.name == s.nameOf(m) || v.label == m) {
			look.Found = append(look.Found, t.sighting(number(i+1), v))
		}
	}
	return look
}

// claimants are the other Machines, where a consent asks for them.
func (t *texts) claimants(from *state, m number) []custody.Claimant {
	if from.machine(m).adopt == 0 {
		return nil
	}
	others := []custody.Claimant{}
	for other := number(1); other <= machines; other++ {
		if o := from.machine(other); other != m && o.exists {
			others = append(others, custody.Claimant{UIDLabel: t.machine[other], VMUID: t.vmUID[o.ledger.vm]})
		}
	}
	return others
}

// object is a Machine as the API has it, as far as its record goes.
func (t *texts) object(s shape, m number, from machine) *vitistackv1alpha1.Machine {
	object := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: t.vmName[s.nameOf(m)]}}
	if from.ledger.config != 0 {
		object.Annotations = map[string]string{vitistackv1alpha1.AnnotationPlacement: t.ledger(s, m, from.ledger).String()}
	}
	if from.statusConfig != 0 {
		object.Status.KubevirtConfigRef = &vitistackv1alpha1.KubevirtConfigReferenceStatus{
			Name: t.config[from.statusConfig], ClusterUID: t.cluster[clusterOf(from.statusConfig)],
		}
		object.Status.VMName = t.vmName[s.nameOf(m)]
	}
	object.Status.MachineID = t.vmUID[from.statusVM]
	return object
}
