package machine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/removal"
)

// TestReleaseNeedsALastingState: consent to let a Machine go without an answer counts where there
// is no answer to be had, and not at a late call.
func TestReleaseNeedsALastingState(t *testing.T) {
	now := time.Unix(2e9, 0)
	state := func(phase clientmgr.Phase, reason string, age time.Duration) clientmgr.State {
		return clientmgr.State{
			Config: east, Phase: phase, Reason: reason, ClusterUID: east, RememberedUID: east,
			IdentityVerified: metav1.ConditionTrue, Since: now.Add(-age),
		}
	}
	down := func(reason string, age time.Duration) func(*world) {
		return func(w *world) {
			w.manager.AddMockedClient(east, nil)
			w.manager.SetState(state(clientmgr.Disconnected, reason, age))
		}
	}
	cases := map[string]struct {
		reason   string
		before   func(*world)
		released bool
	}{
		"OneLateCall": {reason: "a cluster that is connected and answers one call late is asked again",
			before: func(w *world) {
				w.manager.SetState(state(clientmgr.Connected, clientmgr.ReasonConnected, time.Hour))
				w.before = fail(call{east, "list", "VirtualMachineList"}, context.DeadlineExceeded)
			}},
		"Connecting": {
			reason: "a contact that is still being made has given no answer yet",
			before: down(clientmgr.ReasonConnecting, time.Hour),
		},
		"NotSynced": {
			reason: "a contact whose caches fill has given no answer yet",
			before: down(clientmgr.ReasonNotSynced, time.Hour),
		},
		"ShortOutage": {
			reason: "an outage of ten seconds may be over in the next",
			before: down(clientmgr.ReasonUnreachable, 10*time.Second),
		},
		"LongOutage": {
			reason: "an outage of a minute is a state, and the person has consented",
			before: down(clientmgr.ReasonUnreachable, time.Minute), released: true,
		},
		"Unauthorized": {
			reason: "credentials that are refused for a minute are a state",
			before: down(clientmgr.ReasonUnauthorized, time.Minute), released: true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := placed(t, annotated(vitistackv1alpha1.AnnotationForceRelease, east))
			w.run(east)
			w.mustSettle()
			tc.before(w)
			w.deleteMachine()
			if _, err := w.reconcile(machine.WithClock(clocktesting.NewFakePassiveClock(now))); err != nil {
				t.Fatal(err)
			}
			w.before = nil
			got := gone{Machine: w.machine() != nil, NetworkConfiguration: w.networkConfiguration(), VM: w.where() != ""}
			if diff := cmp.Diff(gone{Machine: !tc.released, NetworkConfiguration: !tc.released, VM: true}, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestDebtsAreIndependent: a debt that cannot be paid keeps no other from being paid.
func TestDebtsAreIndependent(t *testing.T) {
	w := newWorld(t, []string{east})
	book := removal.Book{Writer: w.clients[supervisor], Server: w.clients[supervisor], Namespace: "kubevirt-configs"}
	for i := range 3 {
		uid := types.UID(fmt.Sprintf("00000000-0000-4000-8000-00000000000%d", i))
		vm := foundVM(oursBy(uid, supervisorID), named(fmt.Sprintf("vm-old%d", i)))
		vm.UID = types.UID(fmt.Sprintf("0f000000-0000-4000-8000-00000000000%d", i+5))
		w.put(east, vm)
		debt := removal.Debt{Machine: fmt.Sprintf("old%d", i), UID: uid, Ledger: vitistackv1alpha1.Ledger{
			Config: east, ClusterUID: east, Namespace: namespace, VMName: vm.Name, VMUID: string(vm.UID), Nonce: "n",
		}}
		if err := book.Owe(t.Context(), debt); err != nil {
			t.Fatal(err)
		}
	}
	deletions := 0
	w.before = func(c call) error {
		if c == (call{east, "delete", anyVM}) {
			if deletions++; deletions == 1 {
				return webhookDown
			}
		}
		return nil
	}
	request := ctrl.Request{NamespacedName: types.NamespacedName{Name: east}}
	r := w.reconciler()
	result, err := r.Payer().Reconcile(t.Context(), request)
	if got := len(w.vms()); got != 1 || err == nil && result.RequeueAfter == 0 {
		t.Errorf("after a first round there are %d virtual machines, %v, %v", got, result, err)
	}
	w.before = nil
	for range 3 {
		if _, err := r.Payer().Reconcile(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.vms()) > 0 || len(w.debts()) > 0 {
		t.Errorf("in the end there are %d virtual machines and %d debts", len(w.vms()), len(w.debts()))
	}
}

// TestWaitsAreSpaced: what a Machine waits for and nothing tells of is asked ever more seldom, and
// what holds it is told.
func TestWaitsAreSpaced(t *testing.T) {
	held := []string{"kubernetes.io/pvc-protection"}
	cases := map[string]struct {
		reason string
		world  func(*testing.T) *world
		remote int // calls to the cluster in ten minutes
		says   string
	}{
		"Disk": {
			reason: "a disk that a finalizer holds is named with that finalizer, and is not polled",
			world: func(t *testing.T) *world {
				w := runs(t)
				vm := w.vms()[east+"/vm-web"]
				w.put(east, &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{
					Namespace: namespace, Name: vm.Spec.DataVolumeTemplates[0].Name, Labels: vm.Labels, Finalizers: held,
				}})
				w.deleteMachine()
				return w
			},
			remote: 80, says: held[0],
		},
		"Secret": {
			reason: "a Secret of an earlier virtual machine that a finalizer holds is named, and is not made and deleted in turns",
			world: func(t *testing.T) *world {
				w := newWorld(t, []string{east}, newMachine(in(east), wantsSecret))
				w.before = func(c call) error {
					if c != (call{east, "create", "Secret"}) || w.attempts(c) > 1 {
						return nil
					}
					// An earlier Secret is there just when the first one is made.
					var stuck corev1.Secret
					stuck.Namespace, stuck.Name = namespace, w.secretName()
					stuck.Labels, stuck.Finalizers = w.vms()[east+"/vm-web"].Labels, held
					w.put(east, &stuck)
					return nil
				}
				return w
			},
			remote: 120, says: held[0],
		},
		"Address": {
			reason: "a Machine that waits for an address asks the cluster next to nothing, because the NetworkConfiguration is watched",
			world: func(t *testing.T) *world {
				nn := vlan(30)
				nn.Spec.IPAllocation = &vitistackv1alpha1.NetworkNamespaceIPAllocation{Type: "static",
					Static: &vitistackv1alpha1.StaticIPAllocationConfig{
						IPv4CIDR: "10.0.0.0/24", IPv4Gateway: "10.0.0.1",
					}}
				return newWorld(t, []string{east}, newMachine(in(east), func(m *vitistackv1alpha1.Machine) {
					m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{}
				}), nn)
			},
			remote: 60, says: "address",
		},
		"NetworkGone": {
			reason: "a Machine that runs and whose NetworkNamespace is gone rests",
			world: func(t *testing.T) *world {
				w := newWorld(t, []string{east}, newMachine(in(east)), vlan(30))
				w.mustSettle()
				w.run(east)
				w.mustSettle()
				w.remove(supervisor, vlan(30))
				return w
			},
			remote: 12, says: "",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := tc.world(t)
			w.forget()
			passes := w.runFor(10 * time.Minute)
			remote := len(w.called(func(c call) bool { return c.cluster == east }))
			if passes > 25 || remote > tc.remote {
				t.Errorf("%s: %d passes and %d calls to the cluster in ten minutes", tc.reason, passes, remote)
			}
			if said := w.says("Ready") + w.machine().Status.FailureMessage; !contains(said, tc.says) {
				t.Errorf("%s: %q does not say %q; %v", tc.reason, said, tc.says, w.called(func(c call) bool {
					return c.cluster == east
				}))
			}
		})
	}
}
