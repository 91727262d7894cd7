package removal

import (
	"context"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	exportv1 "kubevirt.io/api/export/v1beta1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

const (
	configs      = "kubevirt-configs"
	team         = "team-a"
	vmName       = "vm-web"
	supervisorID = "supervisor-uid"
	moveID       = "6f1d1a5e-0000-4000-8000-000000000777"
	machineUID   = types.UID("6f1d1a5e-0000-4000-8000-000000000001")
	sourceUID    = types.UID("6f1d1a5e-0000-4000-8000-00000000000a")
	targetUID    = types.UID("6f1d1a5e-0000-4000-8000-00000000000b")
	east, west   = "cluster-east", "cluster-west" // source and target
)

// world is a supervisor with the Machine web, and two remote clusters, on fake clients.
type world struct {
	t       testing.TB
	clients map[string]client.Client
	manager *clientmgr.MockClientManager
	book    Book

	mu     sync.Mutex
	guards []client.Preconditions // of the deletions in remote clusters
}

const supervisor = "supervisor"

func newWorld(t testing.TB) *world {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, vitistackv1alpha1.AddToScheme, kubevirtv1.AddToScheme, cdiv1beta1.AddToScheme,
		exportv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	w := &world{t: t, clients: map[string]client.Client{}, manager: clientmgr.NewMockClientManager()}
	for _, name := range []string{supervisor, east, west} {
		funcs := interceptor.Funcs{Delete: func(
			ctx context.Context, c client.WithWatch, object client.Object, opts ...client.DeleteOption,
		) error {
			if guard := (&client.DeleteOptions{}).ApplyOptions(opts).Preconditions; guard != nil {
				w.mu.Lock()
				w.guards = append(w.guards, client.Preconditions(*guard))
				w.mu.Unlock()
			}
			return c.Delete(ctx, object, opts...)
		}}
		w.clients[name] = fake.NewClientBuilder().WithScheme(scheme).WithInterceptorFuncs(funcs).Build()
		if name != supervisor {
			w.manager.AddMockedClient(name, w.clients[name])
		}
	}
	w.manager.SupervisorClient = w.clients[supervisor]
	w.book = Book{Writer: w.clients[supervisor], Server: w.clients[supervisor], Namespace: configs}
	return w
}

func (w *world) put(cluster string, objects ...client.Object) {
	w.t.Helper()
	for _, object := range objects {
		if err := w.clients[cluster].Create(w.t.Context(), object); err != nil {
			w.t.Fatal(err)
		}
	}
}

// vm is a VirtualMachine of a remote cluster, nil where it is gone.
func (w *world) vm(cluster string) *kubevirtv1.VirtualMachine {
	w.t.Helper()
	vm := &kubevirtv1.VirtualMachine{}
	err := w.clients[cluster].Get(w.t.Context(), client.ObjectKey{Namespace: team, Name: vmName}, vm)
	if client.IgnoreNotFound(err) != nil {
		w.t.Fatal(err)
	}
	if err != nil {
		return nil
	}
	return vm
}

// silence makes a cluster give no answer.
func (w *world) silence(config string) {
	w.manager.AddMockedClient(config, nil)
	w.manager.SetState(clientmgr.State{Config: config, Phase: clientmgr.Disconnected,
		Reason: clientmgr.ReasonUnreachable, ClusterUID: w.clusterUID(config)})
}

// clusterUID is the one that the mock gives to a cluster.
func (w *world) clusterUID(config string) string {
	state, _ := w.manager.State(config)
	return state.ClusterUID
}

// server reads the supervisor past the cache.
func (w *world) server() side.SupervisorServer {
	return side.SupervisorServer{Reader: w.clients[supervisor]}
}

// place is the ledger of either side.
func (w *world) place(config string, uid types.UID) vitistackv1alpha1.Ledger {
	return vitistackv1alpha1.Ledger{Config: config, ClusterUID: w.clusterUID(config), Namespace: team, VMName: vmName,
		VMUID: string(uid), Nonce: "nonce-of-" + config}
}

// web is the Machine with a ledger.
func web(ledger vitistackv1alpha1.Ledger, change ...func(*vitistackv1alpha1.Machine)) *vitistackv1alpha1.Machine {
	machine := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{
		Namespace: team, Name: "web", UID: machineUID, Finalizers: []string{vitistackv1alpha1.FinalizerMachine},
		Annotations: map[string]string{vitistackv1alpha1.AnnotationPlacement: ledger.String()},
	}}
	for _, each := range change {
		each(machine)
	}
	return machine
}

// guest is a VirtualMachine of the Machine web, off.
func guest(
	uid types.UID, nonce string, change ...func(*kubevirtv1.VirtualMachine),
) *kubevirtv1.VirtualMachine {
	vm := &kubevirtv1.VirtualMachine{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: team, Name: vmName, UID: uid, Generation: 3,
			Labels: desired.Labels(web(vitistackv1alpha1.Ledger{}), desired.Options{SupervisorUID: supervisorID}),
			Annotations: map[string]string{
				vitistackv1alpha1.AnnotationPlacementNonce: nonce,
			},
		},
		Spec: kubevirtv1.VirtualMachineSpec{RunStrategy: ptr.To(kubevirtv1.RunStrategyHalted),
			Template: &kubevirtv1.VirtualMachineInstanceTemplateSpec{}},
	}
	vm.Spec.Template.Spec.Volumes = []kubevirtv1.Volume{{Name: "root", VolumeSource: kubevirtv1.VolumeSource{
		DataVolume: &kubevirtv1.DataVolumeSource{Name: "web-root"}}}}
	for _, each := range change {
		each(vm)
	}
	return vm
}

// disk is the claim behind the guest's disk.
func disk() *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: "web-root",
		UID: "claim-1", Labels: guest("", "").Labels}}
}

// export offers the guest's disks.
func export(name string) *exportv1.VirtualMachineExport {
	return &exportv1.VirtualMachineExport{ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: name,
		UID: types.UID("uid-of-" + name), Labels: guest("", "").Labels}}
}

func noted(pairs ...string) func(*kubevirtv1.VirtualMachine) {
	return func(vm *kubevirtv1.VirtualMachine) {
		for i := 0; i < len(pairs); i += 2 {
			vm.Annotations[pairs[i]] = pairs[i+1]
		}
	}
}

func always(vm *kubevirtv1.VirtualMachine) {
	vm.Spec.RunStrategy = ptr.To(kubevirtv1.RunStrategyAlways)
}
