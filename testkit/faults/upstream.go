package faults

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"time"
)

// upstream sends requests to the API server, on connections of their own for each way to be known
// there: a front proxy's certificate on the connection of a token would speak for the token. Safe
// for concurrent use.
type upstream struct {
	files      *files
	transports map[way]*http.Transport
	conns      *lockedConns
}

// way is one kind of connection to the API server.
type way struct {
	fronted bool // with the front proxy's certificate
	upgrade bool // HTTP/1.1, which alone can be upgraded to another protocol
}

func newUpstream(f *files) *upstream {
	u := &upstream{files: f, transports: map[way]*http.Transport{}, conns: newConns()}
	for _, w := range []way{{false, false}, {false, true}, {true, false}, {true, true}} {
		u.transports[w] = u.transport(w)
	}
	return u
}

func (u *upstream) transport(w way) *http.Transport {
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(!w.upgrade)
	return &http.Transport{
		DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return u.conns.dial(ctx, func(ctx context.Context) (net.Conn, error) { return u.dial(ctx, w, network, addr) })
		},
		Protocols:           protocols,
		ForceAttemptHTTP2:   !w.upgrade,
		DisableCompression:  true, // bodies go through as they are
		MaxIdleConnsPerHost: 100,
		IdleConnTimeout:     90 * time.Second,
	}
}

// RoundTrip implements http.RoundTripper.
func (u *upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	return u.transports[way{fronted: fronted(r), upgrade: r.Header.Get("Upgrade") != ""}].RoundTrip(r)
}

// dial opens a connection with the keys and certificates as they are now.
func (u *upstream) dial(ctx context.Context, w way, network, addr string) (net.Conn, error) {
	config, err := u.config(w, addr)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var dialer net.Dialer
	plain, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	secure := tls.Client(u.conns.track(plain), config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = secure.Close()
		return nil, fmt.Errorf("shaking hands with %q: %w", addr, err)
	}
	return secure, nil
}

func (u *upstream) config(w way, addr string) (*tls.Config, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	roots, err := u.files.targetCA.get()
	if err != nil {
		return nil, err
	}
	config := &tls.Config{ServerName: host, RootCAs: roots, NextProtos: []string{"h2", "http/1.1"}}
	if w.upgrade {
		config.NextProtos = []string{"http/1.1"}
	}
	if w.fronted {
		pair, err := u.files.frontProxy.get()
		if err != nil {
			return nil, err
		}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	return config, nil
}

// close ends all connections and keeps new ones from starting.
func (u *upstream) close() {
	u.conns.close()
	for _, t := range u.transports {
		t.CloseIdleConnections()
	}
}
