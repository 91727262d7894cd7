package rollout

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/intstr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// TestStaleLeader: a process whose caches stand still, and which would begin another Machine first,
// begins none.
func TestStaleLeader(t *testing.T) {
	w := newWorld(restart(func(s *spec) {
		s.MaxUnavailable, s.Order = new(intstr.FromInt32(1)), vitistackv1alpha1.RolloutSmallestFirst
	}), ready("m0"), ready("m1"))
	w.fallBehind(1)
	w.change("m1", func(m *vitistackv1alpha1.Machine) { m.Status.Memory = 1 << 30 })
	for _, process := range []int{0, 1} {
		if _, err := w.reconcile(process, "r"); err != nil {
			t.Fatal(err)
		}
	}
	if w.asks["m0"]+w.asks["m1"] != 1 || w.asks["m1"] != 1 {
		t.Errorf("asked %v", w.asks)
	}
}

// step reconciles once, a second later.
func (w *world) step(t *testing.T) ctrl.Result {
	t.Helper()
	w.clock.SetTime(w.clock.Now().Add(time.Second))
	result, err := w.reconcile(0, "r")
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// told are the Events so far, without their notes.
func (w *world) told() (told []string) {
	for len(w.events.Events) > 0 {
		words := strings.Fields(<-w.events.Events)
		told = append(told, words[0]+" "+words[1])
	}
	return told
}

func (w *world) want(
	t *testing.T, when string, phase vitistackv1alpha1.RolloutPhase, reason string, updated int,
) vitistackv1alpha1.MachineRolloutStatus {
	t.Helper()
	status := w.status("r")
	ready := meta.FindStatusCondition(status.Conditions, vitistackv1alpha1.ConditionReady)
	if status.Phase != phase || ready == nil || ready.Reason != reason || int(status.Updated) != updated {
		t.Fatalf("%s: want %s, %s, %d updated, got %+v", when, phase, reason, updated, status)
	}
	return status
}

const (
	progressing, paused = vitistackv1alpha1.RolloutProgressing, vitistackv1alpha1.RolloutPaused
	rolling             = vitistackv1alpha1.ReasonRollingOut
)

// TestComesBackLate: one Machine does not come back in time; the rollout pauses and names it, and goes
// on by itself when it is healthy. In the end there is nothing left to do.
func TestComesBackLate(t *testing.T) {
	w := newWorld(restart(func(s *spec) { s.MaxUnavailable = new(intstr.FromInt32(1)) }), ready("a"), ready("b"))
	result := w.step(t)
	w.want(t, "at first", progressing, rolling, 0)
	if w.step(t); w.asks["a"] != 1 || w.asks["b"] != 0 {
		t.Fatalf("asked %v", w.asks)
	}
	for range 3 {
		for i := range w.machines() {
			if m := w.machines()[i]; m.Name == "a" && m.Status.Condition(vitistackv1alpha1.ConditionReady).Status == "True" {
				w.goOn(&m)
			}
		}
	}
	if result = w.step(t); result.RequeueAfter <= 0 || result.RequeueAfter > defaultDeadline {
		t.Errorf("it looks again in %s", result.RequeueAfter)
	}
	w.clock.SetTime(w.clock.Now().Add(defaultDeadline))
	w.step(t)
	status := w.want(t, "too late", paused, vitistackv1alpha1.ReasonNotHealthyInTime, 0)
	message := meta.FindStatusCondition(status.Conditions, vitistackv1alpha1.ConditionReady).Message
	if !strings.Contains(message, "team-a/a") || len(status.Stays) != 1 || status.Stays[0].Machine != "team-a/a" {
		t.Errorf("it does not say which: %+v", status)
	}
	writes := w.writes
	if result = w.step(t); result.RequeueAfter != 0 || w.writes != writes {
		t.Errorf("%d writes while nothing changes, next look in %s", w.writes-writes, result.RequeueAfter)
	}
	for range 20 {
		for i := range w.machines() {
			m := w.machines()[i]
			w.goOn(&m)
		}
		w.step(t)
	}
	w.want(t, "in the end", vitistackv1alpha1.RolloutSucceeded, vitistackv1alpha1.ReasonRolledOut, 2)
	writes = w.writes
	if result = w.step(t); result != (ctrl.Result{}) || w.writes != writes {
		t.Errorf("it does not rest: %+v, %d writes", result, w.writes-writes)
	}
	want := "Normal RollingOut, Warning NotHealthyInTime, Normal RollingOut, Normal RolledOut"
	if got := strings.Join(w.told(), ", "); got != want {
		t.Errorf("told %s, want %s", got, want)
	}
}

// TestTakenBack: what somebody takes from a Machine is not asked again. A cache that is behind is not
// taken for that.
func TestTakenBack(t *testing.T) {
	w := newWorld(restart(nil), ready("a"), ready("b"), ready("c"))
	w.fallBehind(0)
	w.step(t)
	w.cached[0].rollouts = w.rollouts() // this cache has caught up, the other one has not
	w.step(t)
	if status := w.status("r"); len(status.Failed) > 0 || len(status.InFlight) != 2 || w.asks["a"] != 1 {
		t.Fatalf("a cache that is behind: %+v, asked %v", status, w.asks)
	}
	w.catchUp(0)
	w.change("a", func(m *vitistackv1alpha1.Machine) { delete(m.Annotations, vitistackv1alpha1.AnnotationRestart) })
	for range 5 {
		w.step(t)
	}
	status := w.want(t, "taken back", paused, vitistackv1alpha1.ReasonChangeReverted, 0)
	if len(status.Failed) != 1 || status.Failed[0].Machine != "team-a/a" || w.asks["a"] != 1 || w.asks["c"] != 0 {
		t.Errorf("%+v, asked %v", status, w.asks)
	}
}

// TestNotAskedAfterAll: a Machine that is not healthy any more when it is looked at past the cache, or a
// rollout that is paused or given up meanwhile, is as if nothing had begun.
func TestNotAskedAfterAll(t *testing.T) {
	for name, before := range map[string]func(*world){
		"not healthy": func(w *world) { w.change("a", notReady) },
		"left alone":  func(w *world) { w.change("a", left) },
		"paused": func(w *world) {
			w.changeRollout("r", func(r *vitistackv1alpha1.MachineRollout) { r.Spec.Paused = true })
		},
		"given up": func(w *world) {
			w.changeRollout("r", func(r *vitistackv1alpha1.MachineRollout) { r.Spec.Abort = true })
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(restart(nil), ready("a"))
			w.dies = func() (bool, bool) { return w.writes == 1, false } // after the record, before it is asked
			if _, err := w.reconcile(0, "r"); !errors.Is(err, errDied) {
				t.Fatal(err)
			}
			w.dies = func() (bool, bool) { return false, false }
			before(w)
			for range 3 {
				w.step(t)
			}
			if status := w.status("r"); len(status.InFlight) > 0 || w.asks["a"] > 0 {
				t.Errorf("%+v, asked %v", status, w.asks)
			}
		})
	}
}

