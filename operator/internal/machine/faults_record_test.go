package machine_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
)

// TestForgedLedger: a ledger that nothing confirms is a request, whatever stands in it.
func TestForgedLedger(t *testing.T) {
	ledger := vitistackv1alpha1.Ledger{Config: west, Namespace: namespace, VMName: vmName, Nonce: "x"}
	with := func(change func(*vitistackv1alpha1.Ledger)) string {
		forged := ledger
		change(&forged)
		return forged.String()
	}
	cases := map[string]struct {
		reason string
		ledger string
		vm     *kubevirtv1.VirtualMachine
		held   bool // with the operator's finalizer, which a tenant can write too
		placed string
	}{
		"PausedCluster": {
			reason: "a ledger does not open a KubevirtConfig that takes no Machines",
			ledger: ledger.String(), placed: "False/Paused",
		},
		"PausedClusterWithFinalizer": {
			reason: "a finalizer beside the ledger is as easy to write as the ledger", ledger: ledger.String(), held: true,
			placed: "False/Paused",
		},
		"UIDOfAPool": {
			reason: "a virtual machine that a pool controls is not taken over by its UID",
			ledger: with(func(l *vitistackv1alpha1.Ledger) {
				l.VMUID = string(foundUID)
			}), vm: foundVM(controlled), placed: "False/NameCollision",
		},
		"UIDOfAnotherMachines": {
			reason: "another Machine's virtual machine is not taken over by its UID",
			ledger: with(func(l *vitistackv1alpha1.Ledger) {
				l.VMUID = string(foundUID)
			}), vm: foundVM(foreign), placed: "False/NameCollision",
		},
		"NonceOfAnotherMachines": {
			reason: "a nonce that is read off another Machine's virtual machine does not confirm a ledger, because the labels are another's",
			ledger: ledger.String(), placed: "False/NameCollision",
			vm: foundVM(foreign, func(vm *kubevirtv1.VirtualMachine) {
				vm.Annotations = map[string]string{vitistackv1alpha1.AnnotationPlacementNonce: "x"}
			}),
		},
		"OtherName": {
			reason: "a ledger does not name a virtual machine that the Machine would not get",
			ledger: with(func(l *vitistackv1alpha1.Ledger) {
				l.VMName = "vm-other"
			}), vm: foundVM(foreign, func(vm *kubevirtv1.VirtualMachine) { vm.Name = "vm-other" }),
			placed: "False/Paused",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, []string{east, west}, newMachine(in(west),
				annotated(vitistackv1alpha1.AnnotationPlacement, tc.ledger), func(m *vitistackv1alpha1.Machine) {
					if tc.held {
						m.Finalizers = []string{vitistackv1alpha1.FinalizerMachine}
					}
				}))
			paused := &vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Name: west}}
			paused.Spec.Paused = true
			w.manager.AddMockedConfig(paused)
			if tc.vm != nil {
				w.put(west, tc.vm.DeepCopy())
			}
			before := w.vms()
			w.mustSettle(chain())
			if got := w.condition("Placed"); got != tc.placed {
				t.Errorf("%s: Placed is %s, not %s", tc.reason, got, tc.placed)
			}
			w.deleteMachine()
			if w.machine() != nil {
				w.mustSettle(chain())
			}
			if got := len(w.vms()); got != len(before) {
				t.Errorf("%s: of %d virtual machines there are %d after the Machine's end", tc.reason, len(before), got)
			}
			for name, vm := range w.vms() {
				if vm.ResourceVersion != before[name].ResourceVersion {
					t.Errorf("%s: %s was changed", tc.reason, name)
				}
			}
		})
	}
}

// TestDebtWithAForgedUID: who is let go with a virtual machine in the ledger that is not proven to
// be the Machine's owes none of that UID.
func TestDebtWithAForgedUID(t *testing.T) {
	forged := vitistackv1alpha1.Ledger{Config: east, ClusterUID: east, Namespace: namespace, VMName: vmName,
		VMUID: string(foundUID), Nonce: "x"}
	w := newWorld(t, []string{east}, newMachine(in(east), annotated(
		vitistackv1alpha1.AnnotationPlacement, forged.String(),
		vitistackv1alpha1.AnnotationForceRelease, east+vitistackv1alpha1.ForceReleaseDeleteLater,
	), func(m *vitistackv1alpha1.Machine) { m.Finalizers = []string{vitistackv1alpha1.FinalizerMachine} }))
	w.put(east, foundVM()) // nobody's: its labels do not speak against the debt
	w.silence(east)
	w.deleteMachine()
	w.mustSettle()
	w.wake(east)
	w.payDebts()
	if len(w.vms()) != 1 {
		t.Error("a debt deleted a virtual machine by a UID that a tenant wrote")
	}
}

