package kubevirt_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
)

func TestWebhooksRefuse(t *testing.T) {
	w := worlds[kubevirt.Real]
	cases := map[string]struct {
		reason string
		change change
		field  string
	}{
		"bus": {
			reason: "a bus that there is none of",
			change: func(vm *kubevirtv1.VirtualMachine) {
				vm.Spec.Template.Spec.Domain.Devices.Disks[0].Disk.Bus = "floppy"
			},
			field: "spec.template.spec.domain.devices.disks[0].disk.bus",
		},
		"disk without volume": {
			reason: "a disk must have a volume of its name",
			change: func(vm *kubevirtv1.VirtualMachine) {
				vm.Spec.Template.Spec.Volumes[0].Name = "other"
			},
			field: "spec.template.spec.domain.devices.disks[0].name",
		},
		"interface without network": {
			reason: "an interface must have a network of its name",
			change: func(vm *kubevirtv1.VirtualMachine) {
				vm.Spec.Template.Spec.Networks[0].Name = "other"
			},
			field: "spec.template.spec.domain.devices.interfaces[0].name",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := w.client.Create(t.Context(), machine(metav1.NamespaceDefault, "refused", c.change), client.DryRunAll)
			if err == nil {
				t.Fatalf("%s: it was taken", c.reason)
			}
			if fields := fieldsOf(err); len(fields) == 0 || fields[0] != c.field {
				t.Errorf("%s: fields %q, want %q: %v", c.reason, fields, c.field, err)
			}
		})
	}
}

// fieldsOf are the fields that an API server's refusal names.
func fieldsOf(err error) []string {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	var fields []string
	for _, cause := range status.Status().Details.Causes {
		fields = append(fields, cause.Field)
	}
	return fields
}

func TestSubresources(t *testing.T) {
	w := worlds[kubevirt.Real]
	vm := machine(w.namespace(t), "vm")
	w.create(t, vm)
	first := w.guest(t, vm, kubevirtv1.Running)
	w.call(t, vm, "virtualmachines", "restart")
	second := w.guest(t, vm, kubevirtv1.Running, first.UID)
	w.call(t, vm, "virtualmachines", "stop")
	w.gone(t, second)
	w.call(t, vm, "virtualmachines", "start")
	w.guest(t, vm, kubevirtv1.Running, first.UID, second.UID)
	w.wantVisible(t, vm, "a machine that was started by virtctl runs", running("vm"))
	w.call(t, vm, "virtualmachineinstances", "pause")
	w.shows(t, vm, kubevirtv1.VirtualMachineStatusPaused)
	w.call(t, vm, "virtualmachineinstances", "unpause")
	w.shows(t, vm, kubevirtv1.VirtualMachineStatusRunning)
}

// shows waits for KubeVirt's own summary of a virtual machine.
func (w *world) shows(t *testing.T, vm *kubevirtv1.VirtualMachine, status kubevirtv1.VirtualMachinePrintableStatus) {
	t.Helper()
	eventually.Eventually(t, patience, "the machine is "+string(status), func(ctx context.Context) error {
		if err := w.client.Get(ctx, client.ObjectKeyFromObject(vm), vm); err != nil {
			return err
		}
		if vm.Status.PrintableStatus != status {
			return fmt.Errorf("it is %s", vm.Status.PrintableStatus)
		}
		return nil
	})
}

// call asks virt-api, through the API server's aggregator, to do something with a virtual machine or
// with its guest.
func (w *world) call(t *testing.T, vm *kubevirtv1.VirtualMachine, resource, subresource string) {
	t.Helper()
	config := rest.CopyConfig(w.cluster.Config())
	config.GroupVersion = &schema.GroupVersion{Group: "subresources.kubevirt.io", Version: "v1"}
	config.APIPath = "/apis"
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	c, err := rest.RESTClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	err = c.Put().Namespace(vm.Namespace).Resource(resource).Name(vm.Name).SubResource(subresource).
		Body([]byte("{}")).Do(t.Context()).Error()
	if err != nil {
		t.Fatalf("%s: %v", subresource, err)
	}
}

func TestKubeVirtReportsItself(t *testing.T) {
	inBothModes(t, func(t *testing.T, w *world, _ string) {
		kv := &kubevirtv1.KubeVirt{}
		if err := w.client.Get(t.Context(), client.ObjectKey{Namespace: kubevirt.Namespace, Name: "kubevirt"},
			kv); err != nil {
			t.Fatal(err)
		}
		got := map[kubevirtv1.KubeVirtConditionType]corev1.ConditionStatus{}
		for _, c := range kv.Status.Conditions {
			got[c.Type] = c.Status
		}
		want := map[kubevirtv1.KubeVirtConditionType]corev1.ConditionStatus{
			"Available": "True", "Progressing": "False", "Degraded": "False", "Created": "True",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("conditions: -want +got:\n%s", diff)
		}
		if kv.Status.Phase != kubevirtv1.KubeVirtPhaseDeployed ||
			kv.Status.ObservedKubeVirtVersion != kubevirt.KubeVirtVersion {
			t.Errorf("phase %s, version %s", kv.Status.Phase, kv.Status.ObservedKubeVirtVersion)
		}
	})
}
