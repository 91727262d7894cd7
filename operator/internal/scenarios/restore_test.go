package scenarios

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// TestRestoredSupervisor: the supervisor's etcd is put back while the clusters live on. Its
// revisions go back and are given out again, as a careless restore does. Nothing gets a second
// virtual machine, and none is deleted.
func TestRestoredSupervisor(t *testing.T) {
	t.Run("Running", func(t *testing.T) { restoredSupervisor(t, namespace(t, "restored-running"), true) })
	t.Run("Stopped", func(t *testing.T) { restoredSupervisor(t, namespace(t, "restored-stopped"), false) })
}

func restoredSupervisor(t *testing.T, ns string, running bool) {
	operator := startOperator(t)
	count := newCensus(t, ns)
	stays, deleted, changed := machine(ns, "stays", "cluster-east"), machine(ns, "deleted", "cluster-west"),
		machine(ns, "changed", "cluster-north")
	for _, m := range []*vitistackv1alpha1.Machine{stays, deleted, changed} {
		create(t, m)
		eventually(t, patience, func() string {
			return notRunning(t, m, m.Annotations[vitistackv1alpha1.AnnotationKubevirtConfig])
		})
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
		return notReady(t, deleted, vitistackv1alpha1.ReasonVanished) + notRunning(t, stays, "cluster-east") +
			hasNotCores(t, ns, 1)
	})
	if vms := virtualMachines(t, ns)["cluster-west"]; len(vms) > 0 {
		t.Errorf("a blank virtual machine was made: %v", vms[0].ObjectMeta)
	}
	eventually(t, patience, func() string { // a busy cluster may be slow to answer a command
		if out, err := command(t, "orphans"); err != nil || !strings.Contains(out, string(before)) {
			return fmt.Sprintf(
				"the virtual machine of a Machine that the backup does not have is to be listed as an orphan: %v\n%s", err, out)
		}
		return ""
	})
	again := machine(ns, "late", "cluster-east")
	create(t, again)
	eventually(t, patience, func() string { return notReady(t, again, vitistackv1alpha1.ReasonNameCollision) })

	annotate(t, deleted, vitistackv1alpha1.AnnotationRecreate, string(goneUID))
	eventually(t, patience, func() string { return notRunning(t, deleted, "cluster-west") })
	count.check(t, "deleted")
	if got := len(count.alive()); got != 4 {
		t.Errorf("%d virtual machines live: %v", got, count.alive())
	}
	if now := virtualMachine(t, ns, "cluster-east",
		"vm-late"); now.Labels[vitistackv1alpha1.LabelMachineUID] != string(late.UID) || now.UID != before {
		t.Errorf("the orphan was touched: %v", now.ObjectMeta)
	}
}

// TestRestoredObjects: the supervisor's objects are put back one by one, as Velero does it: under
// new UIDs, without status, with finalizers, some without the operator's annotations. Nobody gets a
// second virtual machine; with the commands that deploy/docs/restore.md gives each Machine has its
// own again, which runs on as it was.
func TestRestoredObjects(t *testing.T) {
	ns := namespace(t, "restored-objects")
	operator := startOperator(t)
	count := newCensus(t, ns)
	var machines []*vitistackv1alpha1.Machine
	for i := range 6 {
		m := machine(ns, fmt.Sprintf("m%d", i), world.fleet.Remotes[i%3].Name)
		m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{UserData: "#cloud-config\n" + strings.Repeat("# long\n", 400)}
		create(t, m)
		machines = append(machines, m)
	}
	for _, m := range machines {
		eventually(t, patience, func() string {
			return notRunning(t, m, m.Annotations[vitistackv1alpha1.AnnotationKubevirtConfig])
		})
	}
	before, lives := virtualMachines(t, ns), instances(t, ns)

	operator.stop(t, syscall.SIGKILL)
	for i, m := range machines {
		machines[i] = restoreObject(t, m)
	}
	operator.start(t)
	for i, m := range machines {
		switch i % 3 {
		case 1:
			delete(m.Annotations, vitistackv1alpha1.AnnotationPlacement)
		case 2:
			m.Annotations = nil
		}
		create(t, m)
	}
	for _, m := range machines {
		eventually(t, patience, func() string { return notReady(t, m, vitistackv1alpha1.ReasonNameCollision) })
	}
	consentToAll(t, ns, len(machines))
	for i, m := range machines {
		eventually(t, patience, func() string { return notRunning(t, m, world.fleet.Remotes[i%3].Name) })
	}
	count.check(t)
	if diff := cmp.Diff(lives, instances(t, ns)); diff != "" {
		t.Errorf("running instances (-want +got):\n%s", diff)
	}
	after := virtualMachines(t, ns)
	for config, vms := range before {
		for i, vm := range vms {
			now := after[config][i]
			now.Spec.Template.ObjectMeta.Labels = vm.Spec.Template.ObjectMeta.Labels
			if diff := cmp.Diff(vm.Spec, now.Spec); diff != "" || now.UID != vm.UID {
				t.Errorf("%s of %s (-want +got):\n%s", vm.Name, config, diff)
			}
		}
	}
	remove(t, machines[0])
	remove(t, machines[2])
	eventually(t, 2*patience, func() string { return notGone(t, machines[0]) + notGone(t, machines[2]) })
	count.check(t, "m0", "m2")
}

// restoreObject deletes a Machine as if its supervisor were lost, and returns what a backup of it
// is put back as. Its NetworkConfiguration stays, and is still the lost one's.
func restoreObject(t *testing.T, of *vitistackv1alpha1.Machine) *vitistackv1alpha1.Machine {
	t.Helper()
	m := read(t, of)
	edit(t, of, func(m *vitistackv1alpha1.Machine) { m.Finalizers = nil })
	remove(t, of)
	meta := metav1.ObjectMeta{Namespace: m.Namespace, Name: m.Name, Labels: m.Labels, Annotations: m.Annotations,
		Finalizers: m.Finalizers}
	return &vitistackv1alpha1.Machine{ObjectMeta: meta, Spec: m.Spec}
}

// consentToAll does what deploy/docs/restore.md says, and fails unless that gives a number of
// commands for a namespace.
func consentToAll(t *testing.T, ns string, want int) {
	t.Helper()
	readme, err := os.ReadFile("../../../deploy/docs/restore.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "```bash step=adopt\nkubectl get machines -A")
	text, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("deploy/docs/restore.md has no such command")
	}
	shell := func(script string) string {
		path, err := filepath.Abs("../../../bin")
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
		cmd.Env = append(os.Environ(), "PATH="+path+":"+os.Getenv("PATH"), "KUBECONFIG="+world.fleet.Supervisor.Kubeconfig())
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	commands := shell("kubectl get machines -A" + strings.TrimRight(text, "\n") + " | grep -e '-n " + ns + " '")
	if got := strings.Count(commands, "\n"); got != want {
		t.Fatalf("%d commands for %d Machines:\n%s", got, want, commands)
	}
	shell(commands)
}

// instances are the UIDs of the running instances of a namespace, by cluster/name.
func instances(t *testing.T, ns string) map[string]types.UID {
	t.Helper()
	all := map[string]types.UID{}
	for config, remote := range world.remote {
		list := &kubevirtv1.VirtualMachineInstanceList{}
		if err := remote.List(t.Context(), list, client.InNamespace(ns)); err != nil {
			t.Fatal(err)
		}
		for _, vmi := range list.Items {
			all[config+"/"+vmi.Name] = vmi.UID
		}
	}
	return all
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
