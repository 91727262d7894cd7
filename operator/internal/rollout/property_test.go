package rollout

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// under are the Machines that a rollout has asked and that were not seen done and Ready since.
type under map[string]bool

// look takes down what Machines show now.
func (u under) look(machines []vitistackv1alpha1.Machine, token string) {
	for i := range machines {
		m := &machines[i]
		last, _, _ := vitistackv1alpha1.RestartRecordOf(m)
		isDone := last.Token == token && last.Done
		isReady := m.Status.Condition(vitistackv1alpha1.ConditionReady).Status == metav1.ConditionTrue
		switch {
		case m.DeletionTimestamp != nil || isDone && isReady:
			delete(u, m.Name)
		case m.Annotations[vitistackv1alpha1.AnnotationRestart] == token && !isDone:
			u[m.Name] = true
		}
	}
}

// TestNeverTooMany: whatever Machines do, however far the caches are behind, wherever a process dies or
// is held up, and although two of them lead: never are more Machines under way than may be, none is
// asked twice, and in the end all are done.
func TestNeverTooMany(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 4).Draw(t, "maxUnavailable")
		count := rapid.IntRange(1, 9).Draw(t, "Machines")
		resize := rapid.Bool().Draw(t, "resize")
		objects := []client.Object{restart(func(s *spec) {
			s.MaxUnavailable = new(intstr.FromInt32(int32(most)))
			s.PauseOnFailure = new(rapid.Bool().Draw(t, "pauseOnFailure"))
			s.Order = vitistackv1alpha1.RolloutSmallestFirst
			s.MinReadySeconds = rapid.Int32Range(0, 3).Draw(t, "minReadySeconds")
			if resize {
				s.Action, s.Resize = vitistackv1alpha1.RolloutResize, &vitistackv1alpha1.RolloutNewSize{Class: "large"}
			}
		})}
		for i := range count {
			objects = append(objects, ready(fmt.Sprintf("m%d", i)))
		}
		w := newWorld(objects...)
		w.dies = func() (bool, bool) {
			at := rapid.IntRange(0, 19).Draw(t, "the process dies")
			return at == 0, at == 1
		}
		stalled := false
		w.stalls = func() {
			if !stalled && rapid.IntRange(0, 9).Draw(t, "the process is held up") == 0 {
				stalled = true // the other one goes on meanwhile
				_, _ = w.reconcile(1, "r")
				stalled = false
			}
		}
		name := func(t *rapid.T) string { return fmt.Sprintf("m%d", rapid.IntRange(0, count-1).Draw(t, "Machine")) }
		going := under{}
		check := func(t *rapid.T) {
			going.look(w.machines(), "rollout/r")
			if len(going) > most {
				t.Fatalf("%v are under way, %d may be: %+v", going, most, w.status("r"))
			}
			for machine, asked := range w.asks {
				if asked > 1 {
					t.Fatalf("%s was asked %d times", machine, asked)
				}
			}
		}
		pick := func(t *rapid.T) int { return rapid.IntRange(0, 1).Draw(t, "process") }
		t.Repeat(map[string]func(*rapid.T){
			"":            check,
			"reconcile":   func(t *rapid.T) { _, _ = w.reconcile(pick(t), "r") },
			"fall behind": func(t *rapid.T) { w.fallBehind(pick(t)) },
			"catch up":    func(t *rapid.T) { w.catchUp(pick(t)) },
			"time goes by": func(t *rapid.T) {
				w.clock.SetTime(w.clock.Now().Add(time.Duration(rapid.IntRange(1, 400).Draw(t, "seconds")) * time.Second))
			},
			"a Machine goes on": func(t *rapid.T) {
				machines := w.machines()
				w.goOn(&machines[rapid.IntRange(0, count-1).Draw(t, "Machine")])
			},
			"the order changes": func(t *rapid.T) {
				if !resize {
					memory := rapid.Int64Range(1, 9).Draw(t, "GiB") << 30
					w.change(name(t), func(m *vitistackv1alpha1.Machine) { m.Status.Memory = memory })
				}
			},
			"a Machine breaks":   func(t *rapid.T) { w.change(name(t), notReady) },
			"a Machine recovers": func(t *rapid.T) { w.change(name(t), recovered) },
		})

		w.dies, w.stalls = func() (bool, bool) { return false, false }, func() {}
		w.catchUp(0)
		for range 40 * (count + 1) {
			machines := w.machines()
			for i := range machines {
				if !w.goOn(&machines[i]) {
					w.change(machines[i].Name, recovered)
				}
			}
			check(t)
			w.clock.SetTime(w.clock.Now().Add(time.Second))
			if _, err := w.reconcile(0, "r"); err != nil {
				t.Fatal(err)
			}
			check(t)
			if w.status("r").Phase.Over() {
				break
			}
		}
		if s := w.status("r"); s.Phase != vitistackv1alpha1.RolloutSucceeded || s.Updated != int32(count) {
			t.Fatalf("it does not end: %+v", s)
		}
	})
}

// recovered lets a Machine be Ready whose guest is not being restarted.
func recovered(m *vitistackv1alpha1.Machine) {
	if last, found, _ := vitistackv1alpha1.RestartRecordOf(m); !found || last.Done {
		says(m, metav1.ConditionTrue, vitistackv1alpha1.ReasonReady)
	}
}
