package app

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// pairs is the number of VirtualMachines, each with its instance.
const pairs = 10_000

// BenchmarkIdleConnection prints the heap of a connection with nothing in its cache, as the
// operator makes it.
func BenchmarkIdleConnection(b *testing.B) {
	m := startKubeVirt(b)
	for b.Loop() {
		b.ReportMetric(float64(m.idle())/1024, "KiB/connection")
	}
}

// BenchmarkCachedPair prints the heap of a VirtualMachine and its instance in the cache of a
// connection. The definitions have no schemas: an API server takes minutes to hold ten thousand of
// them against KubeVirt's, and the client does not know.
func BenchmarkCachedPair(b *testing.B) {
	var open []*apiextensionsv1.CustomResourceDefinition
	for _, each := range []schema.GroupVersionKind{
		kubevirtv1.VirtualMachineGroupVersionKind, kubevirtv1.VirtualMachineInstanceGroupVersionKind,
		cdiv1beta1.SchemeGroupVersion.WithKind("DataVolume"),
	} {
		open = append(open, openDefinition(each))
	}
	for name, golden := range map[string]string{"one disk, one interface": "seed.yaml",
		"three interfaces": "interfaces.yaml"} {
		b.Run(name, func(b *testing.B) {
			m := startHeld(b, envtest.CRDInstallOptions{CRDs: open})
			m.fill(golden)
			for b.Loop() {
				before := heap()
				m.connect(0)
				b.ReportMetric(float64(heap()-before)/pairs/1024, "KiB/pair")
				m.disconnect(0)
			}
			runtime.KeepAlive(m)
		})
	}
}

// openDefinition is a definition that takes everything.
func openDefinition(kind schema.GroupVersionKind) *apiextensionsv1.CustomResourceDefinition {
	plural := strings.ToLower(kind.Kind) + "s"
	definition := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: plural + "." + kind.Group}}
	definition.Spec = apiextensionsv1.CustomResourceDefinitionSpec{
		Group: kind.Group, Scope: apiextensionsv1.NamespaceScoped,
		Names: apiextensionsv1.CustomResourceDefinitionNames{Kind: kind.Kind, ListKind: kind.Kind + "List", Plural: plural,
			Singular: strings.ToLower(kind.Kind)},
		Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
			Name: kind.Version, Served: true, Storage: true,
			Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
				Type: "object", XPreserveUnknownFields: new(true)}},
		}},
	}
	return definition
}

