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

// hold sends a request and, where its failure may be cured by a swap or by time, repeats it then.
func (s *Swap) hold(req *http.Request) (*http.Response, error) {
	if s.options.Hold < 0 {
		t := s.sendNow(s.current.Load(), req)
		return t.resp, t.err
	}
	deadline := s.options.Clock.Now().Add(s.options.Hold)
	t, sent := s.send(req, deadline)
	for sent && curable(t.resp, t.err) {
		again, replayable := replay(req)
		if !replayable {
			break
		}
		if t.resp != nil {
			buffer(t.resp)
			if !s.awaitSwap(req.Context(), t.by, deadline) {
				break
			}
		}
		var next trial
		if next, sent = s.send(again, deadline); sent || t.resp == nil {
			t = next
		}
	}
	return t.resp, t.err
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

// awaitSwap waits until another endpoint than the one that refused is current. It is false where
// none is before the deadline.
func (s *Swap) awaitSwap(ctx context.Context, refused *Endpoint, deadline time.Time) bool {
	for {
		changed := s.changed()
		if s.current.Load() != refused {
			return true
		}
		left := deadline.Sub(s.options.Clock.Now())
		if left <= 0 || ctx.Err() != nil {
			return false
		}
		s.wait(ctx, left, changed, nil)
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
