package machine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/brake"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

const (
	confirmDeletion = vitistackv1alpha1.AnnotationConfirmDeletion
	keepVM          = vitistackv1alpha1.AnnotationKeepVM
	isHeldNow       = "True/" + vitistackv1alpha1.ReasonDeletionHeld
)

// braking is a brake that two Machines bite.
func braking() machine.Option {
	settings := worldSettings()
	settings.Brake = brake.Rule{Number: 1, Percent: 30, Window: 5 * time.Minute}
	return machine.WithSettings(settings)
}

// pruned is a world in which the Machine web runs in east, and is being deleted with another one.
func pruned(t *testing.T) *world {
	t.Helper()
	w := furnish(t)
	w.options = []machine.Option{braking(), chain()}
	w.put(supervisor, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	other := newMachine(func(m *vitistackv1alpha1.Machine) {
		m.Name, m.UID, m.Finalizers = "other", anotherUID, []string{vitistackv1alpha1.FinalizerMachine}
		m.Status.KubevirtConfigRef = &vitistackv1alpha1.KubevirtConfigReferenceStatus{Name: east}
	})
	w.put(supervisor, other)
	for _, m := range []*vitistackv1alpha1.Machine{other, w.machine()} {
		w.remove(supervisor, m)
	}
	return w
}

// TestDeletionIsHeld: nothing is asked of the remote cluster and nothing changed there, by however many
// processes, until a person says so.
func TestDeletionIsHeld(t *testing.T) {
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	for name, confirm := range map[string]func(*world){
		"Machine": func(w *world) { w.editMachine(annotated(confirmDeletion, "true")) },
		"Namespace": func(w *world) {
			edit(w, supervisor, types.NamespacedName{Name: namespace}, &corev1.Namespace{}, func(n *corev1.Namespace) {
				n.Annotations = map[string]string{confirmDeletion: until}
			})
		},
		"Config": func(w *world) {
			w.put(supervisor, &vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Name: east,
				Namespace: worldSettings().ConfigsNamespace, Annotations: map[string]string{confirmDeletion: until}}})
		},
		"Off": func(w *world) { w.options = []machine.Option{machine.WithSettings(worldSettings())} },
	} {
		t.Run(name, func(t *testing.T) {
			w := pruned(t)
			before := w.vms()[east+"/vm-web"]
			w.mustSettle()
			if got := w.condition("DeletionHeld") + " " + w.condition("Ready"); got != isHeldNow+" False/DeletionHeld" {
				t.Fatalf("the deletion is %s", got)
			}
			for range 3 {
				w.forget()
				if _, err := w.reconcile(); err != nil {
					t.Fatal(err)
				}
				asked := w.called(func(c call) bool { return c.cluster == east && (c.writes() || c.verb == "list") })
				if len(asked)+len(w.written()) > 0 {
					t.Errorf("a held Machine costs %v and writes %v", asked, w.written())
				}
			}
			message := w.machine().Status.Condition("Ready").Message
			for _, word := range []string{"kubectl machine confirm team-a/web", confirmDeletion,
				"kubectl machine keep team-a/web", keepVM} {
				if !strings.Contains(message, word) {
					t.Errorf("the message does not say %q: %s", word, message)
				}
			}
			if after := w.vms()[east+"/vm-web"]; after.ResourceVersion != before.ResourceVersion {
				t.Error("the virtual machine of a held Machine was changed")
			}
			confirm(w)
			if _, err := w.reconcile(); err != nil {
				t.Fatal(err)
			}
			if len(w.vms()) != 0 {
				t.Error("the virtual machine is there after a person let it go")
			}
			if m := w.machine(); m != nil && w.condition("DeletionHeld") != "False/DeletionReleased" {
				t.Errorf("DeletionHeld is %s", w.condition("DeletionHeld"))
			}
		})
	}
}

