package machine_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/testkit/released"
)

// TestTakeOver: what an earlier version wrote is taken over with one record of the network for each
// Machine, and our finalizer on its NetworkConfigurations. The remote cluster is not written to.
func TestTakeOver(t *testing.T) {
	w := newHeritage(t)
	before := w.snapshot()
	w.settleAll()
	after := w.snapshot()

	forgetWish(before[east][adoptedEarlier], after[east][adoptedEarlier])
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
			hold(t, was)
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

// wantRecordOnly holds that a Machine got its network record, and that whatever was True still is.
func wantRecordOnly(t *testing.T, key string, was, is map[string]any) {
	t.Helper()
	var before, after vitistackv1alpha1.Machine
	for content, into := range map[*vitistackv1alpha1.Machine]map[string]any{&before: was, &after: is} {
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(into, content); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := vitistackv1alpha1.ParseNetworkRecord(after.Annotations[vitistackv1alpha1.AnnotationPlacementNetwork]); err != nil {
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
		if key == unaddressed[condition.Type+" "+key] {
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

// TestTakeOverRests: once an old Machine is taken over nothing is written any more, whoever reconciles it.
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
			for key := range w.snapshot()[east] {
				switch kind, _, _ := strings.Cut(key, " "); kind {
				case "VirtualMachine", "VirtualMachineInstance", "DataVolume", "PersistentVolumeClaim", "Secret":
					t.Errorf("%s is left", key)
				}
			}
		})
	}
}

// deleteHeir deletes a Machine, plays the remote cluster's part, and compares what is gone with what belonged to it.
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

// heritage is a world with the objects that an earlier version left.
type heritage struct {
	*world
	machines []types.NamespacedName
}

func newHeritage(t *testing.T) *heritage {
	t.Helper()
	mine, theirs := released.Objects(t)
	w := &heritage{world: newWorld(t, nil)}
	w.clients[east] = w.newCluster(east)
	clusterUID := string(uidOfSystem(t, theirs))
	w.manager.AddMockedClient(east, w.clients[east])
	w.manager.SetState(clientmgr.State{
		Config: east, Phase: clientmgr.Connected, Reason: clientmgr.ReasonConnected, ClusterUID: clusterUID, IdentityVerified: metav1.ConditionTrue,
	})
	for _, object := range theirs {
		w.load(east, object)
	}
	for _, object := range mine {
		w.load(supervisor, object)
		if m, is := object.(*vitistackv1alpha1.Machine); is {
			w.machines = append(w.machines, client.ObjectKeyFromObject(m))
		}
	}
	settings := worldSettings()
	settings.Desired.SupervisorUID = string(uidOfSystem(t, mine))
	w.options = []machine.Option{machine.WithSettings(settings)}
	w.forget()
	return w
}

// uidOfSystem is a cluster's identity: the UID of its namespace kube-system.
func uidOfSystem(t *testing.T, objects []client.Object) types.UID {
	t.Helper()
	for _, object := range objects {
		if object.GetName() == "kube-system" {
			return object.GetUID()
		}
	}
	t.Fatal("there is no namespace kube-system")
	return ""
}

// load puts an object into a cluster, if that knows its kind: what the operator does not know it cannot change.
func (w *heritage) load(cluster string, object client.Object) {
	w.t.Helper()
	if _, err := apiutil.GVKForObject(object, newScheme(w.t)); err != nil {
		return
	}
	if kind := object.GetObjectKind().GroupVersionKind(); !newScheme(w.t).Recognizes(kind) {
		return
	}
	w.put(cluster, object)
}

// pass makes one pass over a Machine.
func (w *heritage) pass(r *machine.MachineReconciler, key types.NamespacedName) {
	w.t.Helper()
	if _, err := r.Reconcile(w.t.Context(), ctrl.Request{NamespacedName: key}); err != nil {
		w.t.Errorf("%s: %v", key, err)
	}
}

// settleAll makes passes over all Machines, each by a new reconciler, until one round writes nothing. The calls of all rounds are kept.
func (w *heritage) settleAll() {
	w.t.Helper()
	for range maxPasses {
		before := len(w.written())
		for _, key := range w.machines {
			w.pass(w.reconciler(), key)
		}
		if len(w.written()) == before {
			return
		}
	}
	w.t.Fatalf("after %d rounds there is still something to write: %v", maxPasses, w.written())
}

// count counts the writes of a sort, as "patch Machine".
func (w *heritage) count(what string) int {
	n := 0
	for _, written := range w.written() {
		if written == supervisor+": "+what {
			n++
		}
	}
	return n
}

// kinds are those that a snapshot has.
var kinds = map[string][]string{
	supervisor: {
		"vitistack.io/v1alpha1 Machine", "vitistack.io/v1alpha1 NetworkConfiguration", "vitistack.io/v1alpha1 NetworkNamespace",
		"vitistack.io/v1alpha1 MachineClass", "vitistack.io/v1alpha1 KubevirtConfig", "v1 Secret", "v1 Namespace", "v1 PersistentVolumeClaim",
	},
	east: {
		"kubevirt.io/v1 VirtualMachine", "kubevirt.io/v1 VirtualMachineInstance", "cdi.kubevirt.io/v1beta1 DataVolume",
		"v1 PersistentVolumeClaim", "v1 Secret", "v1 Namespace", "k8s.cni.cncf.io/v1 NetworkAttachmentDefinition",
	},
}

// snapshot is the content of all clusters without resourceVersions, by "Kind namespace/name".
func (w *heritage) snapshot() map[string]map[string]map[string]any {
	w.t.Helper()
	all := map[string]map[string]map[string]any{}
	for cluster, names := range kinds {
		all[cluster] = map[string]map[string]any{}
		for _, name := range names {
			version, kind, _ := strings.Cut(name, " ")
			list := &unstructured.UnstructuredList{}
			list.SetAPIVersion(version)
			list.SetKind(kind + "List")
			if err := w.clients[cluster].List(w.t.Context(), list); err != nil {
				w.t.Fatal(err)
			}
			for i := range list.Items {
				unstructured.RemoveNestedField(list.Items[i].Object, "metadata", "resourceVersion")
				key := kind + " " + list.Items[i].GetNamespace() + "/" + list.Items[i].GetName()
				all[cluster][key] = list.Items[i].Object
			}
		}
	}
	return all
}

// belongings are the objects that have to go with a Machine: its virtual machine, with all that this owns, and its NetworkConfigurations.
func (w *heritage) belongings(all map[string]map[string]map[string]any, m *vitistackv1alpha1.Machine) map[string][]string {
	w.t.Helper()
	var ledger vitistackv1alpha1.Ledger
	if err := json.Unmarshal([]byte(m.Annotations[vitistackv1alpha1.AnnotationPlacement]), &ledger); err != nil {
		w.t.Fatal(err)
	}
	result := map[string][]string{}
	for cluster, roots := range map[string]string{supervisor: string(m.UID), east: ledger.VMUID} {
		owners := map[string]bool{roots: true}
		names := map[string]bool{}
		for range 4 { // VirtualMachine, DataVolume, PersistentVolumeClaim, and once more
			for name, content := range all[cluster] {
				object := unstructured.Unstructured{Object: content}
				owned := owners[string(object.GetUID())]
				for _, reference := range object.GetOwnerReferences() {
					owned = owned || owners[string(reference.UID)]
				}
				if owned {
					owners[string(object.GetUID())], names[name] = true, true
				}
			}
		}
		result[cluster] = slices.Sorted(maps.Keys(names))
	}
	return result
}

// playRemote lets objects go that are being deleted, and collects those whose owner is gone.
func (w *heritage) playRemote() {
	w.t.Helper()
	for range 4 {
		uids := map[types.UID]bool{}
		var objects []unstructured.Unstructured
		for key, content := range w.snapshot()[east] {
			if !strings.HasPrefix(key, "Namespace ") {
				object := unstructured.Unstructured{Object: content}
				uids[object.GetUID()] = true
				objects = append(objects, object)
			}
		}
		for i := range objects {
			owners := objects[i].GetOwnerReferences()
			if orphaned := len(owners) > 0 && !uids[owners[0].UID]; orphaned || objects[i].GetDeletionTimestamp() != nil {
				w.drop(&objects[i])
			}
		}
	}
}

// drop deletes an object of the remote cluster with its finalizers.
func (w *heritage) drop(object *unstructured.Unstructured) {
	w.t.Helper()
	ctx, remote, uid := w.t.Context(), w.clients[east], object.GetUID()
	if err := client.IgnoreNotFound(remote.Delete(ctx, object.DeepCopy(), client.Preconditions{UID: &uid})); err != nil {
		w.t.Fatal(err)
	}
	patch := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
	if err := client.IgnoreNotFound(remote.Patch(ctx, object, patch)); err != nil {
		w.t.Fatal(err)
	}
}
