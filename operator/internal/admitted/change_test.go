package admitted

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
)

// life is a Machine on the real server.
type life struct {
	t          *testing.T
	key        client.ObjectKey
	reconciler *machine.MachineReconciler
	applies    *int
}

// counting counts changes of VirtualMachines.
type counting struct {
	client.Client
	applies *int
}

// Apply implements client.Client.
func (c counting) Apply(ctx context.Context, object runtime.ApplyConfiguration, options ...client.ApplyOption) error {
	*c.applies++
	return c.Client.Apply(ctx, object, options...)
}

// begin creates a Machine and waits until it runs.
func begin(t *testing.T, name string, change func(*vitistackv1alpha1.Machine)) *life {
	t.Helper()
	manager := clientmgr.NewMockClientManager()
	manager.SupervisorClient = server
	applies := new(int)
	manager.AddMockedClient(east, counting{server, applies})
	l := &life{
		t: t, applies: applies, key: client.ObjectKey{Namespace: namespace, Name: name},
		reconciler: machine.NewMachineReconciler(server, server.Scheme(), manager, settings()),
	}
	m := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: name, Annotations: map[string]string{vitistackv1alpha1.AnnotationKubevirtConfig: east},
	}}
	change(m)
	if err := server.Create(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	l.until("True/Ready")
	return l
}

// until reconciles until the condition Ready is as said.
func (l *life) until(ready string) {
	l.t.Helper()
	eventually(l.t, func() string {
		if _, err := l.reconciler.Reconcile(l.t.Context(), ctrl.Request{NamespacedName: l.key}); err != nil {
			return err.Error()
		}
		status := l.machine().Status
		got := ""
		if c := status.Condition(vitistackv1alpha1.ConditionReady); c != nil {
			got = fmt.Sprintf("%s/%s", c.Status, c.Reason)
		}
		if got != ready {
			return fmt.Sprintf("Ready is %s, want %s: %s", got, ready, status.Message)
		}
		return ""
	})
}

func (l *life) machine() *vitistackv1alpha1.Machine {
	l.t.Helper()
	m := &vitistackv1alpha1.Machine{}
	if err := server.Get(l.t.Context(), l.key, m); err != nil {
		l.t.Fatal(err)
	}
	return m
}

func (l *life) vm() *kubevirtv1.VirtualMachine {
	l.t.Helper()
	vm := &kubevirtv1.VirtualMachine{}
	if err := server.Get(l.t.Context(), client.ObjectKey{Namespace: namespace, Name: "vm-" + l.key.Name}, vm); err != nil {
		l.t.Fatal(err)
	}
	return vm
}

func (l *life) edit(change func(*vitistackv1alpha1.Machine)) {
	l.t.Helper()
	m := l.machine()
	before := m.DeepCopy()
	change(m)
	if err := server.Patch(l.t.Context(), m, client.MergeFrom(before)); err != nil {
		l.t.Fatal(err)
	}
}

// byHand is what a person does to the VirtualMachine.
func (l *life) byHand(change func(*kubevirtv1.VirtualMachine)) {
	l.t.Helper()
	vm := l.vm()
	before := vm.DeepCopy()
	change(vm)
	if err := server.Patch(l.t.Context(), vm, client.MergeFrom(before), client.FieldOwner("kubectl-edit")); err != nil {
		l.t.Fatal(err)
	}
}

func disks(sizes ...int64) (disks []vitistackv1alpha1.MachineSpecDisk) {
	for i, size := range sizes {
		disks = append(disks, vitistackv1alpha1.MachineSpecDisk{Name: fmt.Sprintf("disk-%d", i), SizeGB: size, Boot: i == 0})
	}
	return disks
}

