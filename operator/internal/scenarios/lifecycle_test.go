package scenarios

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/removal"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// cluster returns one of the fleet's.
func cluster(t *testing.T, name string) *fleet.Cluster {
	t.Helper()
	c, err := world.fleet.Cluster(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestDeleteLater: the cluster is silent, the Machine has to go now, and the virtual machine goes
// when the cluster answers again.
func TestDeleteLater(t *testing.T) {
	ns := namespace(t, "delete-later")
	operator := startOperator(t)
	m, other := machine(ns, "web", "cluster-west"), machine(ns, "other", "cluster-west")
	create(t, m)
	create(t, other)
	eventually(t, patience, func() string {
		return notRunning(t, m, "cluster-west") + notRunning(t, other, "cluster-west")
	})
	west := cluster(t, "cluster-west")
	if err := west.SetFault(faults.Fault{Kind: faults.Blackhole}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = west.SetFault(faults.Fault{}) })
	remove(t, m)
	eventually(t, 2*patience, func() string { // a few failed probes, and then half a minute of hold
		ready := read(t, m).Status.Condition(vitistackv1alpha1.ConditionReady)
		if ready == nil || ready.Reason != vitistackv1alpha1.ReasonUnreachable {
			return fmt.Sprintf("Ready is %+v", ready)
		}
		return ""
	})
	annotate(t, m, vitistackv1alpha1.AnnotationForceRelease, "cluster-west"+vitistackv1alpha1.ForceReleaseDeleteLater)
	eventually(t, patience, func() string { return notGone(t, m) })
	if got := len(virtualMachines(t, ns)["cluster-west"]); got != 2 {
		t.Fatalf("%d virtual machines in a cluster that nobody reached", got)
	}
	operator.restart(t) // the debt is written down, not remembered
	if err := west.SetFault(faults.Fault{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, func() string {
		debts, err := removal.Book{Server: supervisor(), Namespace: fleet.ConfigsNamespace}.Debts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		vms := virtualMachines(t, ns)["cluster-west"]
		if len(debts) > 0 || len(vms) != 1 || vms[0].Name != "vm-other" {
			return fmt.Sprintf("debts: %+v, virtual machines: %v", debts, places(virtualMachines(t, ns)))
		}
		return ""
	})
	if why := notRunning(t, other, "cluster-west"); why != "" {
		t.Error(why)
	}
}

// TestNamespaceDeleted: the namespace of Machines goes with everything in it at once, in any order;
// nothing is left anywhere.
func TestNamespaceDeleted(t *testing.T) {
	ns := namespace(t, "leaving")
	startOperator(t)
	var machines []*vitistackv1alpha1.Machine
	for i := range 6 {
		m := machine(ns, fmt.Sprintf("m%d", i), world.fleet.Remotes[i%3].Name)
		create(t, m)
		machines = append(machines, m)
	}
	for _, m := range machines {
		eventually(t, patience, func() string {
			return notRunning(t, m, m.Annotations[vitistackv1alpha1.AnnotationKubevirtConfig])
		})
	}
	// What the namespace's controller does: first the mark, and nothing new is admitted; then
	// everything, kind after kind.
	remove(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})
	for _, kind := range []client.Object{&vitistackv1alpha1.NetworkConfiguration{}, &vitistackv1alpha1.Machine{}} {
		if err := supervisor().DeleteAllOf(t.Context(), kind, client.InNamespace(ns)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, 2*patience, func() string {
		for _, m := range machines {
			if why := notGone(t, m); why != "" {
				return why
			}
		}
		return ""
	})
	if left := places(virtualMachines(t, ns)); len(left) > 0 {
		t.Errorf("virtual machines are left: %v", left)
	}
}

// TestAdoption: a virtual machine that the public operator made runs on, through the adoption and a
// restart, as if nothing had happened.
func TestAdoption(t *testing.T) {
	ns := namespace(t, "adoption")
	east := world.remote["cluster-east"]
	if err := east.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}); err != nil {
		t.Fatal(err)
	}
	old := map[string]string{vitistackv1alpha1.LabelManagedBy: "kubevirt-operator",
		vitistackv1alpha1.LabelSourceMachine: "web"}
	vm := publicVM(ns, old)
	vm.Spec.Template.Spec.Domain.Devices.Disks = append(vm.Spec.Template.Spec.Domain.Devices.Disks,
		kubevirtv1.Disk{Name: "data"})
	data := &kubevirtv1.PersistentVolumeClaimVolumeSource{}
	data.ClaimName = "web-data"
	vm.Spec.Template.Spec.Volumes = append(vm.Spec.Template.Spec.Volumes, kubevirtv1.Volume{
		Name: "data", VolumeSource: kubevirtv1.VolumeSource{PersistentVolumeClaim: data},
	})
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "web-data", Labels: old},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
			},
		}}
	inSupervisor := claim.DeepCopy()
	for _, object := range []client.Object{vm, claim} {
		if err := east.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	vmi := &kubevirtv1.VirtualMachineInstance{}
	eventually(t, patience, func() string {
		if err := east.Get(t.Context(), client.ObjectKeyFromObject(vm), vmi); err != nil ||
			vmi.Status.Phase != kubevirtv1.Running {
			return fmt.Sprintf("the public operator's virtual machine is %q: %v", vmi.Status.Phase, err)
		}
		return ""
	})
	if err := east.Get(t.Context(), client.ObjectKeyFromObject(vm), vm); err != nil {
		t.Fatal(err)
	}
	m := machine(ns, "web", "")
	create(t, inSupervisor)
	create(t, &vitistackv1alpha1.NetworkConfiguration{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "web", Labels: old},
		Spec: vitistackv1alpha1.NetworkConfigurationSpec{
			Name: "web", NetworkInterfaces: []vitistackv1alpha1.NetworkConfigurationInterface{{Name: "default",
				MacAddress: "02:12:0a:0b:0c:0d"}},
		},
	})
	create(t, m)
	startOperator(t)
	eventually(t, patience, func() string { return notRunning(t, m, "cluster-east") })
	after, same := &kubevirtv1.VirtualMachine{}, &kubevirtv1.VirtualMachineInstance{}
	for object, key := range map[client.Object]client.Object{after: vm, same: vmi} {
		if err := east.Get(t.Context(), client.ObjectKeyFromObject(key), object); err != nil {
			t.Fatal(err)
		}
	}
	vm.Spec.Template.ObjectMeta.Labels, after.Spec.Template.ObjectMeta.Labels = nil, nil
	if diff := cmp.Diff(vm.Spec, after.Spec); diff != "" || same.UID != vmi.UID {
		t.Errorf("the adoption restarted it (%t) or changed its spec (-want +got):\n%s", same.UID != vmi.UID, diff)
	}
	if got := places(virtualMachines(t, ns)); len(got) != 1 || len(got["cluster-east"]) != 1 {
		t.Errorf("virtual machines: %v", got)
	}
	if !desired.IsOurs(same.Labels, read(t, m).UID, after.Labels[vitistackv1alpha1.LabelSupervisorUID]) {
		t.Errorf("the running instance is labelled %v", same.Labels)
	}
	remove(t, m)
	eventually(t, patience, func() string { return notGone(t, m) })
	left := &corev1.PersistentVolumeClaim{}
	if err := east.Get(t.Context(), client.ObjectKeyFromObject(claim), left); client.IgnoreNotFound(err) != nil ||
		err == nil {
		t.Errorf("the PVC that the virtual machine referred to is there after its Machine: %v", err)
	}
	if err := supervisor().Get(t.Context(), client.ObjectKeyFromObject(claim), left); err != nil ||
		!left.DeletionTimestamp.IsZero() {
		t.Errorf("without --legacy-supervisor-claims a PVC in the supervisor goes: %v", err)
	}
}

