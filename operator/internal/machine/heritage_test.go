package machine_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/testkit/released"
)

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
		Config: east, Phase: clientmgr.Connected, Reason: clientmgr.ReasonConnected, ClusterUID: clusterUID,
		IdentityVerified: metav1.ConditionTrue,
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

// load puts an object into a cluster, if that knows its kind: what the operator does not know it
// cannot change.
func (w *heritage) load(cluster string, object client.Object) {
	w.t.Helper()
	if newScheme(w.t).Recognizes(object.GetObjectKind().GroupVersionKind()) {
		w.put(cluster, object)
	}
}

// pass makes one pass over a Machine.
func (w *heritage) pass(r *machine.MachineReconciler, key types.NamespacedName) {
	w.t.Helper()
	if _, err := r.Reconcile(w.t.Context(), ctrl.Request{NamespacedName: key}); err != nil {
		w.t.Errorf("%s: %v", key, err)
	}
}

// settleAll makes passes over all Machines, each by a new reconciler, until one round writes
// nothing. The calls of all rounds are kept.
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
		"vitistack.io/v1alpha1 Machine", "vitistack.io/v1alpha1 NetworkConfiguration",
		"vitistack.io/v1alpha1 NetworkNamespace",
		"vitistack.io/v1alpha1 MachineClass", "vitistack.io/v1alpha1 KubevirtConfig", "v1 Secret", "v1 Namespace",
		"v1 PersistentVolumeClaim",
	},
	east: {
		"kubevirt.io/v1 VirtualMachine", "kubevirt.io/v1 VirtualMachineInstance", "cdi.kubevirt.io/v1beta1 DataVolume",
		"v1 PersistentVolumeClaim", "v1 Secret", "v1 Namespace", "k8s.cni.cncf.io/v1 NetworkAttachmentDefinition",
	},
}

// snapshot is the content of all clusters without resourceVersions, by "Kind namespace/name".
func (w *heritage) snapshot() map[string]map[string]map[string]any {
	w.t.Helper()
	return map[string]map[string]map[string]any{supervisor: w.content(supervisor), east: w.content(east)}
}

// content is the snapshot of one cluster.
func (w *heritage) content(cluster string) map[string]map[string]any {
	w.t.Helper()
	all := map[string]map[string]any{}
	for _, name := range kinds[cluster] {
		version, kind, _ := strings.Cut(name, " ")
		list := &unstructured.UnstructuredList{}
		list.SetAPIVersion(version)
		list.SetKind(kind + "List")
		if err := w.clients[cluster].List(w.t.Context(), list); err != nil {
			w.t.Fatal(err)
		}
		for i := range list.Items {
			unstructured.RemoveNestedField(list.Items[i].Object, "metadata", "resourceVersion")
			all[kind+" "+list.Items[i].GetNamespace()+"/"+list.Items[i].GetName()] = list.Items[i].Object
		}
	}
	return all
}

// belongings are the objects that have to go with a Machine: its virtual machine, with all that
// this owns, and its NetworkConfigurations.
func (w *heritage) belongings(
	all map[string]map[string]map[string]any, m *vitistackv1alpha1.Machine,
) map[string][]string {
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
	for dropped := true; dropped; {
		dropped = false
		objects, uids := w.content(east), map[types.UID]bool{}
		for _, content := range objects {
			uids[(&unstructured.Unstructured{Object: content}).GetUID()] = true
		}
		for _, content := range objects {
			object := &unstructured.Unstructured{Object: content}
			owners := object.GetOwnerReferences()
			if object.GetDeletionTimestamp() != nil || len(owners) > 0 && !uids[owners[0].UID] {
				w.drop(object)
				dropped = true
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