// TestChange takes one Machine through all kinds of changes. What the Machine does not wish
// otherwise stays as KubeVirt and people made it.
func TestChange(t *testing.T) {
	l := begin(t, "change", func(m *vitistackv1alpha1.Machine) {
		m.Spec.InstanceType = "small"
		m.Spec.Disks = disks(5)
		m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{UserData: "#cloud-config\n"}
	})
	l.byHand(func(vm *kubevirtv1.VirtualMachine) {
		spec := &vm.Spec.Template.Spec
		spec.NodeSelector = map[string]string{"kubernetes.io/os": "linux"}
		spec.Domain.Devices.Disks = append(spec.Domain.Devices.Disks, kubevirtv1.Disk{
			Name: "theirs", DiskDevice: kubevirtv1.DiskDevice{Disk: &kubevirtv1.DiskTarget{Bus: kubevirtv1.DiskBusVirtio}},
		})
		spec.Volumes = append(spec.Volumes, kubevirtv1.Volume{Name: "theirs", VolumeSource: kubevirtv1.VolumeSource{
			EmptyDisk: &kubevirtv1.EmptyDiskSource{Capacity: *spec.Domain.Memory.Guest},
		}})
	})
	before := l.vm()
	l.edit(func(m *vitistackv1alpha1.Machine) {
		m.Spec.InstanceType = "medium"
		m.Spec.Disks = disks(7, 3)
		m.Annotations[vitistackv1alpha1.AnnotationEvictionStrategy] = "None"
	})
	l.until("True/RestartRequired")
	after := l.vm()
	names := func(vm *kubevirtv1.VirtualMachine) (all []string) {
		for _, d := range vm.Spec.Template.Spec.Domain.Devices.Disks {
			all = append(all, d.Name)
		}
		return append(all, fmt.Sprint(len(vm.Spec.DataVolumeTemplates), " DataVolumes"))
	}
	if diff := cmp.Diff([]string{"disk-0", "cloudinitdisk", "theirs", "disk-1", "2 DataVolumes"},
		names(after)); diff != "" {
		t.Errorf("disks by their names: -want +got:\n%s", diff)
	}
	want := before.Spec.DeepCopy()
	want.Template.Spec.Domain.CPU.Cores = 2
	want.Template.Spec.Domain.Memory.Guest.Set(2 << 30)
	want.Template.Spec.EvictionStrategy = ptr.To(kubevirtv1.EvictionStrategyNone)
	want.DataVolumeTemplates = after.Spec.DataVolumeTemplates
	want.Template.Spec.Domain.Devices.Disks = after.Spec.Template.Spec.Domain.Devices.Disks
	want.Template.Spec.Volumes = after.Spec.Template.Spec.Volumes
	if diff := cmp.Diff(*want, after.Spec); diff != "" {
		t.Errorf("what else changed: -want +got:\n%s", diff)
	}
	l.isPatched()
	l.grown("disk-0", "7Gi")

	l.edit(func(m *vitistackv1alpha1.Machine) {
		delete(m.Annotations, vitistackv1alpha1.AnnotationEvictionStrategy)
	})
	l.until("True/RestartRequired")
	if got := l.vm().Spec.Template.Spec.EvictionStrategy; got != nil {
		t.Errorf("the eviction strategy %s is wished no more and stays: the field is not only our apply's", *got)
	}
	applied := *l.applies
	l.edit(func(m *vitistackv1alpha1.Machine) {
		m.Spec.Tags = map[string]string{"talos": "rewrites the spec all the time"}
	})
	l.until("True/RestartRequired")
	if *l.applies != applied {
		t.Error("a tag is no wish, and the VirtualMachine was written")
	}
	l.edit(func(m *vitistackv1alpha1.Machine) { m.Spec.Disks = disks(6, 3) })
	l.until("False/InvalidSpec")
	l.edit(func(m *vitistackv1alpha1.Machine) { m.Spec.Disks = disks(7, 3) })
	l.until("True/RestartRequired")
}

// isPatched: what the operator has set is owned by its creation and its patches, and never by an
// apply, which would take away what it leaves out.
func (l *life) isPatched() {
	l.t.Helper()
	var operations []metav1.ManagedFieldsOperationType
	for _, entry := range l.vm().ManagedFields {
		if entry.Manager == "kubevirt-operator" {
			operations = append(operations, entry.Operation)
		}
	}
	if !slices.Equal(operations, []metav1.ManagedFieldsOperationType{metav1.ManagedFieldsOperationUpdate}) {
		l.t.Errorf("our managed fields are of %v, not of one Update", operations)
	}
}

func (l *life) grown(disk, size string) {
	l.t.Helper()
	for _, volume := range l.vm().Spec.Template.Spec.Volumes {
		if volume.Name != disk {
			continue
		}
		claim := &corev1.PersistentVolumeClaim{}
		if err := server.Get(l.t.Context(), client.ObjectKey{Namespace: namespace, Name: volume.DataVolume.Name},
			claim); err != nil {
			l.t.Fatal(err)
		}
		if got := claim.Spec.Resources.Requests.Storage().String(); got != size {
			l.t.Errorf("the claim of %s asks for %s, not for %s", disk, got, size)
		}
		return
	}
	l.t.Errorf("there is no disk %s", disk)
}

