package wake

import (
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Backoff is the rate at which a controller tries again what failed (I15): after FirstWait, then
// after twice that, up to LongestWait. controller-runtime's own begins with 5 milliseconds: with it
// an API server that refuses a write gets the same write a dozen times within the first minute.
func Backoff() workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](FirstWait, LongestWait)
}
