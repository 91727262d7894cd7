package clusterstatus

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// vmOf is a virtual machine that this supervisor made for the Machine of a UID.
func vmOf(name string, machine types.UID) *kubevirtv1.VirtualMachine {
	return &kubevirtv1.VirtualMachine{ObjectMeta: metav1.ObjectMeta{
		Namespace: "tenants", Name: name, UID: types.UID("uid-of-" + name),
		Labels: map[string]string{vitistackv1alpha1.LabelSupervisorUID: "supervisor",
			vitistackv1alpha1.LabelMachineUID: string(machine)},
	}}
}

func machineOf(name string, uid types.UID) *vitistackv1alpha1.Machine {
	m := placedIn("east", name)
	m.UID = uid
	return m
}

func withVMs(t *testing.T, w *world, vms ...client.Object) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := kubevirtv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	remote := fake.NewClientBuilder().WithScheme(scheme).WithObjects(vms...).Build()
	w.remotes.AddMockedClient("east", remote)
	w.remotes.SetState(well())
	return remote
}

func (w *world) noOrphans() string {
	condition := meta.FindStatusCondition(w.east().Status.Conditions, vitistackv1alpha1.ConditionNoOrphans)
	if condition == nil {
		return ""
	}
	return string(condition.Status) + " " + condition.Message
}

// TestOrphans: a garbage collection that believed its first look deleted all workers of a cluster
// (gardener/mcm#657). This one deletes nothing, and says nothing before the second look.
func TestOrphans(t *testing.T) {
	const none, two = "True every virtual machine has its Machine",
		"False without a Machine: tenants/lost, tenants/lost-too; `operator orphans` lists and deletes them"
	w := newWorld(t, east(), machineOf("kept", "kept-uid"))
	remote := withVMs(t, w, vmOf("kept", "kept-uid"))
	look := func(reason, want string) {
		t.Helper()
		w.clock.SetTime(w.clock.Now().Add(lookInterval))
		w.remotes.SetState(well())
		w.reconcile()
		if diff := cmp.Diff(want, w.noOrphans()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", reason, diff)
		}
	}
	look("nothing is suspicious", none)
	for _, name := range []string{"lost-too", "lost"} {
		if err := remote.Create(t.Context(), vmOf(name, types.UID(name))); err != nil {
			t.Fatal(err)
		}
	}
	look("seen once", none)
	w.reconcile()
	w.reconcile()
	if got := w.noOrphans(); got != none {
		t.Errorf("seen again at once: %s", got)
	}
	look("seen twice", two)
	vms := &kubevirtv1.VirtualMachineList{}
	if err := remote.List(t.Context(), vms); err != nil || len(vms.Items) != 3 {
		t.Errorf("%d virtual machines are left: %v", len(vms.Items), err)
	}
	w.create(machineOf("lost", "lost"), machineOf("lost-too", "another"))
	ledger := vitistackv1alpha1.Ledger{Config: "east", Namespace: "tenants", VMName: "lost-too", Nonce: "n",
		VMUID: "uid-of-lost-too"}
	w.create(&vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{
		Namespace: "tenants", Name: "restored", UID: "new",
		Annotations: map[string]string{vitistackv1alpha1.AnnotationPlacement: ledger.String()},
	}})
	look("their Machines came back from a backup, one with another UID", none)
}

// TestOrphansAreConfirmed: a cache that lost its Machines makes no orphans, and a restart loses no
// verdict.
func TestOrphansAreConfirmed(t *testing.T) {
	w := newWorld(t, east(), machineOf("kept", "kept-uid"))
	withVMs(t, w, vmOf("kept", "kept-uid"))
	w.blind = true
	for range 3 {
		w.clock.SetTime(w.clock.Now().Add(lookInterval))
		w.remotes.SetState(well())
		w.reconcile()
	}
	if got := w.noOrphans(); got != "True every virtual machine has its Machine" {
		t.Errorf("NoOrphans is %q", got)
	}
	w.took()
	w.reconciler = NewReconciler(w.supervisor, w.remotes, w.reconciler.options)
	w.reconcile()
	w.wantPatches("the verdict of the former process stands until there is another", 0)
	w.remotes.GetClientForConfigFunc = func(context.Context, string) (client.Client, error) {
		t.Error("looked again before its time")
		return nil, context.Canceled
	}
	w.reconcile()
}

// TestOrphansOfManyClusters: the look at a cluster reads the Machines of that cluster. When it read
// those of all clusters, a thousand clusters parsed each record a thousand times.
func TestOrphansOfManyClusters(t *testing.T) {
	w := newWorld(t, east(), machineOf("kept", "kept-uid"))
	remote := withVMs(t, w, vmOf("kept", "kept-uid"))
	look := func(reason string, want bool) {
		t.Helper()
		w.clock.SetTime(w.clock.Now().Add(lookInterval))
		w.remotes.SetState(well())
		w.listedAll = 0
		w.reconcile()
		if got := w.listedAll > 0; got != want {
			t.Errorf("%s: all Machines were read: %t", reason, got)
		}
	}
	look("every virtual machine is claimed by a Machine of the cluster", false)
	if err := remote.Create(t.Context(), vmOf("left", "elsewhere")); err != nil {
		t.Fatal(err)
	}
	look("its Machine may be in another cluster by now", true)
}
