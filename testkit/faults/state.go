package faults

import "sync"

// regime is the time during which one fault is on.
type regime struct {
	fault Fault
	ended chan struct{} // closed when the next regime begins
}

func newRegime(f Fault) *regime { return &regime{fault: f, ended: make(chan struct{})} }

// lockedState is what connections, requests and Set share. Its lock is never held during I/O.
type lockedState struct {
	mu      sync.Mutex
	regime  *regime
	target  string
	closed  bool
	links   map[*link]struct{}
	flights map[*flight]struct{}
	joined  sync.WaitGroup // one for each link and flight
}

func newState(target string) *lockedState {
	return &lockedState{
		regime:  newRegime(Fault{Kind: Pass, On: All}),
		target:  target,
		links:   map[*link]struct{}{},
		flights: map[*flight]struct{}{},
	}
}

func (s *lockedState) current() *regime {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.regime
}

func (s *lockedState) targetAddr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.target
}

func (s *lockedState) retarget(addr string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.target = addr
}

// join adds a connection; false means that the proxy is closed.
func (s *lockedState) join(l *link) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.joined.Add(1)
	s.links[l] = struct{}{}
	return true
}

func (s *lockedState) leave(l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.links, l)
	s.joined.Done()
}

// route decides, under the fault that is on now, whether l is terminated, and where it is dialled
// to otherwise.
func (s *lockedState) route(l *link, always bool) (target string, terminated bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.route = atTarget
	if always || s.regime.fault.terminates() {
		l.route = atProxy
	}
	return s.target, l.route == atProxy
}

// begin adds a request and returns the regime that it meets; false means that the proxy is closed.
func (s *lockedState) begin(f *flight) (*regime, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false
	}
	s.joined.Add(1)
	s.flights[f] = struct{}{}
	return s.regime, true
}

// opened marks that the response to f has begun.
func (s *lockedState) opened(f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.open = true
}

func (s *lockedState) finish(f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.flights, f)
	s.joined.Done()
}

// change begins the regime of next and returns the connections and requests that it ends.
func (s *lockedState) change(next Fault) (links []*link, flights []*flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.links {
		if l.endedBy(next) {
			links = append(links, l)
		}
	}
	for f := range s.flights {
		if f.endedBy(next) {
			flights = append(flights, f)
		}
	}
	if next.Kind == Cut {
		next = Fault{Kind: Pass, On: All}
	}
	close(s.regime.ended)
	s.regime = newRegime(next)
	return links, flights
}

// shut lets nothing join any more and returns the connections that are left.
func (s *lockedState) shut() []*link {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	links := make([]*link, 0, len(s.links))
	for l := range s.links {
		links = append(links, l)
	}
	return links
}