// TestKnownClusterThatCannotBeRead: the flag for clusters without an identity does not concern one
// that had an identity.
func TestKnownClusterThatCannotBeRead(t *testing.T) {
	settings := worldSettings()
	settings.AllowUnverifiedIdentity = true
	unread := clientmgr.State{
		Config: east, Phase: clientmgr.Connected, Reason: clientmgr.ReasonConnected, RememberedUID: east,
		IdentityVerified: metav1.ConditionUnknown,
	}
	t.Run("NewMachine", func(t *testing.T) {
		w := newWorld(t, []string{east}, newMachine(in(east)))
		w.manager.SetState(unread)
		w.manager.AllowUnverifiedIdentity = true
		w.mustSettle(machine.WithSettings(settings))
		if got := w.condition("Placed"); got != "False/IdentityUnverified" || w.where() != "" {
			t.Errorf("a place is not recorded on the memory of an identity: Placed is %s, virtual machines in %q", got,
				w.where())
		}
	})
	t.Run("Deletion", func(t *testing.T) {
		w := runs(t)
		other := newWorld(t, []string{east}) // the kubeconfig leads there now, where no such virtual machine is
		w.manager.AddMockedClient(east, other.clients[east])
		w.manager.SetState(unread)
		w.manager.AllowUnverifiedIdentity = true
		w.deleteMachine()
		w.mustSettle(machine.WithSettings(settings))
		if w.machine() == nil {
			t.Error("a cluster that cannot say which it is was believed that the virtual machine is gone")
		}
	})
	t.Run("NeverHadOne", func(t *testing.T) {
		w := newWorld(t, []string{east}, newMachine(in(east)))
		w.manager.AllowUnverifiedIdentity = true
		never := unread
		never.RememberedUID = ""
		w.manager.SetState(never)
		w.mustSettle(machine.WithSettings(settings))
		if w.where() == "" {
			t.Errorf("the flag lets a Machine be placed in a cluster that never let its identity be read: Placed is %s, Ready is %s: %s", w.condition("Placed"), w.condition("Ready"), w.says("Ready"))
		}
	})
}

// TestAcceptedCluster: after a person accepted that a KubevirtConfig stands for another cluster,
// the Machines of the former one go on where their virtual machines are there, and are held where
// they are not.
func TestAcceptedCluster(t *testing.T) {
	accepted := clientmgr.State{
		Config: east, Phase: clientmgr.Connected, Reason: clientmgr.ReasonConnected, ClusterUID: "rebuilt",
		RememberedUID:     "rebuilt",
		FormerClusterUIDs: []string{east}, IdentityVerified: metav1.ConditionTrue,
	}
	cases := map[string]struct {
		reason string
		before func(*world)
		ready  string
		vms    int
	}{
		"SameVM": {
			reason: "a restored cluster has the recorded virtual machine",
			before: func(*world) {}, ready: "True/Ready", vms: 1,
		},
		"VMIsGone": {
			reason: "a rebuilt cluster without the virtual machine gets no blank one",
			before: func(w *world) { vm := w.vms()[east+"/vm-web"]; w.remove(east, &vm) }, ready: "False/Vanished",
		},
		"AnotherVM": {
			reason: "a rebuilt cluster may have somebody else's virtual machine of the name",
			before: func(w *world) {
				vm := w.vms()[east+"/vm-web"]
				w.remove(east, &vm)
				w.put(east, foundVM(foreign))
			}, ready: "False/NameCollision", vms: 1,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := runs(t)
			tc.before(w)
			w.manager.SetState(accepted)
			w.mustSettle()
			if got := w.condition("Ready"); got != tc.ready || len(w.vms()) != tc.vms {
				t.Errorf("%s: Ready is %s, not %s; %d virtual machines", tc.reason, got, tc.ready, len(w.vms()))
			}
			if got := w.ledger().ClusterUID; got != "rebuilt" {
				t.Errorf("%s: the ledger still names cluster %s", tc.reason, got)
			}
		})
	}
}