// fill creates the VirtualMachines of a golden file and their instances, with a status as KubeVirt
// writes it.
func (h *held) fill(file string) {
	h.t.Helper()
	golden := goldenVM(h.t, file)
	must(h.t, h.client.Create(h.t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: golden.Namespace}}))
	var (
		writers sync.WaitGroup
		next    atomic.Int64
		failed  atomic.Pointer[error]
	)
	for range 16 {
		writers.Go(func() {
			for i := int(next.Add(1)); i <= pairs && failed.Load() == nil; i = int(next.Add(1)) {
				if err := h.create(h.t.Context(), golden.DeepCopy(), i); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	writers.Wait()
	if err := failed.Load(); err != nil {
		h.t.Fatal(*err)
	}
}

func (h *held) create(ctx context.Context, vm *kubevirtv1.VirtualMachine, i int) error {
	instance := runningPair(vm, i)
	if err := h.client.Create(ctx, vm); err != nil {
		return err
	}
	return h.client.Create(ctx, instance)
}

// goldenVM is the VirtualMachine that a file of package desired's tests has.
func goldenVM(t testing.TB, file string) *kubevirtv1.VirtualMachine {
	t.Helper()
	content, err := os.ReadFile("../../../virtualmachine/desired/testdata/" + file)
	must(t, err)
	var golden struct {
		VirtualMachine kubevirtv1.VirtualMachine `json:"virtualMachine"`
	}
	must(t, yaml.Unmarshal(content, &golden))
	return &golden.VirtualMachine
}

// runningPair makes a VirtualMachine one of many that run, and returns its instance.
func runningPair(vm *kubevirtv1.VirtualMachine, i int) *kubevirtv1.VirtualMachineInstance {
	vm.Name = fmt.Sprintf("vm-machine-%05d", i)
	vm.Labels[vitistackv1alpha1.LabelSupervisorUID],
		vm.Spec.Template.ObjectMeta.Labels[vitistackv1alpha1.LabelSupervisorUID] = "supervisor", "supervisor"
	instance := instanceOf(vm, i)
	vm.Status = kubevirtv1.VirtualMachineStatus{
		Created: true, Ready: true, PrintableStatus: kubevirtv1.VirtualMachineStatusRunning,
		RunStrategy: kubevirtv1.RunStrategyAlways,
		Conditions: []kubevirtv1.VirtualMachineCondition{
			{Type: kubevirtv1.VirtualMachineReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()},
			{Type: "LiveMigratable", Status: corev1.ConditionFalse, Reason: "DisksNotLiveMigratable",
				Message: "cannot migrate VMI: PVC is not shared"},
			{Type: "StorageLiveMigratable", Status: corev1.ConditionTrue},
		},
	}
	return instance
}

// instanceOf is what virt-controller and virt-handler make of a VirtualMachine.
func instanceOf(vm *kubevirtv1.VirtualMachine, i int) *kubevirtv1.VirtualMachineInstance {
	instance := &kubevirtv1.VirtualMachineInstance{ObjectMeta: metav1.ObjectMeta{
		Namespace: vm.Namespace, Name: vm.Name, Labels: vm.Spec.Template.ObjectMeta.DeepCopy().Labels,
		Annotations: map[string]string{"kubevirt.io/latest-observed-api-version": "v1",
			"kubevirt.io/storage-observed-api-version": "v1"},
		Finalizers: []string{"kubevirt.io/virtualMachineControllerFinalize", "foregroundDeleteVirtualMachine"},
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "kubevirt.io/v1", Kind: "VirtualMachine", Name: vm.Name,
			UID: types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", i)), Controller: new(true),
			BlockOwnerDeletion: new(true)}},
	}}
	instance.Labels["kubevirt.io/nodeName"] = "node-1"
	vm.Spec.Template.Spec.DeepCopyInto(&instance.Spec)
	instance.Status = kubevirtv1.VirtualMachineInstanceStatus{
		Phase: kubevirtv1.Running, NodeName: "node-1",
		ActivePods: map[types.UID]string{types.UID(fmt.Sprintf("pod-%d", i)): "node-1"},
		GuestOSInfo: kubevirtv1.VirtualMachineInstanceGuestOSInfo{Name: "Ubuntu", PrettyName: "Ubuntu 24.04.1 LTS",
			VersionID: "24.04", KernelRelease: "6.8.0-45-generic"},
		Conditions: []kubevirtv1.VirtualMachineInstanceCondition{
			{Type: kubevirtv1.VirtualMachineInstanceReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()},
			{Type: kubevirtv1.VirtualMachineInstanceIsMigratable, Status: corev1.ConditionFalse,
				Reason: "DisksNotLiveMigratable", Message: "cannot migrate VMI: PVC is not shared"},
			{Type: kubevirtv1.VirtualMachineInstanceAgentConnected, Status: corev1.ConditionTrue},
		},
		LauncherContainerImageVersion: "quay.io/kubevirt/virt-launcher:v1.8.2", QOSClass: new(corev1.PodQOSBurstable),
		Machine: &kubevirtv1.Machine{Type: "pc-q35-rhel9.6.0"}, VirtualMachineRevisionName: "revision-start-vm-" + vm.Name,
	}
	for n, each := range instance.Spec.Domain.Devices.Interfaces {
		ip := fmt.Sprintf("10.%d.%d.%d", n, i/250, i%250)
		instance.Status.Interfaces = append(instance.Status.Interfaces, kubevirtv1.VirtualMachineInstanceNetworkInterface{
			Name: each.Name, MAC: each.MacAddress, IP: ip, IPs: []string{ip, "fe80::1"}, InterfaceName: fmt.Sprintf("eth%d", n),
			InfoSource: "domain, guest-agent", QueueCount: 2, LinkState: "up"})
	}
	for _, volume := range instance.Spec.Volumes {
		status := kubevirtv1.VolumeStatus{Name: volume.Name, Target: "vda", Size: 10 << 30}
		if volume.DataVolume != nil {
			size := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("10Gi")}
			status.PersistentVolumeClaimInfo = &kubevirtv1.PersistentVolumeClaimInfo{
				ClaimName: volume.DataVolume.Name, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
				VolumeMode: new(corev1.PersistentVolumeBlock), Capacity: size, Requests: size,
			}
		}
		instance.Status.VolumeStatus = append(instance.Status.VolumeStatus, status)
	}
	instance.Status.CurrentCPUTopology = &kubevirtv1.CPUTopology{Cores: 2, Sockets: 1, Threads: 1}
	guest := resource.MustParse("2Gi")
	instance.Status.Memory = &kubevirtv1.MemoryStatus{GuestAtBoot: &guest, GuestCurrent: &guest, GuestRequested: &guest}
	for _, phase := range []kubevirtv1.VirtualMachineInstancePhase{kubevirtv1.Pending, kubevirtv1.Scheduling,
		kubevirtv1.Scheduled, kubevirtv1.Running} {
		instance.Status.PhaseTransitionTimestamps = append(instance.Status.PhaseTransitionTimestamps,
			kubevirtv1.VirtualMachineInstancePhaseTransitionTimestamp{Phase: phase, PhaseTransitionTimestamp: metav1.Now()})
	}
	return instance
}
