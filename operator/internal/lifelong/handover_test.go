package lifelong

import (
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// TestPublicFinalizer: the public operator's finalizer, which nobody else would take off after a
// hand-over, goes with the Machine.
func TestPublicFinalizer(t *testing.T) {
	t.Parallel()
	l := begin(t, east, "public-finalizer", func(m *vitistackv1alpha1.Machine) {
		m.Finalizers = []string{vitistackv1alpha1.FinalizerMachinePublic}
	})
	l.untilReady()
	l.remove()
	l.untilGone()
	if l.vm() != nil {
		t.Error("the VirtualMachine is left")
	}
}

// TestEmptyPrefix: with VM_NAME_PREFIX="" a VirtualMachine has its Machine's name, which the public
// operator looks for.
func TestEmptyPrefix(t *testing.T) {
	t.Parallel()
	l := begin(t, west, "empty-prefix", nil)
	l.untilReady()
	if got := l.read().Status.VMName; got != "empty-prefix" {
		t.Errorf("the VirtualMachine is called %q, want the Machine's name", got)
	}
	if l.vm() == nil {
		t.Error("there is no VirtualMachine of the Machine's name")
	}
}

// publicVM makes what the public operator leaves in both clusters of a Machine that it made.
func publicVM(t *testing.T, name string) types.UID {
	t.Helper()
	remoteNamespace(t, east, name)
	createYAML(t, world.remote[east], fmt.Sprintf(`apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: %[1]s, namespace: %[1]s, labels: {vitistack.io/managed-by: kubevirt-operator, vitistack.io/source-machine: %[1]s}}
spec: {accessModes: [ReadWriteMany], volumeMode: Block, resources: {requests: {storage: 1Gi}}}
---
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: %[1]s, namespace: %[1]s, labels: {vitistack.io/managed-by: kubevirt-operator, vitistack.io/source-machine: %[1]s}}
spec:
  runStrategy: Always
  template:
    metadata: {labels: {vitistack.io/managed-by: kubevirt-operator, vitistack.io/source-machine: %[1]s}}
    spec:
      networks: [{name: default, pod: {}}]
      volumes: [{name: root, persistentVolumeClaim: {claimName: %[1]s}}]
      domain: {memory: {guest: 1Gi}, devices: {disks: [{name: root, disk: {bus: virtio}}], interfaces: [{name: default, bridge: {}, macAddress: "02:12:00:00:00:f2"}]}}`, name))
	createYAML(t, world.supervisor, fmt.Sprintf(`apiVersion: vitistack.io/v1alpha1
kind: NetworkConfiguration
metadata: {name: %[1]s, namespace: %[1]s, labels: {vitistack.io/managed-by: kubevirt-operator, vitistack.io/source-machine: %[1]s}}
spec: {name: %[1]s, networkInterfaces: [{name: default, macAddress: "02:12:00:00:00:f2"}]}`, name))
	vm := &kubevirtv1.VirtualMachine{}
	if err := world.remote[east].Get(t.Context(), client.ObjectKey{Namespace: name, Name: name}, vm); err != nil {
		t.Fatal(err)
	}
	return vm.UID
}

// TestAdoptionIsNeverHalf: what the operator would refuse at a creation does not leave an adopted
// VirtualMachine without labels. Its disk is labelled too, and goes with the Machine.
func TestAdoptionIsNeverHalf(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		world  func(t *testing.T, namespace string)
		class  string
	}{
		"adopted-without-class": {reason: "the Machine's class was deleted long ago", class: "retired"},
		"adopted-two-networks": {
			reason: "there are two NetworkNamespaces and the Machine names none",
			world: func(t *testing.T, namespace string) {
				newNetwork(t, namespace, "one", 60)
				newNetwork(t, namespace, "two", 61)
			},
			class: "small",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newNamespace(t, name)
			if tc.world != nil {
				tc.world(t, name)
			}
			uid := publicVM(t, name)
			l := beginIn(t, east, name, name, func(m *vitistackv1alpha1.Machine) {
				m.Finalizers = []string{vitistackv1alpha1.FinalizerMachinePublic}
				m.Spec.InstanceType, m.Spec.MachineClass = "", tc.class
				m.Spec.Disks = []vitistackv1alpha1.MachineSpecDisk{{Name: "root", SizeGB: 1, Boot: true}}
			})
			l.until(tc.reason+": VM, instance and claim are labelled", func(m *vitistackv1alpha1.Machine) error {
				for _, object := range []client.Object{&kubevirtv1.VirtualMachine{}, &kubevirtv1.VirtualMachineInstance{},
					&corev1.PersistentVolumeClaim{}} {
					if !l.exists(object, name) || object.GetLabels()[vitistackv1alpha1.LabelMachineUID] != string(m.UID) {
						return fmt.Errorf("%T is not there or not labelled", object)
					}
				}
				return nil
			})
			if vm := l.vm(); vm.UID != uid {
				t.Errorf("another VirtualMachine was made: UID %s, want %s", vm.UID, uid)
			}
			l.until("the public operator's finalizer is off", func(m *vitistackv1alpha1.Machine) error {
				if slices.Contains(m.Finalizers, vitistackv1alpha1.FinalizerMachinePublic) {
					return fmt.Errorf("the finalizers are %q", m.Finalizers)
				}
				return nil
			})
			l.remove()
			l.untilGone()
			if l.vm() != nil || l.exists(&corev1.PersistentVolumeClaim{}, name) {
				t.Errorf("%s: the VirtualMachine or its disk is left", tc.reason)
			}
		})
	}
}