// TestNotHeld: what needs no permission, although the brake bites.
func TestNotHeld(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		change func(*world)
	}{
		"Begun": {
			reason: "A deletion whose disks were written down has begun.",
			change: func(w *world) { w.editMachine(annotated(vitistackv1alpha1.AnnotationPlacementDisks, "[]")) },
		},
		"Released": {
			reason: "Who released this very Machine has been asked.",
			change: func(w *world) { w.editMachine(annotated(vitistackv1alpha1.AnnotationForceRelease, east)) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := pruned(t)
			tc.change(w)
			if _, err := w.reconcile(); err != nil {
				t.Fatal(err)
			}
			if len(w.vms()) != 0 {
				t.Errorf("%s It is %s: %s", tc.reason, w.condition("Ready"), w.machine().Status.Condition("Ready").Message)
			}
		})
	}
}

// TestBrakeOutlivesForcedRelease: a cluster that gives no answer does not keep a person from letting a
// held Machine go.
func TestBrakeOutlivesForcedRelease(t *testing.T) {
	w := pruned(t)
	w.mustSettle()
	w.silence(east)
	w.editMachine(annotated(vitistackv1alpha1.AnnotationForceRelease, east))
	w.mustSettle()
	if m := w.machine(); m != nil {
		t.Errorf("the Machine is still there: %s", m.Status.Condition("Ready").Message)
	}
}

// TestKeptIsInherited: a person keeps the virtual machine, the Machine goes without a call to its
// cluster, and the next one of its name has everything as it was, whatever it says about clusters.
func TestKeptIsInherited(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		keep   func(*vitistackv1alpha1.Machine)
		heir   []func(*vitistackv1alpha1.Machine)
		ready  string
	}{
		"SameManifest": {
			reason: "A manifest that names the cluster gets its virtual machine back.",
			keep:   annotated(keepVM, "true"),
			heir:   []func(*vitistackv1alpha1.Machine){in(east), wantsSecret},
			ready:  "True/Ready",
		},
		"NamesNone": {
			reason: "A manifest that names no cluster gets it back, too.",
			keep:   annotated(keepVM, "true"),
			heir:   []func(*vitistackv1alpha1.Machine){wantsSecret},
			ready:  "True/Ready",
		},
		"NamesAnother": {
			reason: "A manifest that names another cluster gets no second guest.",
			keep:   annotated(keepVM, "true"),
			heir:   []func(*vitistackv1alpha1.Machine){in(west), wantsSecret},
			ready:  "False/AlreadyPlaced",
		},
		"AppliedAnew": {
			reason: "A held Machine whose spec is changed is wanted again.",
			keep:   func(m *vitistackv1alpha1.Machine) { m.Generation = 7 },
			heir:   []func(*vitistackv1alpha1.Machine){in(east), wantsSecret},
			ready:  "True/Ready",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := pruned(t)
			w.mustSettle()
			before := w.vms()[east+"/vm-web"]
			w.editMachine(tc.keep)
			w.forget()
			if _, err := w.reconcile(); err != nil {
				t.Fatal(err)
			}
			asked := w.called(func(c call) bool { return c.cluster == east && (c.writes() || c.verb == "list") })
			if kept := w.vms()[east+"/vm-web"]; w.machine() != nil || kept.ResourceVersion != before.ResourceVersion ||
				len(asked) > 0 {
				t.Fatalf("the Machine is %v, its cluster was asked %v", w.machine(), asked)
			}
			nc := &vitistackv1alpha1.NetworkConfiguration{}
			if err := w.clients[supervisor].Get(t.Context(), webKey, nc); err != nil {
				t.Fatal(err)
			}
			if len(nc.OwnerReferences)+len(nc.Finalizers) > 0 {
				t.Errorf("the addresses go with the Machine, or hold a namespace: %v, %v", nc.OwnerReferences, nc.Finalizers)
			}
			heir := newMachine(tc.heir...)
			heir.UID = heirUID
			w.put(supervisor, heir)
			w.mustSettle()
			if got := w.condition("Ready"); got != tc.ready || len(w.vms()) != 1 {
				t.Fatalf("%s Ready is %s: %s; there are %d virtual machines", tc.reason, got,
					w.machine().Status.Condition("Ready").Message, len(w.vms()))
			}
			if tc.ready != "True/Ready" {
				return
			}
			after := w.vms()[east+"/vm-web"]
			if !desired.IsOurs(after.Labels, heirUID, supervisorID) {
				t.Errorf("it is labelled %v", after.Labels)
			}
			after.Spec.Template.ObjectMeta.Labels = before.Spec.Template.ObjectMeta.Labels
			if diff := cmp.Diff(before.Spec, after.Spec); diff != "" || after.UID != before.UID {
				t.Errorf("the virtual machine was changed (-want +got):\n%s", diff)
			}
			w.hasAddress(t, before.Spec.Template.Spec.Domain.Devices.Interfaces[0].MacAddress)
			book := &corev1.ConfigMap{}
			key := client.ObjectKey{Namespace: worldSettings().ConfigsNamespace, Name: vitistackv1alpha1.DeletionsConfigMap}
			if err := w.clients[supervisor].Get(t.Context(), key, book); err != nil || len(book.Data) > 0 {
				t.Errorf("what was inherited still waits: %v, %v", book.Data, err)
			}
		})
	}
}

