package observer

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// unconverged finds the Machines that are not as their spec asks, moves that have not ended, and what
// is left of Machines that are gone.
func unconverged(s seen) []Violation {
	var found []Violation
	for _, m := range s.byUID() {
		problem := s.differs(m)
		if problem == "" || s.waitsForPerson(m) || s.isCutOff(m) {
			continue
		}
		found = append(found, Violation{Invariant: Convergence, Cluster: fleet.Supervisor, At: s.now,
			Object: objectName(machines, m.Namespace, m.Name), Message: problem, about: []types.UID{m.UID}})
	}
	for _, l := range s.of(fleet.Supervisor, moves) {
		phase, _, _ := unstructured.NestedString(l.Object.Object, "status", "phase")
		if l.Until.IsZero() && phase != "Succeeded" && phase != "Failed" && s.calm(s.now, s.now, s.remotes()...) {
			found = append(found, Violation{Invariant: Convergence, Cluster: fleet.Supervisor, At: s.now,
				Object: l.object(), Message: fmt.Sprintf("the move has not ended: it is %q", phase), about: []types.UID{l.UID}})
		}
	}
	return append(found, leaks(s)...)
}

// isCutOff reports whether the cluster of a Machine's record is in trouble now.
func (s seen) isCutOff(m machine) bool {
	now := m.last()
	if now.Ledger == nil {
		return !s.calm(s.now, s.now, s.remotes()...) // it may wait for an answer of any
	}
	cluster := s.clusterOf(now.Ledger.ClusterUID, now.Ledger.Config)
	return cluster != "" && !s.calm(s.now, s.now, cluster)
}
