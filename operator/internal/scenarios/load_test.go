package scenarios

import (
	"fmt"
	"sync"
	"testing"
	"time"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

const many = 120

// TestEachInItsOwnCluster: with a client that each reconcile set for all others, half of the
// virtual machines went to the wrong cluster (D2).
func TestEachInItsOwnCluster(t *testing.T) {
	ns := namespace(t, "many")
	operator := startOperator(t)
	began := time.Now()
	at := func(what string) { t.Logf("%6.1fs %s", time.Since(began).Seconds(), what) }
	machines := createMany(t, ns)
	at("created")
	// Killed in the midst of it, three times: what was begun goes on, and nothing is begun twice.
	for _, share := range []int{10, 40, 80} {
		eventually(t, 3*patience, func() string {
			if made := countVMs(t, ns); made < share {
				return fmt.Sprintf("%d virtual machines of %d", made, share)
			}
			return ""
		})
		operator.restart(t)
		at(fmt.Sprintf("killed and started again at %d", share))
	}
	eventually(t, 5*patience, func() string {
		for _, m := range machines {
			if why := notRunning(t, m, m.Annotations[vitistackv1alpha1.AnnotationKubevirtConfig]); why != "" {
				return why
			}
		}
		return ""
	})
	at("all run")
	for cluster, vms := range virtualMachines(t, ns) {
		seen := map[string]bool{}
		for _, vm := range vms {
			uid := vm.Labels[vitistackv1alpha1.LabelMachineUID]
			if seen[uid] {
				t.Errorf("%s has two virtual machines of the Machine %s", cluster, uid)
			}
			seen[uid] = true
			m := read(t, machine(ns, vm.Labels[vitistackv1alpha1.LabelSourceMachine], ""))
			if wanted := m.Annotations[vitistackv1alpha1.AnnotationKubevirtConfig]; wanted != cluster {
				t.Errorf("%s is in %s, and belongs in %s", vm.Name, cluster, wanted)
			}
		}
	}
	if got := countVMs(t, ns); got != many {
		t.Errorf("there are %d virtual machines of %d Machines", got, many)
	}
	deleteMany(t, machines)
	at("all gone")
}

// createMany creates Machines in turn for each cluster, as fast as a person's tools would.
func createMany(t *testing.T, ns string) []*vitistackv1alpha1.Machine {
	t.Helper()
	machines := make([]*vitistackv1alpha1.Machine, many)
	for i := range machines {
		config := world.fleet.Remotes[i%len(world.fleet.Remotes)].Name
		machines[i] = machine(ns, fmt.Sprintf("m%03d", i), config)
	}
	var creating sync.WaitGroup
	for worker := range 8 {
		creating.Go(func() {
			for i := worker; i < many; i += 8 {
				if err := supervisor().Create(t.Context(), machines[i]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	creating.Wait()
	return machines
}

// deleteMany deletes all at once and waits until nothing of them is left anywhere.
func deleteMany(t *testing.T, machines []*vitistackv1alpha1.Machine) {
	t.Helper()
	for _, m := range machines {
		if err := supervisor().Delete(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, 5*patience, func() string {
		left := &vitistackv1alpha1.MachineList{}
		if err := supervisor().List(t.Context(), left); err != nil {
			t.Fatal(err)
		}
		count := 0
		for _, m := range left.Items {
			if m.Namespace == machines[0].Namespace {
				count++
			}
		}
		if count > 0 {
			return fmt.Sprintf("%d Machines are left", count)
		}
		return ""
	})
	if left := countVMs(t, machines[0].Namespace); left > 0 {
		t.Errorf("%d virtual machines are left", left)
	}
}

func countVMs(t *testing.T, ns string) int {
	t.Helper()
	count := 0
	for _, vms := range virtualMachines(t, ns) {
		count += len(vms)
	}
	return count
}
