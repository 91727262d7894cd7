package transport

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// poll is about how often a server that is away is tried again.
const poll = 250 * time.Millisecond

// line is where calls wait while their server is away. The first in it tries, about each poll, and
// the others go once it was answered: a server that restarts is not met by all of them at once. The
// zero value is ready; it is safe for concurrent use.
type line struct {
	mu     sync.Mutex
	locked struct {
		away   *Endpoint // that could not be reached, nil where all is well
		err    error     // with which
		trying bool      // one call does
		next   time.Time // no try before
		news   chan struct{}
	}
}

// enter says whether a call to an endpoint may go out now. Else it has to wait for news, or for
// wait.
func (l *line) enter(endpoint *Endpoint, now time.Time) (goes bool, news <-chan struct{}, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.locked.away != endpoint {
		return true, nil, 0
	}
	if l.locked.news == nil {
		l.locked.news = make(chan struct{})
	}
	if wait = l.locked.next.Sub(now); l.locked.trying || wait > 0 {
		return false, l.locked.news, max(wait, poll/4)
	}
	l.locked.trying = true
	return true, nil, 0
}

// learn takes up what came of a call to an endpoint. One that failed otherwise than by never being
// sent, as by its caller's end, says nothing.
func (l *line) learn(endpoint *Endpoint, resp *http.Response, err error, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil && neverSent(err):
		l.locked.away, l.locked.err, l.locked.trying = endpoint, err, false
		l.locked.next = now.Add(poll - poll/8 + time.Duration(rand.Int64N(int64(poll)/4))) //nolint:gosec // jitter
	case l.locked.away != endpoint:
	case resp != nil:
		l.forget()
	default:
		l.locked.trying = false
	}
}

// clear lets all calls go: the server is known to answer.
func (l *line) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget()
}

// forget is called with the lock held.
func (l *line) forget() {
	l.locked.away, l.locked.err, l.locked.trying = nil, nil, false
	if l.locked.news != nil {
		close(l.locked.news)
		l.locked.news = nil
	}
}

// failure is why an endpoint is away, nil where it is not.
func (l *line) failure(endpoint *Endpoint) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.locked.away != endpoint {
		return nil
	}
	return l.locked.err
}

// trial is what came of one call.
type trial struct {
	resp *http.Response
	err  error
	by   *Endpoint
}

// send sends a call to the current endpoint as soon as the line lets it. sent is false where that
// is not before the deadline; the trial is then why.
func (s *Swap) send(req *http.Request, deadline time.Time) (t trial, sent bool) {
	for {
		changed, endpoint := s.changed(), s.current.Load()
		goes, news, wait := s.line.enter(endpoint, s.options.Clock.Now())
		if goes {
			return s.sendNow(endpoint, req), true
		}
		away := s.line.failure(endpoint)
		left := deadline.Sub(s.options.Clock.Now())
		if away == nil {
			continue // it answers again
		}
		if left <= 0 || req.Context().Err() != nil {
			return trial{err: away, by: endpoint}, false
		}
		s.wait(req.Context(), min(left, wait), changed, news)
	}
}

// sendNow sends a call, and tells the line of it.
func (s *Swap) sendNow(endpoint *Endpoint, req *http.Request) trial {
	resp, err := send(endpoint, req) //nolint:bodyclose // the trial has it
	s.line.learn(endpoint, resp, err, s.options.Clock.Now())
	return trial{resp: resp, err: err, by: endpoint}
}

// wait returns after a time, or earlier where something happens or the context ends. nil never
// happens.
func (s *Swap) wait(ctx context.Context, atMost time.Duration, changed, news <-chan struct{}) {
	timer := s.options.Clock.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-changed:
	case <-news:
	case <-timer.C():
	case <-ctx.Done():
	}
}
