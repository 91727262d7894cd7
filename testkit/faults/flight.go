package faults

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
)

// errCut ends a watch as the server does when its time is up.
var errCut = errors.New("cut")

// flight is one request on a terminated connection.
type flight struct {
	victim
	proxy  *Proxy
	scope  Scope
	link   *link
	h1     bool
	open   bool // the response has begun; guarded by lockedState
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func newFlight(p *Proxy, r *http.Request) *flight {
	ctx, cancel := context.WithCancelCause(r.Context())
	return &flight{proxy: p, scope: scopeOf(r), link: linkOf(r.Context()), h1: r.ProtoMajor == 1, ctx: ctx, cancel: cancel}
}

// scopeOf says what kind of request r is. The API server, too, takes any value of watch but false
// and 0 for true.
func scopeOf(r *http.Request) Scope {
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return Write
	case http.MethodGet:
		watch, asked := r.URL.Query()["watch"]
		if asked && watch[0] != "0" && !strings.EqualFold(watch[0], "false") {
			return Watch
		}
	}
	return List
}

// endedBy reports whether the beginning of next ends the request. The caller holds the state's
// lock.
func (f *flight) endedBy(next Fault) bool {
	switch next.Kind {
	case Cut:
		return f.scope == Watch && f.open
	case Reset:
		return next.On == f.scope
	default:
		return false
	}
}

// end ends the request as the beginning of a fault of this kind does.
func (f *flight) end(k Kind) {
	if k == Cut {
		f.cancel(errCut)
		return
	}
	f.reset()
}

// reset aborts the request: an HTTP/1.1 connection with a RST, an HTTP/2 stream with RST_STREAM,
// which its handler sends.
func (f *flight) reset() {
	f.cancel(errReset)
	if f.h1 {
		f.link.end(errReset)
	}
}

// flow waits until bytes of the response may go on; false means that the request has ended.
func (f *flight) flow() bool {
	for f.ctx.Err() == nil {
		r := f.proxy.state.current()
		if !r.fault.withholds(f.scope) {
			return true
		}
		f.hit(&f.proxy.counters, r)
		if !f.proxy.pause(f.ctx, r, 0) {
			return false
		}
	}
	return false
}

// body is a response's body on its way to the client.
type body struct {
	io.ReadCloser
	flight *flight
}

// Read implements io.Reader: nothing comes through, not even an end, while a fault withholds it; a
// cut is a clean end.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.flight.flow() {
		return n, err
	}
	if cause := context.Cause(b.flight.ctx); !errors.Is(cause, errCut) {
		return 0, cause
	}
	return 0, io.EOF
}
