package observer

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// tellTime is within what a Machine has to say why it is not as its spec asks.
const tellTime = 30 * time.Second

// untold finds Machines that have not been as their spec asks for a while, and say that they are, or
// do not say why (I15). Only time in which the operator could act and nothing changed counts.
func untold(s seen) []Violation {
	var found []Violation
	for _, m := range s.byUID() {
		now := m.last()
		problem := s.differs(m)
		if problem == "" || s.idle(m) < tellTime {
			continue
		}
		ready := now.condition(vitistackv1alpha1.ConditionReady)
		switch {
		case ready == nil:
			problem += "; it has no condition Ready"
		case ready.Status == "True" && now.Object.Status.ObservedGeneration == now.Object.Generation:
			problem += "; its condition Ready is True for this generation"
		case ready.Status != "True" && (ready.Reason == "" || ready.Message == ""):
			problem += fmt.Sprintf("; its condition Ready is %s without a reason or a message", ready.Status)
		default:
			continue
		}
		found = append(found, m.broken("I15", now, problem))
	}
	return found
}

// idle is for how long the operator could have acted since anything of a Machine changed.
func (s seen) idle(m machine) time.Duration {
	now := m.last()
	since, cluster := now.At, ""
	if now.Ledger != nil {
		cluster = s.clusterOf(now.Ledger.ClusterUID, now.Ledger.Config)
		for _, l := range s.lives {
			mine := l.machine() == m.UID || l.guest() == types.UID(now.Ledger.VMUID)
			if (l.Resource == virtualMachines || l.Resource == instances) && mine && l.Seen.After(since) {
				since = l.Seen
			}
		}
	}
	clusters := []string{cluster}
	if cluster == "" {
		clusters = s.remotes() // it may wait for an answer of any
	}
	idle := s.now.Sub(since)
	for _, name := range clusters {
		idle = min(idle, s.mayAct(name, since, s.now))
	}
	return idle
}
