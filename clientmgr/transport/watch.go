package transport

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// opening is one watch that is being opened.
type opening struct {
	collection      string
	resourceVersion string
	resumes         bool          // it goes on from a version; failing it costs a list
	bookmarks       bool          // something comes over the stream also where nothing changes
	timeout         time.Duration // after which the server ends the stream, 0 where it does not
}

func openingOf(u *url.URL) opening {
	query := u.Query()
	version := query.Get("resourceVersion")
	seconds, _ := strconv.Atoi(query.Get("timeoutSeconds")) // not a number: no time-out
	return opening{
		collection:      u.Path,
		resourceVersion: version,
		resumes:         version != "" && version != "0" && query.Get("sendInitialEvents") != "true",
		bookmarks:       query.Get("allowWatchBookmarks") == "true",
		timeout:         time.Duration(max(0, seconds)) * time.Second,
	}
}

// watch opens a watch. release is called once its stream is done with.
func (s *Swap) watch(req *http.Request, release func()) (*http.Response, error) {
	o := openingOf(req.URL)
	open := s.openOnce
	if o.resumes {
		open = s.resume
	}
	resp, endpoint, err := open(req, o)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body = &releasingBody{ReadCloser: resp.Body, release: sync.OnceFunc(release)}
		return resp, nil
	}
	resp.Body = s.newStream(resp.Body, endpoint, o, release)
	return resp, nil
}

// openOnce opens a watch that starts afresh. A failure is the caller's, but for one that a swap has
// cured meanwhile.
func (s *Swap) openOnce(req *http.Request, _ opening) (*http.Response, *Endpoint, error) {
	tried := s.current.Load()
	resp, err := s.attempt(req, tried)
	if current := s.current.Load(); current != tried && curable(resp, err) {
		discard(resp)
		tried = current
		resp, err = s.attempt(req, tried)
	}
	return resp, tried, err
}

// attempt sends a watch request and bounds the wait for its header.
func (s *Swap) attempt(req *http.Request, endpoint *Endpoint) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	timer := s.options.Clock.AfterFunc(s.options.OpenTimeout, cancel)
	resp, err := endpoint.RoundTrip(unpacked(req.WithContext(ctx)))
	if !timer.Stop() && err == nil {
		discard(resp) // the header came together with the time-out: the stream is cancelled already
		err = context.DeadlineExceeded
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("opening a watch: %w", err)
	}
	if resp.StatusCode != http.StatusOK { // a stream's context ends with the request's, which may be parked for long
		resp.Body = &releasingBody{ReadCloser: resp.Body, release: cancel}
	}
	return resp, nil
}

// unpacked asks for a stream that is not compressed, unless the caller chose an encoding. A reader
// of a compressed stream holds more than 40 KiB for as long as the watch is open.
func unpacked(req *http.Request) *http.Request {
	const encoding = "Accept-Encoding"
	if req.Header.Get(encoding) == "" {
		req.Header = req.Header.Clone()
		req.Header.Set(encoding, "identity")
	}
	return req
}

// resume opens a watch that goes on from a version. While it cannot, it parks: an error would make
// the caller list everything.
func (s *Swap) resume(req *http.Request, o opening) (*http.Response, *Endpoint, error) {
	ctx := req.Context()
	var park parking
	defer park.leave(s, o.collection)
	for {
		changed := s.changed()
		tried := s.current.Load()
		resp, err := s.resumeOnce(req, o, tried)
		if ctx.Err() != nil {
			discard(resp)
			return nil, nil, ctx.Err()
		}
		if err == nil && !park.keeps(resp.StatusCode, s.options) {
			return resp, tried, nil
		}
		discard(resp)
		if err != nil || resp.StatusCode >= http.StatusInternalServerError {
			s.suspect(o.collection)
		}
		park.enter(s, o.collection)
		timer := s.options.Clock.NewTimer(park.delay())
		select {
		case <-changed:
		case <-timer.C():
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

func (s *Swap) resumeOnce(req *http.Request, o opening, endpoint *Endpoint) (*http.Response, error) {
	if s.options.BeforeResume != nil && s.isSuspect(o.collection) {
		if err := s.options.BeforeResume(req.Context(), o.collection, o.resourceVersion); err != nil {
			return nil, err
		}
	}
	resp, err := s.attempt(req, endpoint)
	if err == nil && resp.StatusCode == http.StatusOK {
		s.trust(o.collection)
	}
	return resp, err
}

// parking is the wait of one watch that cannot resume.
type parking struct {
	entered  bool
	attempts int
	status   int       // what the server last answered
	since    time.Time // since when it answers so
}

// keeps reports whether an answer is one to wait out. 410 and 429 are not: client-go has its own
// way with them.
func (p *parking) keeps(status int, o SwapOptions) bool {
	now := o.Clock.Now()
	if status != p.status {
		p.status, p.since = status, now
	}
	switch {
	case status == http.StatusUnauthorized:
		return true
	case status == http.StatusForbidden:
		return now.Sub(p.since) < o.ParkForbidden
	case status >= http.StatusInternalServerError:
		return now.Sub(p.since) < o.ParkServerError
	default:
		return false
	}
}

// delay is the time until the next attempt: from 0.5 s doubling to 5 s, with a fifth of jitter.
func (p *parking) delay() time.Duration {
	base := min(5*time.Second, 500*time.Millisecond<<min(p.attempts, 8))
	p.attempts++
	return base - time.Duration(rand.Int64N(int64(base)/5)) //nolint:gosec // jitter
}

func (p *parking) enter(s *Swap, collection string) {
	if p.entered {
		return
	}
	p.entered = true
	s.locked.Lock()
	defer s.locked.Unlock()
	s.locked.parked[collection]++
}

func (p *parking) leave(s *Swap, collection string) {
	if !p.entered {
		return
	}
	s.locked.Lock()
	defer s.locked.Unlock()
	if s.locked.parked[collection]--; s.locked.parked[collection] == 0 {
		delete(s.locked.parked, collection)
	}
}

func (s *Swap) suspect(collection string) {
	s.locked.Lock()
	defer s.locked.Unlock()
	s.locked.suspects[collection] = struct{}{}
}

func (s *Swap) trust(collection string) {
	s.locked.Lock()
	defer s.locked.Unlock()
	delete(s.locked.suspects, collection)
}

func (s *Swap) isSuspect(collection string) bool {
	s.locked.Lock()
	defer s.locked.Unlock()
	_, suspect := s.locked.suspects[collection]
	return suspect
}

func discard(resp *http.Response) {
	if resp == nil {
		return
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 4<<10)) // lets the connection be used again
	_ = resp.Body.Close()
}
