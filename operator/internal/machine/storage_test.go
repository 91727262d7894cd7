package machine_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

func disk(gib int64) func(*vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) {
		m.Spec.Disks = []vitistackv1alpha1.MachineSpecDisk{{Name: "root", SizeGB: gib}}
	}
}

// claim is the one behind the disk root, as CDI makes it.
func claim(labels map[string]string, size string) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: desired.DataVolumeName(vmName, "root", machineUID),
			Labels: labels},
		Spec: corev1.PersistentVolumeClaimSpec{Resources: corev1.VolumeResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)},
		}},
	}
}

// TestGrow: disks grow and do not shrink, and only claims that are ours are touched.
func TestGrow(t *testing.T) {
	ours := desired.Labels(newMachine(), worldSettings().Desired)
	cases := map[string]struct {
		reason string
		labels map[string]string
		has    string
		gib    int64
		want   []string // Ready, size of the claim
	}{
		"Larger": {
			reason: "a disk that is to grow makes its PVC ask for more",
			labels: ours, has: "5Gi", gib: 8, want: []string{"False/Creating", "8Gi"},
		},
		"ByHand": {
			reason: "a PVC that somebody gave more already keeps it",
			labels: ours, has: "9Gi", gib: 8, want: []string{"False/Creating", "9Gi"},
		},
		"Smaller": {
			reason: "a disk that is to shrink is refused, because that would cut off data",
			labels: ours, has: "5Gi", gib: 4, want: []string{"False/InvalidSpec", "5Gi"},
		},
		"Foreign": {
			reason: "a PVC that does not carry the Machine's labels is not changed",
			has:    "5Gi", gib: 8, want: []string{"False/DiskCollision", "5Gi"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := placed(t, disk(5))
			object := claim(tc.labels, tc.has)
			w.put(east, object)
			w.editMachine(disk(tc.gib))
			w.mustSettle()
			w.exists(east, object)
			got := []string{w.condition("Ready"), object.Spec.Resources.Requests.Storage().String()}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestStorageClassMissing: disks without a storage class wait for ever; upstream recorded no
// storage error at all (D16).
func TestStorageClassMissing(t *testing.T) {
	w := newWorld(t, []string{east}, newMachine(in(east)))
	w.remove(east, defaultStorageClass())
	w.put(east, &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "slow"}})
	w.mustSettle()
	got := []string{w.condition("Ready"), w.machine().Status.FailureMessage, w.where()}
	want := []string{"False/StorageClassMissing",
		`disk "root" names no storage class, the cluster has no default one, and STORAGE_CLASS_NAME names none`, ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	w.put(east, defaultStorageClass())
	w.mustSettle()
	if got := w.machine().Status; got.FailureMessage != "" || w.where() == "" {
		t.Errorf("with a storage class: %q, the VirtualMachine is in %q", got.FailureMessage, w.where())
	}
}

// TestSnapshot: during a snapshot or a restore nothing is changed, and afterwards what was wished
// meanwhile.
func TestSnapshot(t *testing.T) {
	for name, busy := range map[string]func(*kubevirtv1.VirtualMachine, *string){
		"Snapshot": func(vm *kubevirtv1.VirtualMachine, s *string) { vm.Status.SnapshotInProgress = s },
		"Restore":  func(vm *kubevirtv1.VirtualMachine, s *string) { vm.Status.RestoreInProgress = s },
	} {
		t.Run(name, func(t *testing.T) {
			w := placed(t)
			w.editVM(func(vm *kubevirtv1.VirtualMachine) { busy(vm, ptr.To("nightly")) })
			before := w.vms()[east+"/vm-web"].ResourceVersion
			w.editMachine(sized("large"))
			w.mustSettle()
			if got := []string{w.condition("Ready"), w.vms()[east+"/vm-web"].ResourceVersion}; !cmp.Equal(got,
				[]string{"False/SnapshotInProgress", before}) {
				t.Errorf("meanwhile: %v", got)
			}
			w.editVM(func(vm *kubevirtv1.VirtualMachine) { busy(vm, nil) })
			w.mustSettle()
			if cores := w.vms()[east+"/vm-web"].Spec.Template.Spec.Domain.CPU.Cores; cores != 4 {
				t.Errorf("afterwards it has %d cores", cores)
			}
		})
	}
}

// TestDefaultClass: the default class is for new Machines. Another default later is no wish of
// theirs.
func TestDefaultClass(t *testing.T) {
	class := func(name string, cores int64, age int64) *vitistackv1alpha1.MachineClass {
		c := &vitistackv1alpha1.MachineClass{ObjectMeta: metav1.ObjectMeta{Name: name,
			CreationTimestamp: metav1.Unix(1e9-age, 0)}}
		c.Spec.Default, c.Spec.CPU.Cores, c.Spec.Memory.Quantity = true, cores, resource.MustParse("4Gi")
		return c
	}
	w := newWorld(t, []string{east}, newMachine(in(east), sized("")), class("old", 3, 100), class("new", 5, 10))
	w.mustSettle()
	cores := func() uint32 { return w.vms()[east+"/vm-web"].Spec.Template.Spec.Domain.CPU.Cores }
	if got := cores(); got != 5 {
		t.Errorf("it has %d cores, not those of the newest default", got)
	}
	w.put(supervisor, class("newest", 7, 0))
	w.mustSettle()
	if got := cores(); got != 5 {
		t.Errorf("another default changed it to %d cores", got)
	}
	w.remove(supervisor, class("new", 5, 10))
	w.mustSettle()
	w.editMachine(tagged)
	w.mustSettle()
	if got := cores(); got != 5 || w.condition("Ready") != "False/Creating" {
		t.Errorf("its class was deleted: %d cores, Ready is %s", got, w.condition("Ready"))
	}
	w.editMachine(sized("newest"))
	w.mustSettle()
	if got := cores(); got != 7 {
		t.Errorf("it asks for a class now, and has %d cores", got)
	}
}

// TestCloudInitChanges: what the Machine says anew is there at the next boot, in the VirtualMachine
// or in its Secret.
func TestCloudInitChanges(t *testing.T) {
	w := placed(t, wantsSecret)
	w.editMachine(func(m *vitistackv1alpha1.Machine) { m.Spec.CloudInit.UserData += "# more\n" })
	w.mustSettle()
	secrets := &corev1.SecretList{}
	if err := w.clients[east].List(t.Context(), secrets); err != nil || len(secrets.Items) != 1 {
		t.Fatalf("%d Secrets, %v", len(secrets.Items), err)
	}
	vm := w.vms()[east+"/vm-web"]
	if got, owner := string(secrets.Items[0].Data["userdata"]),
		secrets.Items[0].OwnerReferences[0].UID; got != w.machine().Spec.CloudInit.UserData || owner != vm.UID {
		t.Errorf("the Secret has %d bytes and belongs to %s", len(got), owner)
	}
	w.editMachine(func(m *vitistackv1alpha1.Machine) { m.Spec.CloudInit.UserData = "#cloud-config\n# short\n" })
	w.mustSettle()
	var texts []string
	for _, volume := range w.vms()[east+"/vm-web"].Spec.Template.Spec.Volumes {
		if volume.CloudInitNoCloud != nil {
			texts = append(texts, volume.CloudInitNoCloud.UserData)
		}
	}
	if diff := cmp.Diff([]string{"#cloud-config\n# short\n"}, texts); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