// TestSearchCountsForItself: a strategy that is called search does not take over one of two virtual
// machines that nobody claimed.
func TestSearchCountsForItself(t *testing.T) {
	w := newWorld(t, []string{east, west}, newMachine())
	w.put(east, foundVM())
	w.put(west, foundVM())
	before := w.vms()
	w.mustSettle(chain())
	if got := w.condition("Placed"); !strings.HasPrefix(got, "False/") {
		t.Errorf("of two unclaimed virtual machines one was chosen: Placed is %s", got)
	}
	for name, vm := range before {
		if w.vms()[name].ResourceVersion != vm.ResourceVersion {
			t.Errorf("%s was changed", name)
		}
	}
}

// TestRecreateCountsOnce: the consent to one replacement does not count for the next, also where
// the finalizer was off meanwhile.
func TestRecreateCountsOnce(t *testing.T) {
	w := runs(t)
	gone := w.ledger().VMUID
	w.editMachine(func(m *vitistackv1alpha1.Machine) {
		m.Annotations[vitistackv1alpha1.AnnotationRecreate] = gone
		m.Finalizers = nil // "operator release --all", and the operator is installed again
	})
	drop := func() {
		vm := w.vms()[east+"/vm-web"]
		w.remove(east, &vm)
	}
	drop()
	before := w.ledger().Nonce
	if _, err := w.reconcile(); err != nil {
		t.Fatal(err)
	}
	if made := w.ledger(); made.VMUID != "" || made.Nonce == before || w.where() == "" {
		t.Errorf("a replacement is begun under a ledger that the consent does not fit any more: %s, virtual machines in %q",
			made, w.where())
	}
	w.mustSettle()
	first := w.ledger()
	if first.VMUID == gone || first.VMUID == "" {
		t.Fatalf("with consent there is another virtual machine: the ledger names %q", first.VMUID)
	}
	drop()
	w.mustSettle()
	if got := w.condition("Ready"); got != "False/Vanished" || w.where() != "" {
		t.Errorf("the consent counted twice: Ready is %s, virtual machines in %q", got, w.where())
	}
}

// TestUnreadableLedgerCanBeReleased: a ledger that cannot be read says how to go on, and does not
// make a Machine immortal.
func TestUnreadableLedgerCanBeReleased(t *testing.T) {
	w := runs(t)
	w.silence(east)
	w.editMachine(annotated(vitistackv1alpha1.AnnotationPlacement, "{}"))
	w.deleteMachine()
	w.mustSettle()
	if w.machine() == nil {
		t.Fatal("an unreadable ledger let the Machine go without consent")
	}
	if !strings.Contains(w.machine().Status.FailureMessage+w.says("Ready"), "take it off") {
		t.Errorf("what helps is not told: %s", w.says("Ready"))
	}
	w.editMachine(annotated(vitistackv1alpha1.AnnotationForceRelease, east))
	w.mustSettle()
	if w.machine() != nil {
		t.Errorf("with consent the Machine stays: %s", w.says("Ready"))
	}
}

// TestRecordOfAGoneConfig: the status is lost, the KubevirtConfig of the record is gone, and the
// Machine is told to go elsewhere. Its VirtualMachine runs on where nobody can look, so that it gets
// no second one until a person says that the first is gone.
func TestRecordOfAGoneConfig(t *testing.T) {
	w := placed(t)
	w.loseStatus()
	delete(w.manager.MockedClients, east)
	delete(w.manager.MockedConfigs, east)
	delete(w.manager.MockedStates, east)
	w.editMachine(in(west))
	w.mustSettle(chain())
	if got := w.condition("Placed"); got != "False/ConfigNotFound" {
		t.Errorf("Placed is %s", got)
	}
	if got := w.where(); len(w.vms()) != 1 || !strings.HasPrefix(got, "cluster-east/") {
		t.Errorf("the virtual machines are %s", got)
	}
	w.editMachine(func(m *vitistackv1alpha1.Machine) { delete(m.Annotations, vitistackv1alpha1.AnnotationPlacement) })
	w.mustSettle(chain())
	if got := w.condition("Placed"); got != "True/Placed" {
		t.Errorf("without the record Placed is %s", got)
	}
}
