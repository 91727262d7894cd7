package clusters

import (
	"context"
	"fmt"
	"sync/atomic"

	"k8s.io/client-go/util/flowcontrol"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
)

// limiter limits the calls to one cluster, all users together. It is off where the server has
// Priority and Fairness: that shares out better than any client can.
type limiter struct {
	bucket flowcontrol.RateLimiter // nil is no limit
	off    atomic.Bool
	waited atomic.Int64 // calls that had to wait
}

var _ flowcontrol.RateLimiter = (*limiter)(nil)

func newLimiter(qps float32, burst int) *limiter {
	if qps < 0 {
		return &limiter{}
	}
	return &limiter{bucket: flowcontrol.NewTokenBucketRateLimiter(qps, burst)}
}

func (l *limiter) limits() bool { return l.bucket != nil && !l.off.Load() }

func (l *limiter) TryAccept() bool { return !l.limits() || l.bucket.TryAccept() }

func (l *limiter) Accept() { _ = l.Wait(context.Background()) }

// Wait waits for the call's turn. An error wraps transport.ErrBusy: also that of a turn which would
// come after the deadline, for which the library has no error of a context.
func (l *limiter) Wait(ctx context.Context) error {
	if l.TryAccept() {
		return nil
	}
	l.waited.Add(1)
	if err := l.bucket.Wait(ctx); err != nil {
		return fmt.Errorf("%w: %w", transport.ErrBusy, err)
	}
	return nil
}

func (l *limiter) Stop() {} // one connection's clients share it

func (l *limiter) QPS() float32 {
	if !l.limits() {
		return -1
	}
	return l.bucket.QPS()
}
