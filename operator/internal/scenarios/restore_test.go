package scenarios

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/operator/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// TestRestoredSupervisor: the supervisor's etcd is put back while the clusters live on. Its revisions go back and are given out again, as a
// careless restore does. Nothing gets a second virtual machine, and none is deleted.
func TestRestoredSupervisor(t *testing.T) {
	t.Run("Running", func(t *testing.T) { restoredSupervisor(t, namespace(t, "restored-running"), true) })
	t.Run("Stopped", func(t *testing.T) { restoredSupervisor(t, namespace(t, "restored-stopped"), false) })
}

func restoredSupervisor(t *testing.T, ns string, running bool) {
	operator := startOperator(t)
	count := newCensus(t, ns)
	stays, deleted, changed := machine(ns, "stays", "cluster-east"), machine(ns, "deleted", "cluster-west"), machine(ns, "changed", "cluster-north")
	for _, m := range []*vitistackv1alpha1.Machine{stays, deleted, changed} {
		create(t, m)
		eventually(t, patience, func() string { return notRunning(t, m, m.Annotations[vitistackv1alpha1.AnnotationKubevirtConfig]) })
	}
	backup := filepath.Join(t.TempDir(), "backup")
	if err := world.fleet.Supervisor.Snapshot(t.Context(), backup); err != nil {
		t.Fatal(err)
	}

	late := machine(ns, "late", "cluster-east")
	create(t, late)
	eventually(t, patience, func() string { return notRunning(t, late, "cluster-east") })
	before := uidOf(t, virtualMachine(t, ns, "cluster-east", "vm-late"))
	edit(t, changed, func(m *vitistackv1alpha1.Machine) { m.Spec.InstanceType = "medium" })
	eventually(t, patience, func() string { return hasNotCores(t, ns, 2) })
	goneUID := uidOf(t, virtualMachine(t, ns, "cluster-west", "vm-deleted"))
	remove(t, deleted)
	eventually(t, patience, func() string { return notGone(t, deleted) })

	if !running {
		operator.stop(t, syscall.SIGKILL)
	}
	if err := world.fleet.Supervisor.Restore(t.Context(), backup, controlplane.RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	if running {
		operator.mustEnd(t, "older than what was seen of it")
	}
	operator.start(t)

	eventually(t, patience, func() string {
		return notReady(t, deleted, vitistackv1alpha1.ReasonVanished) + notRunning(t, stays, "cluster-east") + hasNotCores(t, ns, 1)
	})
	if vms := virtualMachines(t, ns)["cluster-west"]; len(vms) > 0 {
		t.Errorf("a blank virtual machine was made: %v", vms[0].ObjectMeta)
	}
	if out, err := command(t, "orphans"); err != nil || !strings.Contains(out, string(before)) {
		t.Errorf("the virtual machine of a Machine that the backup does not have is to be listed as an orphan: %v\n%s", err, out)
	}
	again := machine(ns, "late", "cluster-east")
	create(t, again)
	eventually(t, patience, func() string { return notReady(t, again, vitistackv1alpha1.ReasonNameCollision) })

	annotate(t, deleted, vitistackv1alpha1.AnnotationRecreate, string(goneUID))
	eventually(t, patience, func() string { return notRunning(t, deleted, "cluster-west") })
	count.check(t, "deleted")
	if got := len(count.alive()); got != 4 {
		t.Errorf("%d virtual machines live: %v", got, count.alive())
	}
	if now := virtualMachine(t, ns, "cluster-east", "vm-late"); now.Labels[vitistackv1alpha1.LabelMachineUID] != string(late.UID) || now.UID != before {
		t.Errorf("the orphan was touched: %v", now.ObjectMeta)
	}
}

// mustEnd waits for the operator to end by itself, for a reason that it logs.
func (p *program) mustEnd(t *testing.T, why string) {
	t.Helper()
	ended := make(chan error, 1)
	go func(cmd *exec.Cmd) { ended <- cmd.Wait() }(p.cmd)
	select {
	case err := <-ended:
		p.cmd = nil
		if log := p.read(t); err == nil || !strings.Contains(log, why) {
			t.Errorf("the operator ended with %v, and not because %q", err, why)
		}
	case <-time.After(2 * patience):
		t.Fatalf("the operator goes on")
	}
}

func virtualMachine(t *testing.T, ns, cluster, name string) *kubevirtv1.VirtualMachine {
	t.Helper()
	vm := &kubevirtv1.VirtualMachine{}
	if err := world.remote[cluster].Get(t.Context(), client.ObjectKey{Namespace: ns, Name: name}, vm); err != nil {
		t.Fatal(err)
	}
	return vm
}

func uidOf(t *testing.T, object client.Object) types.UID {
	t.Helper()
	if object.GetUID() == "" {
		t.Fatalf("%s has no UID", object.GetName())
	}
	return object.GetUID()
}

// edit changes a Machine, as a person does.
func edit(t *testing.T, of *vitistackv1alpha1.Machine, change func(*vitistackv1alpha1.Machine)) {
	t.Helper()
	m := read(t, of)
	before := m.DeepCopy()
	change(m)
	if err := supervisor().Patch(t.Context(), m, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

func hasNotCores(t *testing.T, ns string, cores uint32) string {
	t.Helper()
	vm := virtualMachine(t, ns, "cluster-north", "vm-changed")
	if got := vm.Spec.Template.Spec.Domain.CPU; got == nil || got.Cores != cores {
		return fmt.Sprintf("%s has the processor %+v, not %d cores", vm.Name, got, cores)
	}
	return ""
}

// notReady says how a Machine is otherwise than held for a reason.
func notReady(t *testing.T, of *vitistackv1alpha1.Machine, reason string) string {
	t.Helper()
	m := read(t, of)
	if m == nil {
		return of.Name + " is gone"
	}
	if ready := m.Status.Condition(vitistackv1alpha1.ConditionReady); ready == nil || ready.Reason != reason {
		return fmt.Sprintf("%s is not held for %s: %+v", of.Name, reason, ready)
	}
	return ""
}
