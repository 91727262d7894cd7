package upgrade

import (
	"context"
	"errors"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// namespace has all Machines.
const namespace = "upgrade"

// newCrowd creates a number of Machines of several kinds, in turn for each cluster, and returns
// their names.
func newCrowd(t *testing.T, count int) []string {
	t.Helper()
	object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if err := world.supervisor.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range count {
		m := machine(fmt.Sprintf("m%02d", i), i)
		switch i % 5 {
		case 1:
			m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{UserData: "#cloud-config\nhostname: " + m.Name}
		case 2:
			m.Spec.Disks = []vitistackv1alpha1.MachineSpecDisk{{Name: "root", SizeGB: 10, Boot: true}, {Name: "data", SizeGB: 20}}
		case 3:
			m.Spec.RunStrategy = vitistackv1alpha1.RunStrategyAlways
		}
		create(t, m)
		names = append(names, m.Name)
	}
	return names
}

// machine is a small one for one of the clusters.
func machine(name string, place int) *vitistackv1alpha1.Machine {
	config := world.fleet.Remotes[place%len(world.fleet.Remotes)].Name
	return &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name,
			Annotations: map[string]string{vitistackv1alpha1.AnnotationKubevirtConfig: config},
		},
		Spec: vitistackv1alpha1.MachineSpec{Provider: "kubevirt", InstanceType: "small"},
	}
}

func create(t *testing.T, m *vitistackv1alpha1.Machine) {
	t.Helper()
	if err := world.supervisor.Create(t.Context(), m); err != nil {
		t.Error(err)
	}
}

// enlarge gives a Machine more memory.
func enlarge(t *testing.T, name string) {
	t.Helper()
	m := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"spec":{"memory":%d}}`, enlarged))
	if err := world.supervisor.Patch(t.Context(), m, patch); err != nil {
		t.Error(err)
	}
}

// enlarged is the memory of Machines that were changed, in bytes.
const enlarged = 1536 << 20

func remove(t *testing.T, name string) {
	t.Helper()
	m := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	if err := world.supervisor.Delete(t.Context(), m); err != nil {
		t.Error(err)
	}
}

// untilTrue waits until each Machine's status is about its present generation and says that it
// runs. There must be no others.
func untilTrue(t *testing.T, names []string) {
	t.Helper()
	eventually.Eventually(t, patience, "all Machines run, and their status says so", func(ctx context.Context) error {
		list := &vitistackv1alpha1.MachineList{}
		if err := world.supervisor.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return err
		}
		for i := range list.Items {
			if err := isTrue(&list.Items[i]); err != nil {
				return fmt.Errorf("%s: %w", list.Items[i].Name, err)
			}
		}
		if len(list.Items) != len(names) {
			return fmt.Errorf("there are %d Machines, want %d", len(list.Items), len(names))
		}
		return nil
	})
}

// isTrue returns nil where the Machine runs, and each condition is True about its present
// generation.
func isTrue(m *vitistackv1alpha1.Machine) error {
	if m.DeletionTimestamp != nil || m.Status.Phase != vitistackv1alpha1.MachinePhaseRunning {
		return fmt.Errorf("the phase is %q", m.Status.Phase)
	}
	conditions := m.Status.GetConditions()
	if len(conditions) < 5 {
		return fmt.Errorf("%d conditions", len(conditions))
	}
	for _, c := range conditions {
		if c.ObservedGeneration != m.Generation {
			return fmt.Errorf("%s is about generation %d, not %d", c.Type, c.ObservedGeneration, m.Generation)
		}
		if c.Status != metav1.ConditionTrue {
			return fmt.Errorf("%s is %s/%s: %s", c.Type, c.Status, c.Reason, c.Message)
		}
	}
	return nil
}

// guest is what must stay the same of a virtual machine when the operator is replaced.
type guest struct {
	Cluster    string
	VM, VMI    types.UID
	Generation int64
	Labels     map[string]string // of the VirtualMachine, its template and its instance
}

// guests are those of all clusters, by the name of their Machine. It fails the test where a Machine
// has two.
func guests(t *testing.T) map[string]guest {
	t.Helper()
	all := map[string]guest{}
	for cluster, c := range world.remote {
		vms := &kubevirtv1.VirtualMachineList{}
		if err := c.List(t.Context(), vms, client.InNamespace(namespace)); err != nil {
			t.Fatal(err)
		}
		for i := range vms.Items {
			vm := &vms.Items[i]
			name := vm.Labels[vitistackv1alpha1.LabelSourceMachine]
			if other, twice := all[name]; twice {
				t.Errorf("%s has two virtual machines: %+v, and %s in %s", name, other, vm.Name, cluster)
			}
			all[name] = guestOf(t, c, cluster, vm)
		}
	}
	return all
}

func guestOf(t *testing.T, c client.Client, cluster string, vm *kubevirtv1.VirtualMachine) guest {
	t.Helper()
	vmi := &kubevirtv1.VirtualMachineInstance{}
	err := c.Get(t.Context(), client.ObjectKeyFromObject(vm), vmi)
	if err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	labels := map[string]string{}
	for prefix, some := range map[string]map[string]string{
		"vm ": vm.Labels, "template ": vm.Spec.Template.ObjectMeta.Labels, "vmi ": vmi.Labels,
	} {
		for key, value := range some {
			labels[prefix+key] = value
		}
	}
	return guest{Cluster: cluster, VM: vm.UID, VMI: vmi.UID, Generation: vm.Generation, Labels: labels}
}

// of returns some of all guests.
func of(t *testing.T, all map[string]guest, names []string) map[string]guest {
	t.Helper()
	some := map[string]guest{}
	for _, name := range names {
		if g, found := all[name]; found && g.VMI != "" {
			some[name] = g
		}
	}
	if len(some) != len(names) {
		t.Errorf("%d of %d Machines have a guest that runs", len(some), len(names))
	}
	return some
}

// hasMemory returns nil where the VirtualMachine of a Machine has what enlarge gave it.
func hasMemory(ctx context.Context, g guest, name string) error {
	vms := &kubevirtv1.VirtualMachineList{}
	if err := world.remote[g.Cluster].List(ctx, vms, client.InNamespace(namespace),
		client.MatchingLabels{vitistackv1alpha1.LabelSourceMachine: name}); err != nil {
		return err
	}
	if len(vms.Items) != 1 {
		return fmt.Errorf("%d virtual machines", len(vms.Items))
	}
	memory := vms.Items[0].Spec.Template.Spec.Domain.Memory
	if memory == nil || memory.Guest == nil {
		return errors.New("no memory is asked for")
	}
	if memory.Guest.Value() != enlarged {
		return fmt.Errorf("the memory is %s", memory.Guest)
	}
	return nil
}
