package agent

import (
	"context"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	workers     = 8
	retryAfter  = 20 * time.Millisecond // doubled with each failure
	retryAtMost = 2 * time.Second
)

// role is one of the programs that the agent plays, for objects of one kind.
type role interface {
	Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error)
}

// control lets a role reconcile the objects of its kind; watches adds what else wakes it.
func (a *Agent) control(
	manager ctrl.Manager, name string, kind client.Object, r role, watches ...func(*builder.Builder),
) error {
	b := ctrl.NewControllerManagedBy(manager).Named(name).For(kind).WithOptions(controller.Options{
		RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](retryAfter, retryAtMost),
	})
	for _, add := range watches {
		add(b)
	}
	return b.Complete(reconcile.Func(func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
		if err := a.gate.pass(ctx); err != nil {
			return reconcile.Result{}, err
		}
		ctx, cancel := context.WithTimeout(ctx, answerTimeout)
		defer cancel()
		result, err := r.Reconcile(ctx, request)
		return result, ignoreGone(err)
	}))
}

// ignoreGone drops the error of a write to an object that has been deleted: its own event says so
// too.
func ignoreGone(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// logWatchError keeps the breaks of watches, which a test cluster is made for, out of the process's
// own log.
func logWatchError(log logr.Logger) cache.WatchErrorHandlerWithContext {
	return func(_ context.Context, r *cache.Reflector, err error) {
		log.Info("watch ended", "kind", r.TypeDescription(), "reason", err.Error())
	}
}
