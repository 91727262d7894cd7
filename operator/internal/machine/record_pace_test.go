package machine_test

import (
	"errors"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
)

// TestRecordIsNotTriedByEvents: events wake a Machine whose record the supervisor does not take,
// and bring neither the record nor the look at its cluster back before the back-off says so.
func TestRecordIsNotTriedByEvents(t *testing.T) {
	machines := schema.GroupResource{Group: "vitistack.io", Resource: "machines"}
	cases := map[string]struct {
		reason string
		err    error
	}{
		"policy": {"a policy of the supervisor denies it",
			apierrors.NewForbidden(machines, "web", errors.New("denied by a policy"))},
		"webhook": {"a webhook of the supervisor does not answer",
			apierrors.NewInternalError(errors.New("failed calling webhook"))},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, []string{east, west}, newMachine(in(east)))
			attempts := 0
			w.before = func(c call) error {
				if c.cluster == supervisor && c.verb == "patch" && c.kind == anyMachine {
					attempts++
					return tc.err
				}
				return nil
			}
			now := clocktesting.NewFakePassiveClock(time.Now())
			r := w.reconciler(machine.WithClock(now))
			for range 10 { // as many events within a second
				if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: webKey}); err != nil {
					t.Fatal(err)
				}
				now.SetTime(now.Now().Add(50 * time.Millisecond))
			}
			if attempts != 1 {
				t.Errorf("%s: %d attempts within half a second, want 1", tc.reason, attempts)
			}
			if looks := len(w.called(func(c call) bool { return c.cluster == east && c.kind == anyVM })); looks > 2 {
				t.Errorf("%s: %d looks at the cluster within half a second, want those of one attempt", tc.reason, looks)
			}
			now.SetTime(now.Now().Add(time.Second))
			if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: webKey}); err != nil {
				t.Fatal(err)
			}
			if attempts != 2 {
				t.Errorf("%s: %d attempts after the back-off, want 2", tc.reason, attempts)
			}
		})
	}
}

// TestStatusIsNotTriedByEvents: a status that the supervisor refuses is tried again when the back-off
// says so, as everything else that is refused (I15), however many events come, and at once when the
// Machine changes.
func TestStatusIsNotTriedByEvents(t *testing.T) {
	denied := apierrors.NewForbidden(schema.GroupResource{Group: "vitistack.io", Resource: "machines/status"}, "web",
		errors.New("denied by a policy"))
	w := newWorld(t, []string{east, west}, newMachine(in("cluster-nowhere")))
	attempts := 0
	w.before = func(c call) error {
		if c.cluster == supervisor && c.verb == "patch status of" && c.kind == anyMachine {
			attempts++
			return denied
		}
		return nil
	}
	now := clocktesting.NewFakePassiveClock(time.Now())
	r := w.reconciler(machine.WithClock(now))
	reconcile := func() {
		before := attempts
		result, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: webKey})
		if tried := attempts > before; tried != (err != nil) || !tried && result.RequeueAfter == 0 {
			t.Fatalf("the status was tried: %t; %v, again after %s", tried, err, result.RequeueAfter)
		}
		now.SetTime(now.Now().Add(50 * time.Millisecond))
	}
	for range 20 * 60 { // events of a minute
		reconcile()
	}
	if attempts < 4 || attempts > 8 {
		t.Errorf("%d attempts within a minute, want those of the back-off, 6", attempts)
	}
	attempts = 0
	w.editMachine(annotated("team", "a"))
	if reconcile(); attempts != 1 {
		t.Errorf("%d attempts after the Machine changed, want one at once", attempts)
	}
}
