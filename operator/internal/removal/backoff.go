package removal

import (
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// What a cluster refuses is tried again after these times, each twice the one before (I15).
// controller-runtime's own begin with 5 milliseconds: a cluster whose webhooks do not answer yet
// would be asked a dozen times within the first minute, for each VirtualMachine.
const (
	backoffMin = time.Second
	backoffMax = 5 * time.Minute
)

// backoff is the rate at which a controller of this package tries again.
func backoff() workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](backoffMin, backoffMax)
}
