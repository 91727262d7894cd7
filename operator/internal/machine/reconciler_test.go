package machine_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
)

// TestMachineReconciler_CreateVM is the sample of docs/specification.md's "Unit Tests", with the
// Machine put where the reconciler reads it.
func TestMachineReconciler_CreateVM(t *testing.T) {
	ctx, scheme := t.Context(), newScheme(t)

	// Setup mock client manager
	mockMgr := clientmgr.NewMockClientManager()
	fakeRemoteClient := fake.NewClientBuilder().WithScheme(scheme).Build()
	mockMgr.AddMockedClient("test-cluster", fakeRemoteClient)

	// Create test machine
	testMachine := &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{
			Name:      "test-machine",
			Namespace: "default",
			Annotations: map[string]string{
				"vitistack.io/kubevirt-config": "test-cluster",
			},
		},
		Spec: vitistackv1alpha1.MachineSpec{
			InstanceType: "medium",
		},
	}

	// Create reconciler with mock
	reconciler := machine.NewMachineReconciler(
		fake.NewClientBuilder().WithScheme(scheme).WithObjects(testMachine).WithStatusSubresource(testMachine).Build(),
		scheme,
		mockMgr,
	)

	// Test reconciliation
	_, err := reconciler.Reconcile(ctx, reconcile.Request{
		NamespacedName: types.NamespacedName{
			Name:      "test-machine",
			Namespace: "default",
		},
	})
	// Verify
	if err != nil {
		t.Errorf("Reconcile: %v", err)
	}
	if diff := cmp.Diff(1, mockMgr.GetOrCreateFromMachineCalls); diff != "" {
		t.Errorf("GetOrCreateFromMachineCalls (-want +got):\n%s", diff)
	}
}

// TestMachineReconciler_CreateVMOfServer is the same for a Machine that a server has given a UID:
// then there is a VirtualMachine.
func TestMachineReconciler_CreateVMOfServer(t *testing.T) {
	w := newWorld(t, []string{"test-cluster"}, newMachine(in("test-cluster")))
	w.options = nil // as in the sample
	for range 3 {
		if _, err := w.reconcile(); err != nil {
			t.Fatal(err)
		}
	}
	w.forget()
	if _, err := w.reconcile(); err != nil || len(w.written()) > 0 {
		t.Errorf("without settings, a Machine at rest: %v, writes %v", err, w.written())
	}
	if diff := cmp.Diff("test-cluster/vm-web of "+string(machineUID), w.where()); diff != "" {
		t.Errorf("VirtualMachines (-want +got):\n%s", diff)
	}
}

func TestReconcileWhatIsNotOurs(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*vitistackv1alpha1.Machine)
		vm     bool
	}{
		"Other": {reason: "another operator's Machines are not touched", change: provider("proxmox")},
		"SeedEra": {
			reason: "the specification reads providerConfig.name",
			change: func(m *vitistackv1alpha1.Machine) { m.Spec.ProviderConfig.Name = "proxmox" },
		},
		"Unset": {reason: "talos-operator may leave the provider empty", change: provider(""), vm: true},
		"Kubevirt": {
			reason: "a Machine of the provider kubevirt is ours",
			change: provider(vitistackv1alpha1.ProviderKubevirt), vm: true,
		},
		"Paused": {
			reason: "paused means that nothing is done",
			change: annotated(vitistackv1alpha1.AnnotationPaused, "true"),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, []string{east}, newMachine(in(east), tc.change))
			w.mustSettle()
			if got := len(w.vms()) == 1; got != tc.vm {
				t.Errorf("%s: VirtualMachines: %q", tc.reason, w.where())
			}
		})
	}
}

func provider(name string) func(*vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) { m.Spec.Provider = name }
}

// condition is a condition of the Machine web as Status/Reason, "" where it is not set.
func (w *world) condition(conditionType string) string {
	w.t.Helper()
	if c := w.machine().Status.Condition(conditionType); c != nil {
		return string(c.Status) + "/" + c.Reason
	}
	return ""
}

// ledger is the ledger of the Machine web; the zero value where there is none.
func (w *world) ledger() vitistackv1alpha1.Ledger {
	w.t.Helper()
	text := w.machine().Annotations[vitistackv1alpha1.AnnotationPlacement]
	if text == "" {
		return vitistackv1alpha1.Ledger{}
	}
	ledger, err := vitistackv1alpha1.ParseLedger(text)
	if err != nil {
		w.t.Fatal(err)
	}
	return ledger
}

// run makes KubeVirt's part of a VirtualMachine that runs.
func (w *world) run(config string) {
	w.t.Helper()
	vm := &kubevirtv1.VirtualMachine{}
	edit(w, config, types.NamespacedName{Namespace: namespace, Name: vmName}, vm, func(vm *kubevirtv1.VirtualMachine) {
		vm.Status.PrintableStatus, vm.Status.Ready, vm.Status.Created = kubevirtv1.VirtualMachineStatusRunning, true, true
	})
	vmi := &kubevirtv1.VirtualMachineInstance{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: vmName},
		Spec:       vm.Spec.Template.Spec,
		Status:     kubevirtv1.VirtualMachineInstanceStatus{Phase: kubevirtv1.Running, NodeName: "node-1"},
	}
	vmi.Labels = vm.Spec.Template.ObjectMeta.Labels
	w.put(config, vmi)
}

// exists tells whether an object is there.
func (w *world) exists(cluster string, object client.Object) bool {
	w.t.Helper()
	err := w.clients[cluster].Get(context.Background(), client.ObjectKeyFromObject(object), object)
	if client.IgnoreNotFound(err) != nil {
		w.t.Fatal(err)
	}
	return err == nil
}

func (w *world) networkConfiguration() bool {
	w.t.Helper()
	return w.exists(supervisor, &vitistackv1alpha1.NetworkConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: namespace,
		Name: webKey.Name}})
}

func secret(namespacedName types.NamespacedName, data map[string]string) *corev1.Secret {
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespacedName.Namespace, Name: namespacedName.Name},
		Data: map[string][]byte{}}
	for key, value := range data {
		s.Data[key] = []byte(value)
	}
	return s
}