// TestRefused: a Machine that the server does not let be changed is given up with the server's words,
// and the others go on where the rollout says so.
func TestRefused(t *testing.T) {
	w := newWorld(restart(func(s *spec) { s.PauseOnFailure = new(false) }), ready("a"), ready("b"), ready("c"))
	refusing := interceptor.NewClient(w.store, interceptor.Funcs{Patch: func(
		ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption,
	) error {
		if object.GetName() == "a" {
			return apierrors.NewForbidden(vitistackv1alpha1.Resource("machines"), "a", errors.New("frozen"))
		}
		return c.Patch(ctx, object, patch, options...)
	}})
	w.lead[0].supervisor = refusing
	for range 20 {
		w.step(t)
		for i := range w.machines() {
			m := w.machines()[i]
			w.goOn(&m)
		}
	}
	status := w.want(t, "in the end", vitistackv1alpha1.RolloutIncomplete, vitistackv1alpha1.ReasonMachinesLeft, 2)
	if len(status.Failed) != 1 || status.Failed[0].Reason != vitistackv1alpha1.ReasonSupervisorRefused ||
		!strings.Contains(status.Failed[0].Message, "frozen") {
		t.Errorf("%+v", status)
	}
}

// TestNewClass: the class is written into the field that a Machine uses, in the same write as the token.
func TestNewClass(t *testing.T) {
	w := newWorld(restart(func(s *spec) {
		s.Action, s.Resize = vitistackv1alpha1.RolloutResize, &vitistackv1alpha1.RolloutNewSize{Class: "large"}
		s.MaxUnavailable = new(intstr.FromString("100%"))
	}), ready("newer"), ready("older", func(m *vitistackv1alpha1.Machine) {
		m.Spec.MachineClass, m.Spec.InstanceType = "", "medium"
	}), ready("none", func(m *vitistackv1alpha1.Machine) { m.Spec.MachineClass = "" }))
	w.step(t)
	got := map[string]string{}
	for _, m := range w.machines() {
		got[m.Name] = m.Spec.MachineClass + "/" + m.Spec.InstanceType + " " + m.Annotations[vitistackv1alpha1.AnnotationResize] +
			" " + m.Annotations[vitistackv1alpha1.AnnotationRestart]
	}
	for name, want := range map[string]string{"newer": "large/", "older": "/large", "none": "large/"} {
		if want += " rollout/r rollout/r"; got[name] != want {
			t.Errorf("%s: got %q, want %q", name, got[name], want)
		}
	}
}
