package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
)

// backlog is how many Machines there are before the operator starts.
const backlog = 60

// arriving is the supervisor in which a Machine is created when the first of the others is looked
// at, and is seen before that look goes on.
type arriving struct {
	client.Client
	arrive func()
	once   sync.Once

	mu     sync.Mutex
	locked []string // the Machines in the order of their first looks
}

// Get implements client.Reader.
func (a *arriving) Get(
	ctx context.Context, key client.ObjectKey, object client.Object, options ...client.GetOption,
) error {
	if _, is := object.(*vitistackv1alpha1.Machine); is {
		a.once.Do(a.arrive)
		a.mu.Lock()
		if !slices.Contains(a.locked, key.Name) {
			a.locked = append(a.locked, key.Name)
		}
		a.mu.Unlock()
	}
	return a.Client.Get(ctx, key, object, options...)
}

func (a *arriving) order() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.locked)
}

// TestNewMachinesGoFirst: a Machine that is created after a restart waited until all were looked at
// that were there before: with thousands of them, for half a minute.
func TestNewMachinesGoFirst(t *testing.T) {
	t.Parallel()
	cluster := newSupervisor(t, "first")
	scheme, err := NewScheme()
	must(t, err)
	direct, err := client.New(cluster.Config(), client.Options{Scheme: scheme})
	must(t, err)
	ctrl.SetLogger(logr.Discard())
	for i := range backlog {
		create(t, direct, fmt.Sprintf("old-%02d", i))
	}
	mgr := newFairManager(t, cluster)
	supervisor := &arriving{Client: mgr.GetClient(), arrive: func() {
		m := create(t, direct, "new")
		until(t, func() string {
			if err := mgr.GetCache().Get(t.Context(), client.ObjectKeyFromObject(m), m); err != nil {
				return err.Error()
			}
			return ""
		})
	}}
	reconciler := newFairReconciler(t, mgr, supervisor)
	must(t, reconciler.SetupWithManager(mgr, machine.ControllerOptions{MaxConcurrentReconciles: 1}))
	start(t, mgr)
	until(t, func() string {
		if looked := len(supervisor.order()); looked <= backlog {
			return fmt.Sprintf("%d Machines of %d were looked at", looked, backlog+1)
		}
		return ""
	})
	order := supervisor.order()
	if at := slices.Index(order, "new"); at > backlog/2 {
		t.Errorf("the new Machine was looked at after %d others: %s", at, strings.Join(order, " "))
	}
}
