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
	placementv1 "github.com/vitistack/kubevirt-multicluster/placement/proto/placement/v1"
)

// A remote is the strategy that a plugin serves, as the chain sees it.
type remote struct{ k *keeper }

var _ placement.Starter = remote{}

// Name implements placement.Strategy.
func (r remote) Name() string { return r.k.entry.Name }

// Needs implements placement.Strategy. They are those that the plugin last told, and nothing before
// it was ready for the first time.
func (r remote) Needs() placement.Needs { return r.k.view().needs }

// Started implements placement.Starter. It waits for a plugin that is starting as long as a call
// may take. Its failure is [Unavailable].
func (r remote) Started(ctx context.Context) (placement.Strategy, error) {
	start := r.k.options.Clock.Now()
	ctx, cancel := context.WithTimeout(ctx, r.k.callTimeout())
	defer cancel()
	running, err := r.k.running(ctx)
	if err != nil {
		r.k.called("unavailable", start)
		return nil, err
	}
	return started{k: r.k, running: running}, nil
}

// Place implements placement.Strategy. Its failures are [Unavailable] and [Failure].
func (r remote) Place(ctx context.Context, req placement.Request) (placement.Decision, error) {
	running, err := r.Started(ctx)
	if err != nil {
		return placement.Decision{}, err
	}
	return running.Place(ctx, req)
}

// named is the plugin of a name, whichever that is when it is asked.
type named struct {
	host *Host
	name string
}

// Name implements placement.Strategy.
func (n named) Name() string { return n.name }

// Needs implements placement.Strategy as remote does.
func (n named) Needs() placement.Needs {
	r, err := n.now()
	if err != nil {
		return placement.Needs{}
	}
	return r.Needs()
}

// Started implements placement.Starter.
func (n named) Started(ctx context.Context) (placement.Strategy, error) {
	r, err := n.now()
	if err != nil {
		return nil, err
	}
	return r.Started(ctx)
}

// Place implements placement.Strategy.
func (n named) Place(ctx context.Context, req placement.Request) (placement.Decision, error) {
	r, err := n.now()
	if err != nil {
		return placement.Decision{}, err
	}
	return r.Place(ctx, req)
}

func (n named) now() (remote, error) {
	for _, m := range n.host.now().members {
		if m.entry.Name == n.name {
			return remote{m.keeper}, nil
		}
	}
	return remote{}, Unavailable{Name: n.name, Reason: "it is not in the configuration"}
}

// A started strategy is one run of a plugin. If the plugin ends meanwhile, the question fails: the
// next run may need other facts.
type started struct {
	k       *keeper
	running *instance
}

// Name implements placement.Strategy.
func (s started) Name() string { return s.k.entry.Name }

// Needs implements placement.Strategy.
func (s started) Needs() placement.Needs { return s.running.needs }

// Place implements placement.Strategy. Its failures are [Unavailable] and [Failure].
func (s started) Place(ctx context.Context, req placement.Request) (placement.Decision, error) {
	start := s.k.options.Clock.Now()
	decision, result, err := s.ask(ctx, req)
	s.k.called(result, start)
	return decision, err
}

// ask also returns the result as Observer.PluginCall wants it.
func (s started) ask(parent context.Context, req placement.Request) (_ placement.Decision, result string, _ error) {
	ctx, cancel := context.WithTimeout(parent, s.k.callTimeout())
	defer cancel()
	select {
	case s.k.slots <- struct{}{}:
		defer func() { <-s.k.slots }()
	case <-ctx.Done():
		return placement.Decision{}, "unavailable", s.k.unavailable("it is busy", ctx.Err())
	}
	if s.k.view().claim == yields {
		return placement.Decision{}, "unavailable", s.k.unavailable(errYields.Error(), nil)
	}
	began := time.Now()
	reply, err := s.decide(ctx, req)
	if parent.Err() == nil {
		late := status.Code(err) == codes.DeadlineExceeded && s.k.overdue(time.Since(began))
		s.running.pulse.beat(began, time.Now(), late)
	}
	if err != nil {
		return placement.Decision{}, resultOf(err), s.failure(err)
	}
	decision, err := decodeAnswer(reply)
	if errors.Is(err, errNoAnswer) {
		return placement.Decision{}, "failed", Failure{Name: s.Name(), Message: err.Error(), Cause: err}
	}
	return decision, "answered", err
}

// decide asks the plugin. A side-car that another host has configured otherwise meanwhile says so;
// it gets this configuration again, and is asked once more.
func (s started) decide(ctx context.Context, req placement.Request) (*placementv1.DecideResponse, error) {
	request := encodeRequest(req, s.running.needs)
	request.Configuration = s.k.entry.configuration()
	reply, err := s.running.Decide(ctx, request, grpc.MaxCallRecvMsgSize(maxDecisionBytes))
	if status.Code(err) != codes.FailedPrecondition || s.k.entry.Socket == "" || s.k.view().claim == yields {
		return reply, err
	}
	if err := s.running.configure(ctx, s.k.entry, s.k.generation); err != nil {
		return nil, err
	}
	return s.running.Decide(ctx, request, grpc.MaxCallRecvMsgSize(maxDecisionBytes))
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

func (s started) failure(err error) error {
	switch status.Code(err) {
	case codes.DeadlineExceeded:
		return s.k.unavailable("it did not answer in time", err)
	case codes.Unavailable, codes.Canceled: // the process died under the call
		return s.k.unavailable("the connection broke", err)
	}
	first, _, _ := strings.Cut(status.Convert(err).Message(), "\n")
	return Failure{Name: s.Name(), Message: clip(first), Cause: err}
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
