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
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
)

const (
	// pairs is the number of VirtualMachines, each with its instance.
	pairs = 10_000
	// idleConnections is the number of connections that a connection's heap is an average of.
	idleConnections = 20
)

// BenchmarkIdleConnection prints the heap of a connection with nothing in its cache, as the
// operator makes it. The definitions are KubeVirt's own: the REST mapper of a connection knows
// them.
func BenchmarkIdleConnection(b *testing.B) {
	binaries, err := kubevirt.FindBinaries()
	must(b, err)
	m := startHeld(b, envtest.CRDInstallOptions{Paths: []string{binaries.Definitions}, ErrorIfPathMissing: true,
		MaxTime: time.Minute})
	for b.Loop() {
		m.connect(0)
		before := heap()
		for i := range idleConnections {
			m.connect(i + 1)
		}
		b.ReportMetric(float64(heap()-before)/idleConnections/1024, "KiB/connection")
		for i := range idleConnections + 1 {
			m.disconnect(i)
		}
	}
	runtime.KeepAlive(m)
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

// heap is what is held once everything that is not has been freed. Connections that were dropped
// close their last sockets within a moment.
func heap() uint64 {
	var stats runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// held is the operator's client manager over one cluster that is both supervisor and remote.
type held struct {
	b          *testing.B
	manager    *clientmgr.KubevirtClientManager
	client     client.Client
	kubeconfig []byte
}

func startHeld(b *testing.B, definitions envtest.CRDInstallOptions) *held {
	b.Helper()
	remote := controlplane.New(b, controlplane.Options{Name: "remote"})
	_, err := envtest.InstallCRDs(remote.Config(), definitions)
	must(b, err)
	manager, c := startRemotes(b, remote.Config(), "Namespaced")
	kubeconfig, err := remote.KubeconfigFor(controlplane.Admin)
	must(b, err)
	return &held{b: b, manager: manager, client: c, kubeconfig: kubeconfig}
}

func (h *held) connect(i int) {
	h.b.Helper()
	meta := metav1.ObjectMeta{Namespace: "configs", Name: fmt.Sprintf("remote-%d", i)}
	must(h.b, h.client.Create(h.b.Context(),
		&corev1.Secret{ObjectMeta: meta, Data: map[string][]byte{"kubeconfig": h.kubeconfig}}))
	must(h.b, h.client.Create(h.b.Context(), &vitistackv1alpha1.KubevirtConfig{
		ObjectMeta: meta, Spec: vitistackv1alpha1.KubevirtConfigSpec{Name: meta.Name, KubeconfigSecretRef: meta.Name}}))
	h.until(func() bool { state, _ := h.manager.State(meta.Name); return state.Ready() })
}

func (h *held) disconnect(i int) {
	h.b.Helper()
	meta := metav1.ObjectMeta{Namespace: "configs", Name: fmt.Sprintf("remote-%d", i)}
	must(h.b, h.client.Delete(h.b.Context(), &vitistackv1alpha1.KubevirtConfig{ObjectMeta: meta}))
	must(h.b, h.client.Delete(h.b.Context(), &corev1.Secret{ObjectMeta: meta}))
	h.until(func() bool { _, found := h.manager.State(meta.Name); return !found })
}

func (h *held) until(done func() bool) {
	h.b.Helper()
	deadline := time.After(2 * time.Minute)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !done() {
		select {
		case <-deadline:
			h.b.Fatalf("not in time: %+v", h.manager.States())
		case <-ticker.C:
		}
	}
}

// fill creates the VirtualMachines of a golden file and their instances, with a status as KubeVirt
// writes it.
func (h *held) fill(file string) {
	h.b.Helper()
	content, err := os.ReadFile("../../../virtualmachine/desired/testdata/" + file)
	must(h.b, err)
	var golden struct {
		VirtualMachine kubevirtv1.VirtualMachine `json:"virtualMachine"`
	}
	must(h.b, yaml.Unmarshal(content, &golden))
	must(h.b, h.client.Create(h.b.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: golden.VirtualMachine.Namespace}}))
	var (
		writers sync.WaitGroup
		next    atomic.Int64
		failed  atomic.Pointer[error]
	)
	for range 16 {
		writers.Go(func() {
			for i := int(next.Add(1)); i <= pairs && failed.Load() == nil; i = int(next.Add(1)) {
				if err := h.create(h.b.Context(), golden.VirtualMachine.DeepCopy(), i); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	writers.Wait()
	if err := failed.Load(); err != nil {
		h.b.Fatal(*err)
	}
}

func (h *held) create(ctx context.Context, vm *kubevirtv1.VirtualMachine, i int) error {
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
	if err := h.client.Create(ctx, vm); err != nil {
		return err
	}
	return h.client.Create(ctx, instance)
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
	for _, disk := range instance.Spec.Domain.Devices.Disks {
		instance.Status.VolumeStatus = append(instance.Status.VolumeStatus,
			kubevirtv1.VolumeStatus{Name: disk.Name, Target: "vda", Size: 10 << 30})
	}
	for _, phase := range []kubevirtv1.VirtualMachineInstancePhase{kubevirtv1.Pending, kubevirtv1.Scheduling,
		kubevirtv1.Scheduled, kubevirtv1.Running} {
		instance.Status.PhaseTransitionTimestamps = append(instance.Status.PhaseTransitionTimestamps,
			kubevirtv1.VirtualMachineInstancePhaseTransitionTimestamp{Phase: phase, PhaseTransitionTimestamp: metav1.Now()})
	}
	return instance
}
