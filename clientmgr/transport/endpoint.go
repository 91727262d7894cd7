package transport

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
)

// EndpointOptions tune the connections to a server. The zero value works.
type EndpointOptions struct {
	// DialTimeout bounds making a TCP connection, and the TLS handshake as well. Default 5 s.
	DialTimeout time.Duration
	// PingInterval is the silence on a connection after which it is pinged. Default 10 s.
	PingInterval time.Duration
	// PingTimeout is how long such a ping may take before the connection is given up. Default 5 s.
	PingTimeout time.Duration
	// CheckAddress is asked for each address, of the server or of its proxy, before it is dialled; its
	// error, which wraps ErrAddress, refuses it. Default NoLinkLocal.
	CheckAddress func(netip.AddrPort) error
}

func (o EndpointOptions) withDefaults() EndpointOptions {
	if o.DialTimeout == 0 {
		o.DialTimeout = 5 * time.Second
	}
	if o.PingInterval == 0 {
		o.PingInterval = 10 * time.Second
	}
	if o.PingTimeout == 0 {
		o.PingTimeout = 5 * time.Second
	}
	if o.CheckAddress == nil {
		o.CheckAddress = NoLinkLocal
	}
	return o
}

// Endpoint is a server together with a credential. It is immutable, safe for concurrent use, and an
// http.RoundTripper by itself: a request for a path goes to that path of this server.
type Endpoint struct {
	target        kubeconfig.Target
	authorization string // the header's value, "" for none
	conns         *conns
}

// conns are the connections that endpoints with one address and one client certificate share.
type conns struct {
	transport *http.Transport
	retired   atomic.Bool  // no current endpoint uses them any more
	streams   atomic.Int64 // open watches
}

// headerTable is how many bytes of response headers a connection remembers, to have those that
// repeat sent shorter. Of an API server's headers most are new each time, and the library's 4 KiB
// take 10 in memory.
const headerTable = 512

// NewEndpoint prepares the connections to a target; it does no I/O. An error never holds anything
// of the target.
func NewEndpoint(target kubeconfig.Target, options EndpointOptions) (*Endpoint, error) {
	config, err := tlsConfig(target)
	if err != nil {
		return nil, err
	}
	o := options.withDefaults()
	dialer := &net.Dialer{Timeout: o.DialTimeout, KeepAlive: 15 * time.Second, Control: control(o.CheckAddress)}
	base := &http.Transport{
		TLSClientConfig:     config,
		DialContext:         dialer.DialContext,
		TLSHandshakeTimeout: o.DialTimeout,
		ForceAttemptHTTP2:   true,
		HTTP2: &http.HTTP2Config{
			SendPingTimeout: o.PingInterval, PingTimeout: o.PingTimeout, MaxDecoderHeaderTableSize: headerTable,
		},
		MaxIdleConnsPerHost: 25,
		IdleConnTimeout:     90 * time.Second,
	}
	if target.Proxy != nil {
		base.Proxy = http.ProxyURL(target.Proxy)
	}
	return &Endpoint{target: target, authorization: authorization(target), conns: &conns{transport: base}}, nil
}

// WithTarget returns the endpoint for a changed target. It shares this one's connections where only
// the credential that goes with each request differs. It does no I/O.
func (e *Endpoint) WithTarget(target kubeconfig.Target, options EndpointOptions) (*Endpoint, error) {
	if !e.target.SameEndpoint(target) {
		return NewEndpoint(target, options)
	}
	return &Endpoint{target: target, authorization: authorization(target), conns: e.conns}, nil
}

// Format prints which parts the target has, whatever the verb: fmt would look into the header.
func (e Endpoint) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "transport.Endpoint{%s}", e.target)
}

// Target returns what the endpoint was made from.
func (e *Endpoint) Target() kubeconfig.Target { return e.target }

// Close lets go of idle connections. An endpoint that was tried and not used is closed by its
// maker.
func (e *Endpoint) Close() { e.conns.transport.CloseIdleConnections() }

// SharesConnections reports whether both endpoints use the same connections; closing one's then
// closes the other's.
func (e *Endpoint) SharesConnections(o *Endpoint) bool { return e.conns == o.conns }

// RoundTrip implements http.RoundTripper.
func (e *Endpoint) RoundTrip(req *http.Request) (*http.Response, error) {
	out := req.WithContext(req.Context()) // a shallow copy: the caller's request must stay as it is
	out.URL = e.locate(req.URL)
	out.Host = ""
	if e.authorization != "" {
		out.Header = make(http.Header, len(req.Header)+1)
		for key, values := range req.Header {
			out.Header[key] = values
		}
		out.Header["Authorization"] = []string{e.authorization}
	}
	return e.conns.transport.RoundTrip(out)
}

func (e *Endpoint) locate(u *url.URL) *url.URL {
	located := *u
	located.Scheme, located.Host = e.target.Server.Scheme, e.target.Server.Host
	if prefix := e.target.Server.Path; prefix != "" {
		located.Path = prefix + u.Path
		located.RawPath = e.target.Server.EscapedPath() + u.EscapedPath() // keeps %2F in either
	}
	return &located
}

func authorization(target kubeconfig.Target) string {
	switch {
	case !target.Token.IsZero():
		return "Bearer " + target.Token.Reveal()
	case target.Username != "":
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(target.Username+":"+target.Password.Reveal()))
	default:
		return ""
	}
}

func tlsConfig(target kubeconfig.Target) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: target.ServerName}
	if target.Insecure {
		config.InsecureSkipVerify = true //nolint:gosec // only by kubeconfig.Options.AllowInsecure
	}
	if len(target.CA) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(target.CA) {
			return nil, fmt.Errorf("certificate-authority-data: no PEM certificate")
		}
	}
	if len(target.Certificate) > 0 {
		pair, err := tls.X509KeyPair(target.Certificate, []byte(target.Key.Reveal()))
		if err != nil {
			return nil, fmt.Errorf("client-certificate-data: no PEM certificate that matches its key")
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// Host returns a stable placeholder for rest.Config.Host: a host that never resolves, named after
// the cluster, whatever characters its name has. The scheme is written out because client-go
// guesses http otherwise.
func Host(name string) string {
	readable := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	if readable != name {
		readable += fmt.Sprintf("-%x", sha256.Sum256([]byte(name)))[:9] // others may read the same
	}
	return "https://" + readable + ".invalid"
}
