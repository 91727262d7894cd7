package faults

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"

	"github.com/go-logr/logr"
)

// terminator is an HTTP server with the API server's certificate, for links whose requests must be
// seen.
type terminator struct {
	proxy    *Proxy
	files    *files
	upstream *upstream
	server   *http.Server
	forward  *httputil.ReverseProxy
	pipes    *pipes
	dice     *lockedDice
	running  sync.WaitGroup // Serve, and each connection
}

func newTerminator(p *Proxy) *terminator {
	f := newFiles(p.opts)
	t := &terminator{proxy: p, files: f, upstream: newUpstream(f), pipes: newPipes(), dice: newDice(p.opts.Rand)}
	quiet := slog.NewLogLogger(logr.ToSlogHandler(p.opts.Log), slog.LevelDebug)
	t.server = &http.Server{ //nolint:gosec // no header time-out: a partition may last longer than any
		Handler:     t,
		TLSConfig:   &tls.Config{GetConfigForClient: t.config},
		ConnContext: withLink,
		ConnState:   t.connState,
		ErrorLog:    quiet,
	}
	t.forward = &httputil.ReverseProxy{
		Rewrite:        t.rewrite,
		Transport:      t.upstream,
		FlushInterval:  -1, // at once
		ModifyResponse: t.opened,
		ErrorHandler:   t.failed,
		ErrorLog:       quiet,
	}
	return t
}

func (t *terminator) start() {
	t.running.Go(func() { _ = t.server.ServeTLS(t.pipes, "", "") }) // ends with ErrServerClosed
}

// close ends every connection on either side and waits for the server's goroutines.
func (t *terminator) close() {
	t.pipes.stop()
	_ = t.server.Close() // the pipes' other ends are closed already
	t.upstream.close()
	t.running.Wait()
}

// connect returns l's end of a pipe into the server.
func (t *terminator) connect(l *link) (net.Conn, error) { return t.pipes.connect(l) }

// config is the API server's side of a handshake, with the files as they are now. It asks for a
// certificate but verifies it only when a request comes, as the API server does.
func (t *terminator) config(*tls.ClientHelloInfo) (*tls.Config, error) {
	pair, err := t.files.serving.get()
	if err != nil {
		return nil, err
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"},
		SessionTicketsDisabled: true, // a resumed session would not see replaced files
	}
	if t.files.asksClients {
		config.ClientAuth = tls.RequestClientCert
		if config.ClientCAs, err = t.files.clientCA.get(); err != nil {
			return nil, err
		}
	}
	return config, nil
}

func (t *terminator) connState(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		t.running.Add(1)
	case http.StateClosed, http.StateHijacked:
		t.running.Done()
	}
}

// ServeHTTP implements http.Handler: the fault that is on first, then the API server.
func (t *terminator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := newFlight(t.proxy, r)
	defer f.cancel(errClosed)
	regime, ok := t.proxy.state.begin(f)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	defer t.proxy.state.finish(f)
	t.proxy.counters.request(f.scope)
	if !t.admit(w, r, f, regime) {
		return
	}
	r = r.WithContext(context.WithValue(f.ctx, flightKey{}, f))
	if !t.identify(w, r) {
		return
	}
	t.forward.ServeHTTP(w, r)
}

// admit lets the fault act on a request that has come in; false means that it has been answered. It
// panics with http.ErrAbortHandler for one that is not to be answered.
func (t *terminator) admit(w http.ResponseWriter, r *http.Request, f *flight, regime *regime) bool {
	fault := regime.fault
	if !fault.answers(f.scope) || fault.Kind == Errors && !t.dice.hit(fault.Rate) {
		return true
	}
	switch fault.Kind {
	case Errors:
		f.hit(&t.proxy.counters, regime)
		writeStatus(w, internalError())
		return false
	case Unauthorized:
		f.hit(&t.proxy.counters, regime)
		writeStatus(w, unauthorized())
		return false
	case Reset:
		f.hit(&t.proxy.counters, regime)
		f.reset()
		panic(http.ErrAbortHandler)
	case Blackhole:
		f.hit(&t.proxy.counters, regime)
		f.swallow(r)
		panic(http.ErrAbortHandler)
	case Latency:
		f.hit(&t.proxy.counters, regime)
		if !t.proxy.pause(f.ctx, regime, max(fault.Latency, 1)) {
			panic(http.ErrAbortHandler)
		}
	}
	return true
}

// swallow holds the request until its client gives up. The body must be read, or the server would
// not see the client leave.
func (f *flight) swallow(r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err == nil {
		<-f.ctx.Done()
	}
}

// identify puts the user of a client certificate into the request's headers and removes all others;
// false means that the request has been answered 401.
func (t *terminator) identify(w http.ResponseWriter, r *http.Request) bool {
	stripUser(r.Header)
	if !t.files.asksClients {
		return true
	}
	roots, err := t.files.clientCA.get()
	if err != nil {
		writeStatus(w, internalError())
		return false
	}
	u, found, err := certificateUser(r, roots)
	if err != nil && !hasToken(r) {
		writeStatus(w, unauthorized())
		return false
	}
	if found {
		u.present(r)
	}
	return true
}

// rewrite directs a request to the target and leaves the rest of it as the client sent it.
func (t *terminator) rewrite(r *httputil.ProxyRequest) {
	r.Out.URL.Scheme = "https"
	r.Out.URL.Host = t.proxy.state.targetAddr()
	r.Out.URL.RawQuery = r.In.URL.RawQuery
	for _, key := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values, sent := r.In.Header[key]; sent {
			r.Out.Header[key] = values
		}
	}
}

// opened takes the response over, except that of an upgrade, which is no longer HTTP.
func (t *terminator) opened(resp *http.Response) error {
	f := resp.Request.Context().Value(flightKey{}).(*flight)
	t.proxy.state.opened(f)
	if resp.StatusCode != http.StatusSwitchingProtocols {
		resp.Body = &body{ReadCloser: resp.Body, flight: f}
	}
	return nil
}

// failed ends a request that the target did not answer as its end would be felt without a proxy.
func (t *terminator) failed(_ http.ResponseWriter, r *http.Request, err error) {
	f := r.Context().Value(flightKey{}).(*flight)
	if f.ctx.Err() == nil {
		t.proxy.targetFailed(err)
		var dial *net.OpError
		if errors.As(err, &dial) && dial.Op == "dial" {
			f.link.end(errReset)
		}
	}
	panic(http.ErrAbortHandler)
}

type flightKey struct{}

type linkKey struct{}

func withLink(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, linkKey{}, c.(*tls.Conn).NetConn().(*pipeEnd).link)
}

func linkOf(ctx context.Context) *link { return ctx.Value(linkKey{}).(*link) }

// lockedDice is a source of randomness for many.
type lockedDice struct {
	mu   sync.Mutex
	rand *rand.Rand
}

func newDice(source rand.Source) *lockedDice { return &lockedDice{rand: rand.New(source)} }

// hit is true for this share of the throws.
func (d *lockedDice) hit(rate float64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rand.Float64() < rate
}
