package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// ErrBusy is in the chain of the error of a call that found no free slot in time.
var ErrBusy = errors.New("too many calls in flight")

// BoundOptions are the limits of a Bound.
type BoundOptions struct {
	// Timeout is how long a call may take, its response's body included.
	Timeout time.Duration
	// InFlight is the number of calls at once; 0 means any number.
	InFlight int
	// Answer is how much one call may read, and Answers how much all calls under way may have read.
	Answer, Answers Limits
}

// Bound is an http.RoundTripper that limits calls in time, in number and in what they read. Watches
// pass through unlimited. It is safe for concurrent use.
type Bound struct {
	next    http.RoundTripper
	options BoundOptions
	slots   chan struct{}
	waited  atomic.Int64
	meter   *Meter
}

// NewBound limits the calls to next.
func NewBound(next http.RoundTripper, options BoundOptions) *Bound {
	b := &Bound{next: next, options: options, meter: NewMeter(options.Answers)}
	if options.InFlight > 0 {
		b.slots = make(chan struct{}, options.InFlight)
	}
	return b
}

// InFlight returns the number of calls under way; 0 where their number is not limited.
func (b *Bound) InFlight() int { return len(b.slots) }

// Waited returns the number of calls so far that found no slot free at once.
func (b *Bound) Waited() int64 { return b.waited.Load() }

// RoundTrip implements http.RoundTripper. The error of a call that took too long wraps
// context.DeadlineExceeded, and ErrBusy where it only waited for a slot.
func (b *Bound) RoundTrip(req *http.Request) (*http.Response, error) {
	if IsWatch(req) {
		return b.next.RoundTrip(req)
	}
	ctx, cancel := context.WithTimeout(req.Context(), b.options.Timeout)
	if err := b.acquire(ctx); err != nil {
		cancel()
		return nil, err
	}
	release := sync.OnceFunc(func() {
		cancel()
		b.free()
	})
	context.AfterFunc(ctx, release) // at the time-out also where the body is never closed
	resp, err := b.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		late := ctx.Err() != nil && req.Context().Err() == nil
		release()
		if late {
			return nil, fmt.Errorf("no answer within %s: %w", b.options.Timeout, context.DeadlineExceeded)
		}
		return nil, err
	}
	resp.Body = &releasingBody{ReadCloser: b.meter.call(req, resp, b.options.Answer), release: release}
	return resp, nil
}

func (b *Bound) acquire(ctx context.Context) error {
	if b.slots == nil {
		return nil
	}
	select {
	case b.slots <- struct{}{}:
		return nil
	default:
	}
	b.waited.Add(1)
	select {
	case b.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
	}
}

func (b *Bound) free() {
	if b.slots != nil {
		<-b.slots
	}
}
