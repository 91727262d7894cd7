package transport

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// minAge is the age below which no stream ends: client-go takes a watch that ends within its first
	// second without an event for an error, and lists everything.
	minAge = 1100 * time.Millisecond
	// early is how long before its time-out the end of a stream counts as a break.
	early = 2 * time.Second
)

// stream is the body of one open watch. Whatever breaks it reads as its end: then the caller
// resumes instead of listing.
type stream struct {
	body       io.ReadCloser
	swap       *Swap
	endpoint   *Endpoint
	collection string
	opened     time.Time
	timeout    time.Duration
	bookmarks  bool
	release    func()

	last     atomic.Int64  // when bytes came, as Unix nanoseconds
	received atomic.Bool   // any bytes came
	cut      atomic.Bool   // it was ended from here
	planned  atomic.Bool   // and for no fault of the server's
	closed   atomic.Bool   // its reader does not want more
	done     chan struct{} // closed with it
}

func (s *Swap) newStream(body io.ReadCloser, endpoint *Endpoint, o opening, release func()) *stream {
	now := s.options.Clock.Now()
	st := &stream{body: body, swap: s, endpoint: endpoint, collection: o.collection, opened: now, timeout: o.timeout,
		bookmarks: o.bookmarks, done: make(chan struct{})}
	st.release = sync.OnceFunc(release)
	st.last.Store(now.UnixNano())
	endpoint.conns.streams.Add(1)
	s.locked.Lock()
	defer s.locked.Unlock()
	s.locked.streams[st] = struct{}{}
	return st
}

func (st *stream) Read(p []byte) (int, error) {
	n, err := st.body.Read(p)
	if n > 0 {
		st.last.Store(st.swap.options.Clock.Now().UnixNano())
		if !st.received.Swap(true) {
			st.swap.fruitful(st.collection)
		}
	}
	if err == nil {
		return n, nil
	}
	if st.broke(err) {
		st.swap.suspect(st.collection)
	}
	st.ripen()
	if st.closed.Load() {
		return n, err
	}
	return n, io.EOF
}

// ripen returns once the stream has the age at which it may end, or is closed.
func (st *stream) ripen() {
	wait := minAge - st.age()
	if wait <= 0 || st.closed.Load() {
		return
	}
	timer := st.swap.options.Clock.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C():
	case <-st.done:
	}
}

// broke reports whether the end of a stream was not a planned one: neither ours nor the server's
// time-out.
func (st *stream) broke(err error) bool {
	if st.closed.Load() || st.planned.Load() {
		return false
	}
	return err != io.EOF || st.age() < st.timeout-early //nolint:errorlint // io.Reader's contract is the bare io.EOF
}

func (st *stream) age() time.Duration { return st.swap.options.Clock.Since(st.opened) }

// silence is 0 where silence says nothing: without bookmarks, a stream over which nothing comes may
// just have nothing to tell.
func (st *stream) silence() time.Duration {
	if !st.bookmarks {
		return 0
	}
	return st.swap.options.Clock.Since(time.Unix(0, st.last.Load()))
}

// end cuts the stream, once it is old enough.
func (st *stream) end(planned bool) (cut bool) {
	if st.cut.Swap(true) {
		return false
	}
	st.planned.Store(planned)
	if wait := minAge - st.age(); wait > 0 {
		st.swap.options.Clock.AfterFunc(wait, st.release)
	} else {
		st.release()
	}
	return true
}

func (st *stream) Close() error {
	if st.closed.Swap(true) {
		return nil
	}
	close(st.done)
	st.release()
	err := st.body.Close()
	s := st.swap
	s.locked.Lock()
	delete(s.locked.streams, st)
	s.locked.Unlock()
	if c := st.endpoint.conns; c.streams.Add(-1) == 0 && c.retired.Load() {
		s.options.Clock.AfterFunc(poll, c.transport.CloseIdleConnections) // the connection is idle a moment later
	}
	return err
}

func (s *Swap) fruitful(collection string) {
	s.locked.Lock()
	defer s.locked.Unlock()
	delete(s.locked.barren, collection)
}

// CutOld ends the watches that are still on a former endpoint; they resume on the current one. It
// returns how many it cut. A stream younger than about a second is cut when it has that age. verify
// has SwapOptions.BeforeResume asked, as after a break: for an endpoint with another address.
func (s *Swap) CutOld(verify bool) int {
	current := s.current.Load()
	return s.cutIf(func(st *stream) bool { return st.endpoint != current }, !verify)
}

// CutSilent ends the watches with bookmarks over which nothing came for a time, so that they open
// anew, and returns how many. A server sends a bookmark about once a minute.
func (s *Swap) CutSilent(silence time.Duration) int {
	return s.cutIf(func(st *stream) bool {
		silent := st.bookmarks && st.silence() >= silence
		if silent && !st.received.Load() {
			s.locked.barren[st.collection] = struct{}{}
		}
		return silent
	}, false)
}

// cutIf calls matches with the lock held.
func (s *Swap) cutIf(matches func(*stream) bool, planned bool) (count int) {
	s.locked.Lock()
	defer s.locked.Unlock()
	for st := range s.locked.streams {
		if !matches(st) || !st.end(planned) {
			continue
		}
		count++
	}
	return count
}

// Watches sums up a Swap's watches at one moment.
type Watches struct {
	// Open is the number of open streams.
	Open int
	// Parked is the number of watches that cannot resume yet.
	Parked int
	// Barren is the number of collections whose last stream was cut by CutSilent without having
	// delivered anything, and whose present one has not either.
	Barren int
	// Silence is the longest time for which nothing came over an open stream that has bookmarks.
	Silence time.Duration
}

// Watches returns the sum of this moment. It does no I/O.
func (s *Swap) Watches() Watches {
	s.locked.Lock()
	defer s.locked.Unlock()
	w := Watches{Open: len(s.locked.streams), Barren: len(s.locked.barren)}
	for _, parked := range s.locked.parked {
		w.Parked += parked
	}
	for st := range s.locked.streams {
		w.Silence = max(w.Silence, st.silence())
	}
	return w
}
