package observer

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// runs tells of the instance of vm-web, in a phase.
func (n *tale) runs(phase string, seconds float64) {
	n.put(east, instances, "shop", "vm-web", "instance", seconds, map[string]any{
		"metadata": map[string]any{
			"labels":          map[string]any{vitistackv1alpha1.LabelMachineUID: web},
			"ownerReferences": []any{map[string]any{"kind": "VirtualMachine", "uid": webVM, "name": "vm-web", "apiVersion": "kubevirt.io/v1"}},
		},
		"status": map[string]any{"phase": phase},
	})
}

// well gives a Machine a place and says that all is well.
func well(m *vitistackv1alpha1.Machine) {
	all(placedIn(east, webVM), says("True", "Ready", ""))(m)
}

func TestUnconverged(t *testing.T) {
	broken := []string{"convergence machines shop/web"}
	good := func(n *tale) { n.vm(east, webVM, "Always", 1); n.runs("Running", 2) }
	asks := func(change func(m *vitistackv1alpha1.Machine)) func(n *tale) {
		return func(n *tale) { good(n); n.machine(3, all(well, change)) }
	}
	judge(t, unconverged, map[string]situation{
		"as it asks": {reason: "it has one guest, which runs, and says so", tell: asks(func(*vitistackv1alpha1.Machine) {})},
		"no place":   {reason: "nobody has chosen a cluster", tell: func(n *tale) { n.machine(1, nil) }, want: broken},
		"no VirtualMachine": {
			reason: "its record names one that is not there, and it says that all is well",
			tell:   func(n *tale) { n.machine(1, well) }, want: broken,
		},
		"it vanished and says so": {
			reason: "a person must consent to a new one",
			tell: func(n *tale) {
				n.machine(1, all(placedIn(east, webVM), says("False", vitistackv1alpha1.ReasonVanished, "it is gone")))
			},
		},
		"it says that it vanished": {
			reason: "it is there",
			tell: func(n *tale) {
				good(n)
				n.machine(3, all(placedIn(east, webVM), says("False", vitistackv1alpha1.ReasonVanished, "it is gone")))
			},
			want: broken,
		},
		"a second one": {
			reason: "it is stopped, and is one too many",
			tell:   func(n *tale) { good(n); n.machine(3, well); n.vm(west, "second", "Halted", 4) }, want: broken,
		},
		"another run strategy": {
			reason: "it asks to be stopped, and may run",
			tell:   asks(func(m *vitistackv1alpha1.Machine) { m.Spec.RunStrategy = "Halted" }), want: broken,
		},
		"no instance": {
			reason: "it is to run, and nothing runs",
			tell:   func(n *tale) { n.vm(east, webVM, "Always", 1); n.machine(3, well) }, want: broken,
		},
		"an instance that waits": {
			reason: "it is to run, and is being scheduled",
			tell:   func(n *tale) { n.vm(east, webVM, "Always", 1); n.runs("Scheduling", 2); n.machine(3, well) }, want: broken,
		},
		"another size": {
			reason: "it asks for four cores, and has two",
			tell:   asks(func(m *vitistackv1alpha1.Machine) { m.Spec.CPU.Cores = 4 }), want: broken,
		},
		"its size": {
			reason: "it asks for two cores, and has them",
			tell:   asks(func(m *vitistackv1alpha1.Machine) { m.Spec.CPU.Cores = 2 }),
		},
		"another generation": {
			reason: "its status is of an earlier one",
			tell:   asks(func(m *vitistackv1alpha1.Machine) { m.Generation = 2 }), want: broken,
		},
		"not ready": {
			reason: "all is as it asks, and it does not say so",
			tell: asks(func(m *vitistackv1alpha1.Machine) {
				says("False", vitistackv1alpha1.ReasonRetrying, "it is tried again")(m)
			}),
			want: broken,
		},
		"another cluster was asked for later": {
			reason: "it stays, and says so",
			tell: asks(func(m *vitistackv1alpha1.Machine) {
				m.Spec.KubevirtConfigRef = &vitistackv1alpha1.KubevirtConfigReference{Name: west}
				says("False", vitistackv1alpha1.ReasonReferenceChanged, "it stays")(m)
			}),
		},
		"it says that another cluster was asked for": {
			reason: "it was not",
			tell: asks(func(m *vitistackv1alpha1.Machine) {
				says("False", vitistackv1alpha1.ReasonReferenceChanged, "it stays")(m)
			}),
			want: broken,
		},
		"being moved": {
			reason: "the move has not ended",
			tell:   func(n *tale) { good(n); n.machine(3, movedTo(vitistackv1alpha1.MoveBegun)) }, want: broken,
		},
		"deleted": {
			reason: "it is still there",
			tell: asks(func(m *vitistackv1alpha1.Machine) {
				now := metav1.NewTime(at(3))
				m.DeletionTimestamp, m.Finalizers = &now, []string{vitistackv1alpha1.FinalizerMachine}
			}),
			want: broken,
		},
		"paused": {
			reason: "the operator leaves it alone",
			tell: func(n *tale) {
				n.machine(1, func(m *vitistackv1alpha1.Machine) {
					m.Annotations = map[string]string{vitistackv1alpha1.AnnotationPaused: "true"}
				})
			},
		},
		"another provider's": {
			reason: "it is for another operator",
			tell:   func(n *tale) { n.machine(1, func(m *vitistackv1alpha1.Machine) { m.Spec.Provider = "proxmox" }) },
		},
		"cut off": {
			reason: "its cluster gives no answer",
			tell: func(n *tale) {
				n.machine(1, all(placedIn(east, webVM), says("Unknown", "Unreachable", "no answer")))
				n.inTrouble(east, true, 10, 1000)
			},
		},
		"a move without an end": {
			reason: "nothing hinders it",
			tell: func(n *tale) {
				n.put(fleet.Supervisor, moves, "shop", "web-to-west", "move", 1, map[string]any{"status": map[string]any{"phase": "Copying"}})
				n.put(fleet.Supervisor, moves, "shop", "done", "move-2", 1, map[string]any{"status": map[string]any{"phase": "Failed"}})
			},
			want: []string{"convergence machinemoves shop/web-to-west"},
		},
	})
}

