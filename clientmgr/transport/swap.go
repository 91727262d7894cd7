package transport

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"
)

// ErrClosed is returned for requests through a Swap that was closed.
var ErrClosed = errors.New("transport closed")

// SwapOptions tune a Swap. The zero value works.
type SwapOptions struct {
	// Hold is how long a call waits for a new credential after a 401, or for the server after an error
	// that proves that the call was never sent. Default 3 s; negative means not at all.
	Hold time.Duration
	// ParkForbidden is how long a resuming watch is parked on 403. It passes on after that, so that a
	// lost right does not look like a quiet cluster. Default 30 s: a server that just started forbids
	// everything for a moment.
	ParkForbidden time.Duration
	// ParkServerError is the same for a 5xx. Default 5 min. Silence and 401 are not bounded: no list
	// would fare better, and Watches tells of every parked watch.
	ParkServerError time.Duration
	// OpenTimeout bounds the wait for a watch's response header. Default 30 s.
	OpenTimeout time.Duration
	// BeforeResume is asked before a watch resumes whose last stream broke off: collection is the
	// URL's path, resourceVersion what it resumes from. An error keeps the watch parked. It may do I/O
	// through the Swap. nil means that nothing is asked.
	BeforeResume func(ctx context.Context, collection, resourceVersion string) error
	// Clock is the time. Default: the real one.
	Clock clock.WithDelayedExecution
}

func (o SwapOptions) withDefaults() SwapOptions {
	if o.Hold == 0 {
		o.Hold = 3 * time.Second
	}
	if o.ParkForbidden == 0 {
		o.ParkForbidden = 30 * time.Second
	}
	if o.ParkServerError == 0 {
		o.ParkServerError = 5 * time.Minute
	}
	if o.OpenTimeout == 0 {
		o.OpenTimeout = 30 * time.Second
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	return o
}

// Swap is an http.RoundTripper to one cluster whose Endpoint can be replaced. It is safe for
// concurrent use.
type Swap struct {
	options SwapOptions
	current atomic.Pointer[Endpoint]
	life    context.Context //nolint:containedctx // ends every request at Close
	end     context.CancelFunc
	line    line
	locked  lockedSwap
}

type lockedSwap struct {
	sync.Mutex
	changed  chan struct{}        // closed and replaced by Set and Wake
	streams  map[*stream]struct{} // open watches
	parked   map[string]int       // by collection: watches that wait for the server
	suspects map[string]struct{}  // collections whose last stream broke off
	barren   map[string]struct{}  // collections whose last stream was cut before it had delivered anything
}

// NewSwap returns a Swap that leads to an endpoint. Close it in the end.
func NewSwap(endpoint *Endpoint, options SwapOptions) *Swap {
	s := &Swap{options: options.withDefaults()}
	s.life, s.end = context.WithCancel(context.Background())
	s.locked.changed = make(chan struct{})
	s.locked.streams = map[*stream]struct{}{}
	s.locked.parked = map[string]int{}
	s.locked.suspects = map[string]struct{}{}
	s.locked.barren = map[string]struct{}{}
	s.current.Store(endpoint)
	return s
}

// Current returns the endpoint in use.
func (s *Swap) Current() *Endpoint { return s.current.Load() }

// Set makes an endpoint the current one. Calls that are held and watches that are parked go on with
// it at once; open watches stay on the former one until CutOld. The connections of the former
// endpoint close as they fall idle.
func (s *Swap) Set(endpoint *Endpoint) {
	endpoint.conns.retired.Store(false)
	former := s.current.Swap(endpoint)
	s.Wake()
	if former.conns != endpoint.conns {
		s.retire(former.conns)
	}
}

// idleAfter are the times at which connections that were busy at the swap are looked at again.

var idleAfter = [...]time.Duration{time.Second, 5 * time.Second, 30 * time.Second}

func (s *Swap) retire(c *conns) {
	c.retired.Store(true)
	c.transport.CloseIdleConnections()
	for _, after := range idleAfter {
		s.options.Clock.AfterFunc(after, func() {
			if c.retired.Load() {
				c.transport.CloseIdleConnections()
			}
		})
	}
}

// Wake lets held calls and parked watches try again at once: the server is known to answer.
func (s *Swap) Wake() {
	s.line.clear()
	s.locked.Lock()
	defer s.locked.Unlock()
	close(s.locked.changed)
	s.locked.changed = make(chan struct{})
}

func (s *Swap) changed() <-chan struct{} {
	s.locked.Lock()
	defer s.locked.Unlock()
	return s.locked.changed
}

// Close ends all requests and watches, and lets go of the connections. Requests made later return
// ErrClosed.
func (s *Swap) Close() {
	s.end()
	s.retire(s.current.Load().conns)
}

// RoundTrip implements http.RoundTripper.
func (s *Swap) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	stop := context.AfterFunc(s.life, cancel)
	release := func() {
		stop()
		cancel()
	}
	send := s.call
	if IsWatch(req) {
		send = s.watch
	}
	resp, err := send(req.WithContext(ctx), release)
	if err != nil {
		release()
		if s.life.Err() != nil {
			return nil, ErrClosed
		}
		return nil, err
	}
	return resp, nil
}

// IsWatch reports whether a request opens a watch.
func IsWatch(req *http.Request) bool {
	if req.Method != http.MethodGet || len(req.URL.RawQuery) == 0 {
		return false
	}
	watch := req.URL.Query().Get("watch")
	return watch == "true" || watch == "1"
}
