package machine_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// fail makes one kind of call fail.
func fail(at call, err error) func(call) error {
	return func(c call) error {
		if c == at {
			return err
		}
		return nil
	}
}

var (
	virtualMachines = schema.GroupResource{Group: "kubevirt.io", Resource: "virtualmachines"}
	creating        = call{east, "create", anyVM}
)

func forbidden(resource string) error {
	return apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "it", errors.New("not allowed"))
}

func TestCreationThatIsRefused(t *testing.T) {
	disk := desired.DataVolumeName(vmName, "root", machineUID)
	cases := map[string]struct {
		reason string
		change func(*vitistackv1alpha1.Machine)
		before func(*world)
		phase  vitistackv1alpha1.MachinePhase
		ready  string
		says   string
		again  bool // looked at again without an event
	}{
		"Webhook": {
			reason: "a rejection is a person's to solve, and shown in its own words",
			before: func(w *world) {
				w.before = fail(creating, apierrors.NewInvalid(kubevirtv1.VirtualMachineGroupVersionKind.GroupKind(), vmName, nil))
			},
			phase: "Failed", ready: "False/Rejected", says: "is invalid", again: true,
		},
		"Quota": {
			reason: "a quota that refuses is asked again, because nobody tells when it was raised",
			before: func(w *world) { w.before = fail(creating, forbidden("virtualmachines")) },
			phase:  "Failed", ready: "False/Rejected", says: "not allowed", again: true,
		},
		"NamespaceForbidden": {
			reason: "a namespace that is missing and may not be made is named",
			before: func(w *world) {
				w.remove(east, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
				w.before = fail(call{east, "create", "Namespace"}, forbidden("namespaces"))
			},
			phase: "Failed", ready: "False/NamespaceMissing", says: namespace, again: true,
		},
		"DataVolume": {
			reason: "a DataVolume of a wanted name would be taken for the Machine's disk by KubeVirt",
			before: func(w *world) {
				w.put(east, &cdiv1beta1.DataVolume{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: disk}})
			},
			phase: "Failed", ready: "False/DiskCollision", says: disk, again: true,
		},
		"Claim": {
			reason: "a PVC of a wanted name would be taken for the Machine's disk by KubeVirt",
			before: func(w *world) {
				w.put(east, &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: disk}})
			},
			phase: "Failed", ready: "False/DiskCollision", says: disk, again: true,
		},
		"UnknownClass": {
			reason: "a name that is neither a class nor a built-in size is refused",
			change: func(m *vitistackv1alpha1.Machine) { m.Spec.InstanceType = "gigantic" },
			phase:  "Failed", ready: "False/UnknownClass", says: "gigantic", again: true,
		},
		"DisabledClass": {
			reason: "a class that is switched off counts, though a built-in size has its name",
			before: func(w *world) {
				w.put(supervisor, &vitistackv1alpha1.MachineClass{
					ObjectMeta: metav1.ObjectMeta{Name: "medium"}, Spec: vitistackv1alpha1.MachineClassSpec{Enabled: ptr.To(false)},
				})
			},
			phase: "Failed", ready: "False/ClassDisabled", says: "medium", again: true,
		},
		"TwoClasses": {
			reason: "two names for one setting that differ are refused",
			change: func(m *vitistackv1alpha1.Machine) { m.Spec.MachineClass = "large" },
			phase:  "Failed", ready: "False/ClassesDiffer", says: "large", again: true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := newMachine(in(east))
			if tc.change != nil {
				tc.change(m)
			}
			w := newWorld(t, []string{east, west}, m)
			if tc.before != nil {
				tc.before(w)
			}
			result, err := w.reconcile()
			status := w.machine().Status
			got := []any{status.Phase, w.condition("Ready"), w.where(), result.RequeueAfter > 0, err}
			if diff := cmp.Diff([]any{tc.phase, tc.ready, "", tc.again, error(nil)}, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if message := status.Condition("Ready").Message; !strings.Contains(message, tc.says) {
				t.Errorf("%s: %q does not say %q", tc.reason, message, tc.says)
			}
			if status.FailureMessage == "" {
				t.Errorf("%s: no failure is told", tc.reason)
			}
			w.before = nil
			w.neighbour(t)
		})
	}
}

// neighbour checks that another Machine gets its VirtualMachine all the same.
func (w *world) neighbour(t *testing.T) {
	t.Helper()
	w.put(supervisor, newMachine(in(west), func(m *vitistackv1alpha1.Machine) {
		m.Name, m.UID, m.Spec.InstanceType = "neighbour", anotherUID, "small"
	}))
	if err := w.reconcileNamed("neighbour"); err != nil {
		t.Fatal(err)
	}
	if _, found := w.vms()[west+"/vm-neighbour"]; !found {
		t.Error("another Machine has no VirtualMachine")
	}
}

func (w *world) remove(cluster string, object client.Object) {
	w.t.Helper()
	if !w.exists(cluster, object) {
		w.t.Fatalf("%s has no %s", cluster, object.GetName())
	}
	uid := object.GetUID()
	if err := w.clients[cluster].Delete(w.t.Context(), object, client.Preconditions{UID: &uid}); err != nil {
		w.t.Fatal(err)
	}
}