// publicVM is a virtual machine as the public operator makes it for the Machine web: of the same
// name.
func publicVM(ns string, labels map[string]string) *kubevirtv1.VirtualMachine {
	always := kubevirtv1.RunStrategyAlways
	vm := &kubevirtv1.VirtualMachine{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "web", Labels: labels}}
	vm.Spec.RunStrategy = &always
	vm.Spec.Template = &kubevirtv1.VirtualMachineInstanceTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}}
	memory := resource.MustParse("1Gi")
	domain := &vm.Spec.Template.Spec.Domain
	domain.CPU, domain.Memory = &kubevirtv1.CPU{Cores: 3}, &kubevirtv1.Memory{Guest: &memory}
	domain.Devices.Interfaces = []kubevirtv1.Interface{{
		Name: "default", MacAddress: "02:12:0a:0b:0c:0d",
		InterfaceBindingMethod: kubevirtv1.InterfaceBindingMethod{Masquerade: &kubevirtv1.InterfaceMasquerade{}},
	}}
	vm.Spec.Template.Spec.Networks = []kubevirtv1.Network{{Name: "default",
		NetworkSource: kubevirtv1.NetworkSource{Pod: &kubevirtv1.PodNetwork{}}}}
	return vm
}

// TestOrphansAndRelease is the uninstall, and what is found after it.
func TestOrphansAndRelease(t *testing.T) {
	ns := namespace(t, "release")
	operator := startWith(t, []string{"--leader-elect", "--leader-election-namespace=kubevirt-operator"})
	kept, lost := machine(ns, "kept", "cluster-east"), machine(ns, "lost", "cluster-east")
	create(t, kept)
	create(t, lost)
	eventually(t, patience, func() string {
		return notRunning(t, kept, "cluster-east") + notRunning(t, lost, "cluster-east")
	})
	if out, err := command(t, "release", "--all"); err == nil || !strings.Contains(out, "stop the operator first") {
		t.Errorf("released under a running operator: %v\n%s", err, out)
	}
	operator.stop(t, syscall.SIGTERM)
	out, err := command(t, "release", "--all")
	if err != nil || !strings.Contains(out,
		"released Machine release/lost; VirtualMachine vm-lost stays in cluster-east") {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, config := range []string{"cluster-east", "cluster-west"} {
		c := &vitistackv1alpha1.KubevirtConfig{}
		if err := supervisor().Get(t.Context(), client.ObjectKey{Namespace: fleet.ConfigsNamespace, Name: config},
			c); err != nil || len(c.Finalizers) > 0 {
			t.Errorf("%s has the finalizers %v: %v", config, c.Finalizers, err)
		}
	}
	remove(t, lost)
	eventually(t, patience, func() string { return notGone(t, lost) })
	if got := len(virtualMachines(t, ns)["cluster-east"]); got != 2 {
		t.Fatalf("%d virtual machines after the uninstall, want 2", got)
	}
	var uid string
	for _, vm := range virtualMachines(t, ns)["cluster-east"] {
		if vm.Name == "vm-lost" {
			uid = string(vm.UID)
		}
	}
	if out, err = command(t, "orphans"); err != nil || !strings.Contains(out, uid) || strings.Contains(out, "vm-kept") {
		t.Errorf("the list of orphans: %v\n%s", err, out)
	}
	for want, args := range map[string][]string{
		"is younger than 10m":             {"orphans", uid, "--yes"},
		"would delete release/vm-lost":    {"orphans", uid, "--older-than=0s"},
		"is not the UID of an orphan":     {"orphans", "no-such-uid", "--older-than=0s", "--yes"},
		"say --all to release every Mach": {"release"},
	} {
		if out, _ := command(t, args...); !strings.Contains(out, want) {
			t.Errorf("%v says %q, not %q", args, out, want)
		}
	}
	if got := len(virtualMachines(t, ns)["cluster-east"]); got != 2 {
		t.Fatalf("something was deleted without consent: %d left", got)
	}
	eventually(t, patience, func() string { // a busy cluster may not answer in time, which is said and deletes nothing
		out, err = command(t, "orphans", uid, "--older-than=0s", "--yes")
		if err != nil || !strings.Contains(out, "deleted release/vm-lost of cluster-east") {
			return fmt.Sprintf("%v\n%s", err, out)
		}
		return ""
	})
	if got := virtualMachines(t, ns)["cluster-east"]; len(got) != 1 || got[0].Name != "vm-kept" {
		t.Errorf("left: %v", places(virtualMachines(t, ns)))
	}
	operator.start(t) // installed again: it goes on with what is there
	eventually(t, patience, func() string {
		if m := read(t, kept); len(m.Finalizers) == 0 {
			return "the finalizer does not come back"
		}
		return notRunning(t, kept, "cluster-east")
	})
}

// TestVanished: somebody deletes the virtual machine in its cluster, and edits one. What was made
// in its place takes a person's consent; what is left of the former one is in nobody's way; and all
// of it goes with the Machine.
func TestVanished(t *testing.T) {
	ns := namespace(t, "vanished")
	create(t, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "init"},
		StringData: map[string]string{"userdata": "#cloud-config\n"}})
	network := &vitistackv1alpha1.NetworkNamespace{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "net"}}
	network.Spec.DatacenterIdentifier, network.Spec.SupervisorIdentifier = "dc", "sv"
	create(t, network)
	network.Status.VlanID = 77
	if err := supervisor().Status().Update(t.Context(), network); err != nil {
		t.Fatal(err)
	}
	startOperator(t)
	m := machine(ns, "web", "cluster-west")
	m.Spec.Network.NetworkNamespaceName = "net"
	m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{
		UserDataSecretRef: &vitistackv1alpha1.CloudInitSourceRef{Name: "init"},
	}
	create(t, m)
	eventually(t, patience, func() string { return notInPhase(t, m, vitistackv1alpha1.MachinePhaseRunning) })
	west, first := world.remote["cluster-west"], virtualMachines(t, ns)["cluster-west"][0]
	if err := west.Delete(t.Context(), &first); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, func() string {
		return notFailed(t, m, vitistackv1alpha1.ReasonVanished, "VirtualMachine vm-web of cluster-west is gone")
	})
	annotate(t, m, vitistackv1alpha1.AnnotationRecreate, string(first.UID))
	eventually(t, patience, func() string { return notInPhase(t, m, vitistackv1alpha1.MachinePhaseRunning) })
	second := virtualMachines(t, ns)["cluster-west"][0]
	if second.UID == first.UID {
		t.Fatal("the VirtualMachine is the former one")
	}
	for _, size := range []string{"large", "medium"} { // two Events of one kind: the second changes the first
		changed := read(t, m)
		before := changed.DeepCopy()
		changed.Spec.InstanceType = size
		if err := supervisor().Patch(t.Context(), changed, client.MergeFrom(before)); err != nil {
			t.Fatal(err)
		}
		cores := map[string]uint32{"large": 4, "medium": 2}[size]
		eventually(t, patience, func() string {
			if got := virtualMachines(t, ns)["cluster-west"][0].Spec.Template.Spec.Domain.CPU; got == nil ||
				got.Cores*max(1, got.Sockets) != cores {
				return fmt.Sprintf("a %s Machine has %+v", size, got)
			}
			return ""
		})
	}
	leftover := &cdiv1beta1.DataVolume{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "leftover",
		Labels: second.Labels}}
	leftover.Spec.Source = &cdiv1beta1.DataVolumeSource{Blank: &cdiv1beta1.DataVolumeBlankImage{}}
	leftover.Spec.Storage = &cdiv1beta1.StorageSpec{Resources: corev1.VolumeResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
	}}
	if err := west.Create(t.Context(), leftover); err != nil {
		t.Fatal(err)
	}
	remove(t, m)
	eventually(t, patience, func() string { return notGone(t, m) })
	if err := west.Get(t.Context(), client.ObjectKeyFromObject(leftover), leftover); err != nil ||
		!leftover.DeletionTimestamp.IsZero() {
		t.Errorf("a disk that the virtual machine did not refer to is a person's copy, and goes: %v", err)
	}
	if left := places(virtualMachines(t, ns)); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
