package plugin

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// A remote is the strategy that a plugin serves, as the chain sees it.
type remote struct{ s *keeper }

// Name implements placement.Strategy.
func (r remote) Name() string { return r.s.entry.Name }

// Needs implements placement.Strategy. Before the plugin was ready for the first time it is
// nothing.
func (r remote) Needs() placement.Needs { return r.s.view().needs }

// Place implements placement.Strategy. Its failures are [Unavailable] and [Failure].
func (r remote) Place(ctx context.Context, req placement.Request) (placement.Decision, error) {
	start := r.s.options.Clock.Now()
	decision, result, err := r.ask(ctx, req)
	r.s.options.Observer.PluginCall(r.s.entry.Name, result, r.s.options.Clock.Now().Sub(start))
	return decision, err
}

// ask also returns the result as Observer.PluginCall wants it.
func (r remote) ask(parent context.Context, req placement.Request) (_ placement.Decision, result string, _ error) {
	ctx, cancel := context.WithTimeout(parent, r.s.callTimeout())
	defer cancel()
	select {
	case r.s.slots <- struct{}{}:
		defer func() { <-r.s.slots }()
	case <-ctx.Done():
		return placement.Decision{}, "unavailable", r.s.unavailable("it is busy", ctx.Err())
	}
	running, err := r.s.running(ctx)
	if err != nil {
		return placement.Decision{}, "unavailable", err
	}
	began := time.Now()
	reply, err := running.Decide(ctx, encodeRequest(req, running.needs), grpc.MaxCallRecvMsgSize(maxDecisionBytes))
	if parent.Err() == nil {
		running.pulse.beat(began, time.Now(), status.Code(err) == codes.DeadlineExceeded && r.s.overdue(time.Since(began)))
	}
	if err != nil {
		return placement.Decision{}, resultOf(err), r.failure(err)
	}
	decision, err := decodeAnswer(reply)
	if errors.Is(err, errNoAnswer) {
		return placement.Decision{}, "failed", Failure{Name: r.s.entry.Name, Message: err.Error(), Cause: err}
	}
	return decision, "answered", err
}

func resultOf(err error) string {
	switch status.Code(err) {
	case codes.DeadlineExceeded:
		return "timeout"
	case codes.Unavailable, codes.Canceled:
		return "unavailable"
	}
	return "failed"
}

func (r remote) failure(err error) error {
	switch status.Code(err) {
	case codes.DeadlineExceeded:
		return r.s.unavailable("it did not answer in time", err)
	case codes.Unavailable, codes.Canceled: // the process died under the call
		return r.s.unavailable("the connection broke", err)
	}
	first, _, _ := strings.Cut(status.Convert(err).Message(), "\n")
	return Failure{Name: r.s.entry.Name, Message: clip(first), Cause: err}
}

// A pulse tells a plugin that hangs from a plugin that was slow once. A plugin hangs if two calls
// in a row run out of time, the second call began after the first had run out of time, and no
// answer came between them.
type pulse struct {
	mu     sync.Mutex
	missed int
	last   time.Time
	hung   func()
}

// beat notes the end of a call.
func (p *pulse) beat(began, ended time.Time, timeout bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !timeout:
		p.missed = 0
	case p.missed > 0 && began.Before(p.last):
	default:
		p.missed, p.last = p.missed+1, ended
		if p.missed == 2 {
			p.hung()
		}
	}
}
