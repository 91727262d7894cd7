package removal

import (
	"context"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
)

// TestBackoff: a cluster whose webhooks did not answer after a restore was asked thirteen times within
// a minute to stop one VirtualMachine. I15 allows eight.
func TestBackoff(t *testing.T) {
	limiter, waited, attempts := backoff(), time.Duration(0), 1
	for {
		wait := limiter.When(reconcile.Request{})
		if waited += wait; waited >= time.Minute {
			break
		}
		attempts++
	}
	if attempts > 8 {
		t.Errorf("%d attempts within the first minute", attempts)
	}
	longest := time.Duration(0)
	for range 20 {
		longest = max(longest, limiter.When(reconcile.Request{}))
	}
	if longest != 300*time.Second {
		t.Errorf("the longest wait is %s", longest)
	}
}

// TestWardenIsOvertaken: what was written meanwhile is looked at again at once. It runs beside the
// guest that the Machine has now, and does not wait for the back-off.
func TestWardenIsOvertaken(t *testing.T) {
	w := newWorld(t)
	w.put(supervisor, web(w.place(west, targetUID)))
	w.put(east, guest(sourceUID, "nonce-of-"+east, always))
	warden := w.warden(nil)
	if err := warden.Bury(t.Context(), GraveOf(w.owed(moveID))); err != nil {
		t.Fatal(err)
	}
	overtaken := interceptor.Funcs{Patch: func(context.Context, client.WithWatch, client.Object, client.Patch,
		...client.PatchOption,
	) error {
		return apierrors.NewConflict(schema.GroupResource{Resource: "virtualmachines"}, vmName, nil)
	}}
	w.manager.AddMockedClient(east, interceptor.NewClient(w.clients[east].(client.WithWatch), overtaken))
	for _, request := range warden.suspects(t.Context(), east, w.vm(east)) {
		result, err := warden.Reconcile(t.Context(), request)
		if err != nil || result.RequeueAfter != problem.StaleRetry {
			t.Errorf("it is looked at again after %s: %v", result.RequeueAfter, err)
		}
	}
}
