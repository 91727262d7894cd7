package machine_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
)

// TestTakeOver: what an earlier version wrote is taken over with one record of the network for each
// Machine, and our finalizer on its NetworkConfigurations. No spec in the remote cluster is
// changed.
func TestTakeOver(t *testing.T) {
	w := newHeritage(t)
	told := events.NewFakeRecorder(100)
	w.options = append(w.options, machine.WithEvents(told))
	before := w.snapshot()
	w.settleAll()
	if len(told.Events) > 0 {
		t.Errorf("people were told of a change: %s", <-told.Events)
	}
	after := w.snapshot()

	allow(t, before, after)
	for key := range before[east] {
		if diff := cmp.Diff(before[east][key], after[east][key]); diff != "" {
			t.Errorf("%s of a running guest was changed (-before +after):\n%s", key, diff)
		}
	}
	for cluster := range before {
		if diff := cmp.Diff(slices.Sorted(maps.Keys(before[cluster])), slices.Sorted(maps.Keys(after[cluster]))); diff != "" {
			t.Errorf("objects of %s (-before +after):\n%s", cluster, diff)
		}
	}
	for key, was := range before[supervisor] {
		is := after[supervisor][key]
		switch {
		case strings.HasPrefix(key, "Machine "):
			wantRecordOnly(t, key, was, is)
		case strings.HasPrefix(key, "NetworkConfiguration "):
			(&unstructured.Unstructured{Object: was}).SetFinalizers([]string{vitistackv1alpha1.FinalizerNetworkConfiguration})
			fallthrough
		default:
			if diff := cmp.Diff(was, is); diff != "" {
				t.Errorf("%s (-want +got):\n%s", key, diff)
			}
		}
	}
	if writes := w.count("patch Machine"); writes != len(w.machines) {
		t.Errorf("%d writes of %d Machines, want one of each, with its network record", writes, len(w.machines))
	}
}

// unaddressed are the Machines without an address, of which the earlier version said that addresses
// are there.
var unaddressed = map[string]string{
	"Machine plain/stopped": "its guest does not run",
	"Machine plain/adopted": "neither its guest nor its NetworkConfiguration has one",
	"Machine later/web":     "the interface that was hot-plugged has none",
}

// allow makes the two changes to before that the earlier version's adoption of plain/adopted leaves
// to do. It had written down the interface that it would have made: in the wish on the virtual
// machine, and with an address that no guest ever had.
func allow(t *testing.T, before, after map[string]map[string]map[string]any) {
	t.Helper()
	const vm, nc = "VirtualMachine plain/vm-adopted", "NetworkConfiguration plain/adopted"
	path := []string{"metadata", "annotations", vitistackv1alpha1.AnnotationAppliedWish}
	wish, _, _ := unstructured.NestedString(after[east][vm], path...)
	if !strings.Contains(wish, `"Interfaces":["nic0"]`) {
		t.Errorf("the wish of %s does not name its interface: %s", vm, wish)
	}
	if err := unstructured.SetNestedField(before[east][vm], wish, path...); err != nil {
		t.Fatal(err)
	}
	only := []any{map[string]any{"name": "nic0", "macAddress": "02:00:00:00:00:ad"}}
	if err := unstructured.SetNestedSlice(before[supervisor][nc], only, "spec", "networkInterfaces"); err != nil {
		t.Fatal(err)
	}
}

