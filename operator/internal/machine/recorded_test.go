package machine_test

import (
	"testing"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
)

// TestOwnRecordNeedsNobody: a Machine was recorded, and then neither its virtual machine nor its status
// could be written. The process that wrote the record goes on without an uninvolved cluster that is
// silent; another one does not know who wrote it, and asks all.
func TestOwnRecordNeedsNobody(t *testing.T) {
	for name, tc := range map[string]struct {
		another bool
		want    outcome
	}{
		"SameProcess":    {want: at(east)},
		"AnotherProcess": {another: true, want: pending(vitistackv1alpha1.ReasonClustersUnanswered)},
	} {
		t.Run(name, func(t *testing.T) {
			now := &ticking{time.Now()}
			created := metav1.NewTime(now.Add(time.Minute).Truncate(time.Second))
			m := newMachine(in(east), func(m *vitistackv1alpha1.Machine) { m.CreationTimestamp = created })
			w := newWorld(t, []string{east, west}, m)
			w.silence(west)
			process := func() *machine.MachineReconciler {
				watcher := wake.NewWatcher(clock.RealClock{}, logr.Discard())
				watcher.Created(w.machine(), tc.another && w.machine().Finalizers != nil)
				return w.reconciler(chain(), machine.WithFreshness(watcher), machine.WithClock(now))
			}
			r := process()
			w.before = func(c call) error {
				if c.writes() && (c.cluster == east || len(w.machine().Finalizers) > 0) {
					return apierrors.NewServerTimeout(vitistackv1alpha1.Resource("any"), c.verb, 1)
				}
				return nil
			}
			request := ctrl.Request{NamespacedName: webKey}
			_, _ = r.Reconcile(t.Context(), request) // which cannot even say that it failed
			if w.machine().Finalizers == nil || w.machine().Status.KubevirtConfigRef != nil || len(w.vms()) > 0 {
				t.Fatalf("the world is not as the test wants it: %+v", w.machine())
			}
			w.before = nil
			now.Time = now.Add(wake.FirstWait)
			if tc.another {
				r = process()
			}
			for range 4 {
				if _, err := r.Reconcile(t.Context(), request); err != nil {
					t.Fatal(err)
				}
			}
			if got := w.outcome().without(tc.want); got != tc.want {
				t.Errorf("it is %+v, want %+v", got, tc.want)
			}
		})
	}
}
