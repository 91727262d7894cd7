package machine_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// TestRestoredSupervisor: the supervisor comes back from a backup and knows less than is true.
// Nothing is made a second time, nothing is rebuilt blank, nothing is deleted.
func TestRestoredSupervisor(t *testing.T) {
	cases := map[string]struct {
		reason string
		backup func(w *world) *vitistackv1alpha1.Machine // the Machine as the backup has it; called before what follows
		since  func(w *world)                            // what happened after the backup
		want   outcome
	}{
		"BeforeThePlacing": {
			reason: "the backup is older than the ledger: the VM itself tells whose it is",
			backup: func(*world) *vitistackv1alpha1.Machine { return newMachine(in(east)) },
			since:  func(*world) {},
			want:   adopted(east),
		},
		"BeforeTheVM": {
			reason: "the ledger is there and the VM's UID is not: a crash between the two looks the same",
			backup: func(w *world) *vitistackv1alpha1.Machine {
				m := w.machine()
				ledger := w.ledger()
				ledger.VMUID = ""
				annotated(vitistackv1alpha1.AnnotationPlacement, ledger.String())(m)
				return m
			},
			since: func(*world) {},
			want:  at(east),
		},
		"DeletedSince": {
			reason: "the Machine is back, its VM is gone: no blank one comes in its place",
			backup: func(w *world) *vitistackv1alpha1.Machine { return w.machine() },
			since: func(w *world) {
				vm := w.vms()[east+"/vm-web"]
				w.remove(east, &vm)
			},
			want: outcome{Phase: vitistackv1alpha1.MachinePhaseFailed, Placed: "True/Placed", Ready: "False/Vanished"},
		},
		"RecreatedSince": {
			reason: "the VM was made anew with consent: it carries this Machine's UID",
			backup: func(w *world) *vitistackv1alpha1.Machine { return w.machine() },
			since: func(w *world) {
				vm := w.vms()[east+"/vm-web"]
				w.remove(east, &vm)
				vm.UID, vm.ResourceVersion = foundUID, ""
				w.put(east, &vm)
			},
			want: at(east),
		},
		"AnotherMachineSince": {
			reason: "the backup has a Machine that was deleted, and one of its name has its VM there now",
			backup: func(w *world) *vitistackv1alpha1.Machine { return w.machine() },
			since: func(w *world) {
				vm := w.vms()[east+"/vm-web"]
				w.remove(east, &vm)
				w.put(east, foundVM(foreign))
			},
			want: outcome{
				Phase: vitistackv1alpha1.MachinePhaseFailed, Placed: "True/Placed", Ready: "False/NameCollision", VMs: east +
					"/vm-web of " + string(anotherUID),
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := placed(t)
			backup := tc.backup(w)
			tc.since(w)
			w.remove(supervisor, w.machine())
			if w.machine() != nil {
				w.editMachine(func(m *vitistackv1alpha1.Machine) { m.Finalizers = nil })
			}
			backup.ResourceVersion, backup.DeletionTimestamp = "", nil
			w.put(supervisor, backup)
			before := w.vms()
			w.mustSettle(chain())
			if diff := cmp.Diff(tc.want, w.outcome().without(tc.want)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			for name, vm := range before {
				if w.vms()[name].UID != vm.UID {
					t.Errorf("%s: %s is another one now", tc.reason, name)
				}
			}
		})
	}
}