// wantRecordOnly holds that a Machine got its network record, and that whatever was True still is.
func wantRecordOnly(t *testing.T, key string, was, is map[string]any) {
	t.Helper()
	var before, after vitistackv1alpha1.Machine
	for content, into := range map[*vitistackv1alpha1.Machine]map[string]any{&before: was, &after: is} {
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(into, content); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := vitistackv1alpha1.ParseNetworkRecord(
		after.Annotations[vitistackv1alpha1.AnnotationPlacementNetwork]); err != nil {
		t.Errorf("%s has no network record: %v", key, err)
	}
	delete(after.Annotations, vitistackv1alpha1.AnnotationPlacementNetwork)
	if diff := cmp.Diff(before.ObjectMeta, after.ObjectMeta); diff != "" {
		t.Errorf("%s: metadata beside the network record (-before +after):\n%s", key, diff)
	}
	if diff := cmp.Diff(before.Spec, after.Spec); diff != "" {
		t.Errorf("%s: spec (-before +after):\n%s", key, diff)
	}
	for _, condition := range before.Status.Conditions {
		now := after.Status.Condition(condition.Type)
		if _, waits := unaddressed[key]; waits && condition.Type == vitistackv1alpha1.ConditionNetworkReady {
			continue
		}
		if condition.Status == metav1.ConditionTrue && (now == nil || now.Status != metav1.ConditionTrue) {
			t.Errorf("%s: %s was True (%s) and is now %+v", key, condition.Type, condition.Message, now)
		}
	}
	if before.Status.Phase != after.Status.Phase || after.Status.ObservedGeneration != after.Generation {
		t.Errorf("%s: the phase was %s and is %s, generation %d of %d is observed", key,
			before.Status.Phase, after.Status.Phase, after.Status.ObservedGeneration, after.Generation)
	}
}

// TestTakeOverRests: once an old Machine is taken over nothing is written any more, whoever
// reconciles it.
func TestTakeOverRests(t *testing.T) {
	w := newHeritage(t)
	w.settleAll()
	w.forget()
	for range 3 {
		for _, key := range w.machines {
			w.pass(w.reconciler(), key)
		}
	}
	if written := w.written(); len(written) > 0 {
		t.Errorf("at rest there was written: %v", written)
	}
	r := w.reconciler()
	for range 3 {
		for _, key := range w.machines {
			w.pass(r, key)
		}
	}
	before := w.manager.GetOrCreateFromMachineCalls
	for _, key := range w.machines {
		w.pass(r, key)
	}
	if passes := w.manager.GetOrCreateFromMachineCalls - before; passes > 0 {
		t.Errorf("%d of %d Machines do not rest", passes, len(w.machines))
	}
}

// TestTakeOverThenDelete: each old Machine can be deleted, with its virtual machine, its disks and
// its NetworkConfigurations, and nothing else.
func TestTakeOverThenDelete(t *testing.T) {
	for name, settled := range map[string]bool{"TakenOver": true, "AtOnce": false} {
		t.Run(name, func(t *testing.T) {
			w := newHeritage(t)
			if settled {
				w.settleAll()
			}
			for _, key := range w.machines {
				t.Run(key.String(), func(t *testing.T) { w.deleteHeir(t, key) })
			}
			for key := range w.content(east) {
				switch kind, _, _ := strings.Cut(key, " "); kind {
				case "VirtualMachine", "VirtualMachineInstance", "DataVolume", "PersistentVolumeClaim", "Secret":
					t.Errorf("%s is left", key)
				}
			}
		})
	}
}

// deleteHeir deletes a Machine, plays the remote cluster's part, and compares what is gone with
// what belonged to it.
func (w *heritage) deleteHeir(t *testing.T, key types.NamespacedName) {
	t.Helper()
	before := w.snapshot()
	m := &vitistackv1alpha1.Machine{}
	if err := w.clients[supervisor].Get(t.Context(), key, m); err != nil {
		t.Fatal(err)
	}
	belongings := w.belongings(before, m)
	if err := w.clients[supervisor].Delete(t.Context(), m, client.Preconditions{UID: &m.UID}); err != nil {
		t.Fatal(err)
	}
	for range maxPasses {
		w.pass(w.reconciler(), key)
		w.playRemote()
		if w.clients[supervisor].Get(t.Context(), key, m) != nil {
			break
		}
	}
	after := w.snapshot()
	gone := map[string][]string{}
	for cluster, objects := range before {
		for name, was := range objects {
			is, found := after[cluster][name]
			if !found {
				gone[cluster] = append(gone[cluster], name)
			} else if diff := cmp.Diff(was, is); diff != "" {
				t.Errorf("%s of another Machine was changed (-before +after):\n%s", name, diff)
			}
		}
		slices.Sort(gone[cluster])
	}
	if diff := cmp.Diff(belongings, gone); diff != "" {
		t.Errorf("deleted (-want +got):\n%s%+v", diff, m.Status.Conditions)
	}
}
