package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// poll is how often a call that is held because the server is away tries again.
const poll = 250 * time.Millisecond

// call sends a request that is not a watch. release is called once the response's body is done
// with.
func (s *Swap) call(req *http.Request, release func()) (*http.Response, error) {
	resp, err := s.hold(req)
	if err != nil {
		return nil, err
	}
	resp.Body = &releasingBody{ReadCloser: resp.Body, release: sync.OnceFunc(release)}
	return resp, nil
}

// hold sends a request and, where its failure may be cured by a swap, repeats it when one happens.
func (s *Swap) hold(req *http.Request) (*http.Response, error) {
	tried := s.current.Load()
	resp, err := send(tried, req)
	if s.options.Hold < 0 {
		return resp, err
	}
	deadline := s.options.Clock.Now().Add(s.options.Hold)
	for curable(resp, err) {
		again, replayable := replay(req)
		if !replayable {
			return resp, err
		}
		if resp != nil {
			buffer(resp)
		}
		next, found := s.await(req.Context(), tried, deadline, err != nil)
		if !found {
			return resp, err
		}
		tried = next
		resp, err = send(tried, again)
	}
	return resp, err
}

// curable reports whether a request may be sent again whatever it does: it was refused before it
// was looked at, or never sent.
func curable(resp *http.Response, err error) bool {
	if err != nil {
		return neverSent(err)
	}
	return resp.StatusCode == http.StatusUnauthorized
}

// neverSent reports whether an error proves that no server saw the request. A reset proves nothing:
// a write may have been applied.
func neverSent(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect") {
		return true
	}
	var unverified *tls.CertificateVerificationError
	return errors.As(err, &unverified)
}

// await waits until another endpoint than the tried one is there or, where away says that the
// server is, until it is worth trying the same one again. found is false at the deadline.
func (s *Swap) await(ctx context.Context, tried *Endpoint, deadline time.Time, away bool) (next *Endpoint, found bool) {
	for {
		changed := s.changed()
		if current := s.current.Load(); current != tried {
			return current, true
		}
		left := deadline.Sub(s.options.Clock.Now())
		if left <= 0 {
			return nil, false
		}
		if away {
			left = min(left, poll)
		}
		timer := s.options.Clock.NewTimer(left)
		select {
		case <-changed:
		case <-timer.C():
		case <-ctx.Done():
			timer.Stop()
			return nil, false
		}
		timer.Stop()
		if away {
			return s.current.Load(), true
		}
	}
}

// replay returns the request with its body from the start.
func replay(req *http.Request) (again *http.Request, replayable bool) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, true
	}
	if req.GetBody == nil {
		return nil, false
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, false
	}
	again = req.WithContext(req.Context())
	again.Body = body
	return again, true
}

// buffer takes a refusal's body off the connection, which others then can use.
func buffer(resp *http.Response) {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // a refusal cut short is a refusal still
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
}

// releasingBody releases a request's context when its response is done with.
type releasingBody struct {
	io.ReadCloser
	release func()
}

func (b *releasingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.release()
	}
	return n, err
}

func (b *releasingBody) Close() error {
	err := b.ReadCloser.Close()
	b.release()
	return err
}
