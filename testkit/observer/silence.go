package observer

import (
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// silenced finds Machines that became Failed, or were let go, while their cluster gave no answer (I4).
// A Machine whose wish changed in that time may be refused for what it asks.
func silenced(s seen) []Violation {
	var found []Violation
	for _, m := range s.byUID() {
		for i := 1; i < len(m.States); i++ {
			before, after := m.States[i-1], m.States[i]
			cluster, silent := s.silentPlace(before, after)
			if !silent || after.Listed || before.Wish != after.Wish {
				continue
			}
			const failed = vitistackv1alpha1.MachinePhaseFailed
			if before.Object.Status.Phase != failed && after.Object.Status.Phase == failed {
				found = append(found, m.broken("I4", after, fmt.Sprintf("it became Failed while %s is silent", cluster)))
			}
		}
		if v, broken := s.letGo(m); broken {
			found = append(found, v)
		}
	}
	return found
}

// silentPlace is the cluster of a Machine that has a VirtualMachine, and whether it had been silent
// when another state followed.
func (s seen) silentPlace(before, after state) (cluster string, silent bool) {
	if before.Ledger == nil || before.Ledger.VMUID == "" {
		return "", false
	}
	cluster = s.clusterOf(before.Ledger.ClusterUID, before.Ledger.Config)
	return cluster, cluster != "" && s.silent(cluster, after.At.Add(-2*s.options.Skew), after.At)
}

// letGo finds a Machine that is gone while its VirtualMachine is there, in a cluster that is silent,
// and that no person released.
func (s seen) letGo(m machine) (Violation, bool) {
	if m.Gone.IsZero() || m.Undone {
		return Violation{}, false
	}
	end := m.last()
	cluster, silent := s.silentPlace(end, state{At: m.Gone})
	if !silent {
		return Violation{}, false
	}
	if end.Object.Annotations[vitistackv1alpha1.AnnotationForceRelease] != "" || end.isKept() {
		return Violation{}, false
	}
	if _, there := s.there(cluster, virtualMachines, types.UID(end.Ledger.VMUID)); !there {
		return Violation{}, false
	}
	return m.broken("I4", state{At: m.Gone}, fmt.Sprintf("it was let go while %s is silent and has its VirtualMachine",
		cluster)), true
}

// broken is a violation that a Machine shows in one state.
func (m machine) broken(invariant string, at state, message string) Violation {
	return Violation{Invariant: invariant, Cluster: fleet.Supervisor, At: at.At, Message: message,
		Object: objectName(machines, m.Namespace, m.Name), about: []types.UID{m.UID}}
}
