package machine_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
)

// heir is a world in which a Machine has come back under a new UID and may have its VirtualMachine.
func heir(t *testing.T, backup ...func(*vitistackv1alpha1.Machine)) *world {
	t.Helper()
	w := furnish(t)
	w.comeBack(heirUID, backup...)
	w.editMachine(annotated(vitistackv1alpha1.AnnotationAdopt, east+"/"+string(w.vms()[east+"/vm-web"].UID)))
	return w
}

// TestInheritanceGoesOn ends the process at each write in turn. Whoever goes on finds all that is
// left to do; and where the Machine is deleted before, nothing that the virtual machine uses goes.
func TestInheritanceGoesOn(t *testing.T) {
	for name, backup := range backups {
		clean := heir(t, backup...)
		had := clean.labelsOf(machineUID)
		had["claim"] = 1 // what the VM does not refer to is a copy, and nobody's inheritance
		clean.forget()
		for range 3 {
			if _, err := clean.reconcile(chain()); err != nil {
				t.Fatal(err)
			}
		}
		writes := clean.written()
		if len(writes) < 7 {
			t.Fatalf("only %v is written: the test looks at too little", writes)
		}
		for n := range writes {
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				w := heir(t, backup...)
				w.before = nth(n)
				for range 3 {
					if _, err := w.reconcile(chain()); err != nil {
						break
					}
				}
				w.before = nil
				w.mustSettle(chain())
				if diff := cmp.Diff(had, w.labelsOf(heirUID)); diff != "" || w.condition("Ready") != "True/Ready" {
					t.Errorf("Ready is %s; what it has, of what it had (-want +got):\n%s", w.condition("Ready"), diff)
				}
			})
			t.Run(fmt.Sprintf("%s/%d/deleted", name, n), func(t *testing.T) {
				w := heir(t, backup...)
				w.before = nth(n)
				_, _ = w.reconcile(chain())
				w.before = nil
				before := w.vms()[east+"/vm-web"]
				if before.Labels[vitistackv1alpha1.LabelMachineUID] == string(heirUID) {
					return // it was taken over, and goes with the Machine
				}
				w.deleteMachine()
				w.mustSettle()
				after, left := w.labelsOf(machineUID), w.labelsOf(heirUID)
				if w.machine() != nil || w.vms()[east+"/vm-web"].ResourceVersion != before.ResourceVersion ||
					after["claim"]+left["claim"] < had["claim"]-1 || after["DataVolume"]+left["DataVolume"] != had["DataVolume"] {
					t.Errorf("a disk of a virtual machine that stays went: of %v there are %v and %v", had, after, left)
				}
			})
		}
	}
}

// TestFormerElsewhere: the supervisor comes back from a backup older than a Machine, whose virtual
// machine stays in east. One of its name that is made anew gets no second one by a strategy that
// does not know.
func TestFormerElsewhere(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*vitistackv1alpha1.Machine)
		config string // DEFAULT_KUBEVIRT_CONFIG
		fresh  bool
		silent bool
		want   string
	}{
		"Fresh": {
			reason: "a fresh Machine whose former self is in east is not made anew in west, the default",
			config: west, change: func(*vitistackv1alpha1.Machine) {}, fresh: true, want: "False/NameCollision",
		},
		"NotFresh": {
			reason: "a Machine that is not fresh and whose former self is in east is not made anew in west, the default",
			config: west, change: func(*vitistackv1alpha1.Machine) {}, want: "False/NameCollision",
		},
		"NoDefault": {
			reason: "without a default the former virtual machine is named, not the missing default",
			change: func(*vitistackv1alpha1.Machine) {}, want: "False/NameCollision",
		},
		"Named": {
			reason: "a fresh Machine that a person wants in west goes there",
			change: in(west), fresh: true, want: "True/Placed",
		},
		"NamedOlder": {
			reason: "a Machine that a person wants in west goes there after a restart of the operator too",
			change: in(west), want: "True/Placed",
		},
		"WithItsPlace": {
			reason: "a Machine that brings its place along is held at its former virtual machine",
			change: in(east), fresh: true, want: "False/NameCollision",
		},
		"FromABackup": {
			reason: "a Machine that was placed before and was mapped to west is held, because its virtual machine is in east",
			want:   "False/NameCollision",
			change: func(m *vitistackv1alpha1.Machine) {
				in(west)(m)
				m.Finalizers = []string{vitistackv1alpha1.FinalizerMachine}
			},
		},
		"Silent": {
			reason: "a former virtual machine may be in a silent cluster, so the Machine waits",
			config: west, change: func(*vitistackv1alpha1.Machine) {}, silent: true, want: "False/ClustersUnanswered",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := placed(t)
			before := w.vms()[east+"/vm-web"]
			w.comeBack(heirUID, losesLedger, func(m *vitistackv1alpha1.Machine) {
				m.Annotations, m.Finalizers = nil, nil
				tc.change(m)
			})
			nc := &vitistackv1alpha1.NetworkConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: webKey.Name}}
			if w.exists(supervisor, nc) {
				w.remove(supervisor, nc)
			}
			if tc.silent {
				w.silence(east)
			}
			w.mustSettle(chain(), withDefault(tc.config), machine.WithFreshness(freshness(tc.fresh)))
			if got := w.condition("Placed"); got != tc.want ||
				w.vms()[east+"/vm-web"].ResourceVersion != before.ResourceVersion {
				t.Errorf("%s: Placed is %s; %s", tc.reason, got, w.where())
			}
			if _, second := w.vms()[west+"/vm-web"]; second != (tc.want == "True/Placed") {
				t.Errorf("%s: %s", tc.reason, w.where())
			}
		})
	}
}