func TestLeaks(t *testing.T) {
	secret := func(n *tale, cluster string, seconds float64) {
		n.put(cluster, secrets, "shop", "web-cloud-init", "secret-"+cluster, seconds, map[string]any{
			"metadata": map[string]any{"labels": map[string]any{vitistackv1alpha1.LabelMachineUID: web}}})
	}
	gone := func(n *tale, change func(m *vitistackv1alpha1.Machine)) {
		n.machine(1, change)
		n.machineGone(50, change)
	}
	with := func(name, value string) func(m *vitistackv1alpha1.Machine) {
		return func(m *vitistackv1alpha1.Machine) { m.Annotations = map[string]string{name: value} }
	}
	leaked := []string{"leak secrets shop/web-cloud-init"}
	judge(t, leaks, map[string]situation{
		"a Secret of a Machine":              {reason: "it is needed", tell: func(n *tale) { n.machine(1, nil); secret(n, east, 2) }},
		"a Secret of a Machine that is gone": {reason: "nobody needs it", tell: func(n *tale) { gone(n, nil); secret(n, east, 2) }, want: leaked},
		"a Secret that went too": {
			reason: "nothing is left",
			tell: func(n *tale) {
				gone(n, nil)
				secret(n, east, 2)
				n.put(east, secrets, "shop", "web-cloud-init", "secret-"+east, 40, nil, true)
			},
		},
		"owed": {
			reason: "the cluster gives no answer",
			tell:   func(n *tale) { gone(n, nil); secret(n, east, 2); n.inTrouble(east, true, 10, 1000) },
		},
		"a person's": {
			reason: "a copy carries the labels",
			tell:   func(n *tale) { gone(n, nil); secret(n, east, 2); n.history.persons["secret-"+east] = true },
		},
		"abandoned": {
			reason: "a person let the Machine go without it",
			tell:   func(n *tale) { gone(n, with(vitistackv1alpha1.AnnotationForceRelease, east)); secret(n, east, 2) },
		},
		"to be deleted later": {
			reason: "a debt is paid once the cluster answers",
			tell: func(n *tale) {
				gone(n, with(vitistackv1alpha1.AnnotationForceRelease, east+vitistackv1alpha1.ForceReleaseDeleteLater))
				secret(n, east, 2)
			},
			want: leaked,
		},
		"kept": {
			reason: "a person changed it when its deletion was held: GitOps applied it again",
			tell:   func(n *tale) { gone(n, heldAt(1, 2)); secret(n, east, 2) },
		},
		"held, and confirmed": {
			reason: "nobody asked for it to stay",
			tell:   func(n *tale) { gone(n, heldAt(2, 2)); secret(n, east, 2) }, want: leaked,
		},
		"an address": {
			reason: "a NetworkConfiguration of a Machine that is gone keeps its address",
			tell: func(n *tale) {
				gone(n, nil)
				n.put(fleet.Supervisor, networkConfigs, "shop", "web", "addresses", 2, map[string]any{
					"metadata": map[string]any{"labels": map[string]any{vitistackv1alpha1.LabelMachineUID: web}}})
			},
			want: []string{"leak networkconfigurations shop/web"},
		},
		"brought back by a backup": {
			reason: "it had gone, and whoever restored the cluster decides",
			tell: func(n *tale) {
				gone(n, nil)
				n.vm(east, webVM, "Always", 2)
				n.vmGone(east, webVM, 40)
				n.history.lost(east, virtualMachines, at(60))
				n.relist(east, webVM, 70)
			},
		},
		"the supervisor has forgotten the Machine": {
			reason: "it was not deleted: what it had is an orphan, and stays",
			tell: func(n *tale) {
				n.machine(1, nil)
				secret(n, east, 2)
				n.history.listed(fleet.Supervisor, machines, nil, "1", at(50))
			},
		},
	})
}

// heldAt is a Machine whose deletion was held at one generation of its spec, and that has another one.
func heldAt(held, now int64) func(m *vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) {
		m.Generation = now
		m.Status.SetCondition(metav1.Condition{Type: vitistackv1alpha1.ConditionDeletionHeld, Status: metav1.ConditionTrue,
			Reason: vitistackv1alpha1.ReasonDeletionHeld, ObservedGeneration: held})
	}
}