// TestChangesAreHeld: of two Machines that are halted at once the second is held until a person lets it
// go; a change that disturbs no guest is not asked about.
func TestChangesAreHeld(t *testing.T) {
	w := newWorld(t, []string{east})
	w.options = []machine.Option{braking()}
	r := w.reconciler()
	pass := func(name string) *vitistackv1alpha1.Machine {
		t.Helper()
		key := types.NamespacedName{Namespace: namespace, Name: name}
		for range 4 {
			if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: key}); err != nil {
				t.Fatal(err)
			}
		}
		m := &vitistackv1alpha1.Machine{}
		if err := w.clients[supervisor].Get(t.Context(), key, m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	names := []string{"a", "b", "c"}
	for i, name := range names {
		m := newMachine(in(east))
		m.Name, m.UID = name, types.UID(fmt.Sprintf("6f1d1a5e-0000-4000-8000-00000000010%d", i))
		w.put(supervisor, m)
		for range 3 { // a fresh process keeps the books at once
			r = w.reconciler()
			pass(name)
		}
		w.runs("vm-" + name)
	}
	r = w.reconciler()
	change := func(name string, change func(*vitistackv1alpha1.Machine)) *vitistackv1alpha1.Machine {
		t.Helper()
		edit(w, supervisor, types.NamespacedName{Namespace: namespace, Name: name}, &vitistackv1alpha1.Machine{},
			func(m *vitistackv1alpha1.Machine) { change(m); m.Generation++ })
		return pass(name)
	}
	halt := func(m *vitistackv1alpha1.Machine) { m.Spec.RunStrategy = vitistackv1alpha1.RunStrategyHalted }
	strategy := func(name string) string {
		vm := w.vms()[east+"/vm-"+name]
		is, err := vm.RunStrategy()
		if err != nil {
			t.Fatal(err)
		}
		return string(is)
	}
	change("a", halt)
	held := change("b", halt)
	if strategy("a") != "Halted" || strategy("b") == "Halted" {
		t.Fatalf("a is %s, b is %s", strategy("a"), strategy("b"))
	}
	if c := held.Status.Condition("Ready"); c.Reason != vitistackv1alpha1.ReasonChangeHeld ||
		!strings.Contains(c.Message, "kubectl machine confirm --change team-a/b") {
		t.Errorf("b says %+v", c)
	}
	change("c", func(m *vitistackv1alpha1.Machine) { m.Spec.RunStrategy = vitistackv1alpha1.RunStrategyManual })
	if strategy("c") != "Manual" {
		t.Errorf("a change that stops no guest is held: c is %s", strategy("c"))
	}
	r = w.reconciler() // the next process holds it, too
	pass("b")
	if strategy("b") == "Halted" {
		t.Error("a restart lets a held change go")
	}
	change("b", annotated(vitistackv1alpha1.AnnotationConfirmChange, "true"))
	if strategy("b") != "Halted" {
		t.Errorf("a confirmed change is held: b is %s", strategy("b"))
	}
}

// runs makes a virtual machine of east one whose guest runs.
func (w *world) runs(name string) {
	w.t.Helper()
	edit(w, east, types.NamespacedName{Namespace: namespace, Name: name}, &kubevirtv1.VirtualMachine{},
		func(vm *kubevirtv1.VirtualMachine) {
			vm.Status.PrintableStatus, vm.Status.Ready, vm.Status.Created = kubevirtv1.VirtualMachineStatusRunning, true, true
		})
}