// TestChangeAfterHandEdit: who changed a field of ours owns it, until the Machine wishes something
// else for it.
func TestChangeAfterHandEdit(t *testing.T) {
	l := begin(t, "hand", func(m *vitistackv1alpha1.Machine) { m.Spec.InstanceType = "small" })
	l.byHand(func(vm *kubevirtv1.VirtualMachine) {
		vm.Spec.Template.Spec.Domain.CPU.Cores = 3
		vm.Spec.Template.Spec.Domain.CPU.Model = "host-passthrough"
	})
	l.edit(func(m *vitistackv1alpha1.Machine) {
		m.Annotations[vitistackv1alpha1.AnnotationEvictionStrategy] = "None"
	})
	l.until("True/RestartRequired")
	if cpu := l.vm().Spec.Template.Spec.Domain.CPU; cpu.Cores != 3 || cpu.Model != "host-passthrough" {
		t.Errorf("the change took back what a person had set: %+v", cpu)
	}
	l.edit(func(m *vitistackv1alpha1.Machine) { m.Spec.InstanceType = "large" })
	l.until("True/RestartRequired")
	eventually(t, func() string {
		if cpu := l.vm().Spec.Template.Spec.Domain.CPU; cpu.Cores != 4 || cpu.Model != "host-passthrough" {
			return fmt.Sprintf("a new size is one: %+v", cpu)
		}
		return ""
	})
}

// TestISO takes a Machine through an installation: the drive is ejected when somebody says that it
// is done, and the image is deleted when no instance has it any more. Deleted earlier it was stuck,
// and the next start with it (T18). The image has the room that the Machine says, and gets more
// when it says so; the operator asks no server how large it is (D20).
func TestISO(t *testing.T) {
	l := begin(t, "iso", func(m *vitistackv1alpha1.Machine) {
		m.Spec.OS.ImageID = "https://images.example.com/metal-amd64.iso"
		m.Annotations[vitistackv1alpha1.AnnotationBootSource] = vitistackv1alpha1.BootSourceDataVolume
		m.Annotations[vitistackv1alpha1.AnnotationISOSize] = "11.3Gi"
	})
	l.grown("cdrom-iso", "12Gi")
	// the import found no room
	l.edit(func(m *vitistackv1alpha1.Machine) { m.Annotations[vitistackv1alpha1.AnnotationISOSize] = "20Gi" })
	l.until("True/Ready")
	l.grown("cdrom-iso", "20Gi")
	l.edit(func(m *vitistackv1alpha1.Machine) { m.Annotations[vitistackv1alpha1.AnnotationISOSize] = "9Gi" })
	l.until("False/InvalidSpec")
	status := l.machine().Status
	if got := status.Condition(vitistackv1alpha1.ConditionReady).Message; !strings.Contains(got,
		"annotation vitistack.io/iso-size") {
		t.Errorf("the condition does not name the annotation: %q", got)
	}
	image := client.ObjectKey{Namespace: namespace}
	for _, volume := range l.vm().Spec.Template.Spec.Volumes {
		if volume.Name == "cdrom-iso" {
			image.Name = volume.DataVolume.Name
		}
	}
	if image.Name == "" {
		t.Fatal("there is no drive to install from")
	}
	l.edit(func(m *vitistackv1alpha1.Machine) { m.Annotations[vitistackv1alpha1.AnnotationOSInstalled] = "true" })
	l.until("True/RestartRequired")
	if vm := l.vm(); len(vm.Spec.Template.Spec.Volumes) != 1 || len(vm.Spec.DataVolumeTemplates) != 1 ||
		len(vm.Spec.Template.Spec.Domain.Devices.Disks) != 1 {
		t.Errorf("the drive is still there: %+v", vm.Spec.Template.Spec.Volumes)
	}
	if !exists(t, image, &cdiv1beta1.DataVolume{}) || !exists(t, image, &corev1.PersistentVolumeClaim{}) {
		t.Error("the image was deleted while an instance has it")
	}
	vmi := &kubevirtv1.VirtualMachineInstance{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "vm-iso"}}
	if err := server.Delete(t.Context(), vmi); err != nil { // a restart
		t.Fatal(err)
	}
	l.until("True/Ready")
	eventually(t, func() string {
		if _, err := l.reconciler.Reconcile(t.Context(), ctrl.Request{NamespacedName: l.key}); err != nil {
			return err.Error()
		}
		if exists(t, image, &cdiv1beta1.DataVolume{}) || exists(t, image, &corev1.PersistentVolumeClaim{}) {
			return "the image is still there"
		}
		return ""
	})
}

func exists(t *testing.T, key client.ObjectKey, object client.Object) bool {
	t.Helper()
	err := server.Get(t.Context(), key, object)
	if client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	}
	return !apierrors.IsNotFound(err)
}
