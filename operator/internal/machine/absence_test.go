package machine_test

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
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

func TestCreationThatHasToWait(t *testing.T) {
	wants := func(m *vitistackv1alpha1.Machine) {
		m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{
			UserDataSecretRef: &vitistackv1alpha1.CloudInitSourceRef{Name: "init"},
		}
	}
	w := newWorld(t, []string{east}, newMachine(in(east), wants))
	result := w.mustSettle()
	got := []any{w.machine().Status.Phase, w.condition("Ready"), w.where(), result.RequeueAfter > 0}
	want := []any{vitistackv1alpha1.MachinePhaseCreating, "False/CloudInitSourceMissing", "", true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("without the Secret (-want +got):\n%s", diff)
	}
	w.put(supervisor, secret(types.NamespacedName{Namespace: namespace, Name: "init"},
		map[string]string{"userdata": "password: hunter2"}))
	w.mustSettle()
	if diff := cmp.Diff(at(east), w.outcome().without(at(east))); diff != "" {
		t.Errorf("with the Secret (-want +got):\n%s", diff)
	}
	for name, vm := range w.vms() {
		if text := fmt.Sprintf("%+v", vm.Spec); strings.Contains(text, "hunter2") {
			t.Errorf("%s shows what is in the Secret", name)
		}
	}
}

func TestNamespaceIsCreated(t *testing.T) {
	w := newWorld(t, []string{east}, newMachine(in(east)))
	w.remove(east, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	w.mustSettle()
	if diff := cmp.Diff(at(east), w.outcome().without(at(east))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestAbsenceIsProven: what the cache lacks may be there, and what a cluster does not say is not
// known.
func TestAbsenceIsProven(t *testing.T) {
	t.Run("TheCacheIsBehind", func(t *testing.T) {
		w := placed(t)
		live := w.clients[east]
		w.manager.AddMockedClient(east, forgetful{live})
		w.manager.LiveFunc = func(string) (client.Reader, error) { return live, nil }
		w.forget()
		w.mustSettle()
		if created := slices.Contains(w.written(), creating.String()); created || w.where() != at(east).VMs {
			t.Errorf("created again: %t; VirtualMachines %s", created, w.where())
		}
	})
	t.Run("JustCreated", func(t *testing.T) {
		w := newWorld(t, []string{east}, newMachine(in(east), wantsSecret))
		live := w.clients[east]
		w.manager.AddMockedClient(east, forgetful{live})
		looks := 0
		w.manager.LiveFunc = func(string) (client.Reader, error) { looks++; return live, nil }
		r := w.reconciler()
		pass := func() {
			t.Helper()
			if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: webKey}); err != nil {
				t.Fatal(err)
			}
		}
		pass()
		w.forget()
		looks = 0
		pass()
		want := []string{"supervisor: patch Machine", "supervisor: patch status of Machine"}
		if diff := cmp.Diff(want, w.written()); diff != "" || looks > 3 {
			t.Errorf("a cache that is behind costs one look: %d reads, writes (-want +got):\n%s", looks, diff)
		}
		w.isWhole(t)
		vm := w.vms()[east+"/vm-web"]
		w.remove(east, &vm)
		pass()
		if got := w.condition("Ready"); got != "False/Vanished" {
			t.Errorf("what was recorded and is gone is %s", got)
		}
	})
	t.Run("NobodyAnswers", func(t *testing.T) {
		w := newWorld(t, []string{east}, newMachine(in(east)))
		w.before = fail(creating, errCrash)
		if _, err := w.reconcile(); err == nil {
			t.Fatal("nothing crashed")
		}
		w.before = nil
		w.manager.LiveFunc = func(config string) (client.Reader, error) {
			return nil, &clientmgr.ConnectionError{Config: config, Reason: clientmgr.ErrNotConnected, Message: "no answer"}
		}
		w.mustSettle()
		if got := w.where(); got != "" || w.machine().Status.Phase == vitistackv1alpha1.MachinePhaseFailed {
			t.Errorf("VirtualMachines %q, phase %s", got, w.machine().Status.Phase)
		}
	})
	t.Run("SomebodyWasFaster", func(t *testing.T) {
		w := newWorld(t, []string{east}, newMachine(in(east)))
		w.before = fail(creating, apierrors.NewAlreadyExists(virtualMachines, vmName))
		if result, err := w.reconcile(); err != nil || result.RequeueAfter == 0 {
			t.Fatalf("%v, %v", result, err)
		}
		w.before = nil
		w.put(east, foundVM(foreign))
		w.mustSettle()
		if got := w.condition("Ready"); got != "False/NameCollision" {
			t.Error(got)
		}
	})
}

// forgetful is the client of a cache that has no VirtualMachine yet.
type forgetful struct{ client.Client }

func (f forgetful) Get(
	ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption,
) error {
	if _, ok := object.(*kubevirtv1.VirtualMachine); ok {
		return apierrors.NewNotFound(virtualMachines, key.Name)
	}
	return f.Client.Get(ctx, key, object, opts...)
}

// TestVanished: what was there and is gone is made again only with consent, and one consent is for
// one time.
func TestVanished(t *testing.T) {
	w := placed(t)
	for range 2 {
		gone := w.vms()[east+"/vm-web"]
		w.remove(east, &gone)
		w.mustSettle()
		if diff := cmp.Diff([]string{"False/Vanished", ""}, []string{w.condition("Ready"), w.where()}); diff != "" {
			t.Fatalf("without consent (-want +got):\n%s", diff)
		}
		w.editMachine(annotated(vitistackv1alpha1.AnnotationRecreate, string(gone.UID)))
		w.mustSettle()
		if diff := cmp.Diff(at(east).VMs, w.where()); diff != "" {
			t.Fatalf("with consent (-want +got):\n%s", diff)
		}
	}
}
