package exports

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// SizeHeader is how big a disk is said to be, in bytes. What is served of it is smaller: the size
// stands for the bytes that are left out.
const SizeHeader = "Testkit-Disk-Size"

// Found is what there is of an export.
type Found struct {
	// Service is the name of its Service, and Ready whether it serves.
	Service string
	Ready   bool
}

// Options say what a Proxy passes on. All are needed.
type Options struct {
	// Address is where it listens.
	Address string
	// Certificate is the Ingress's.
	Certificate tls.Certificate
	// Authority signs the certificates of servers.
	Authority *x509.CertPool
	// Services lead to servers by the names of their Services.
	Services *Names
	// Find looks for an export. Its error is one of the API server's.
	Find func(ctx context.Context, namespace, name string) (export Found, found bool, err error)
	// Size returns how many bytes a claim is said to hold, 0 where that is not known.
	Size func(ctx context.Context, namespace, claim string) int64
	// Pass returns when the cluster is not frozen, or with ctx's error.
	Pass func(ctx context.Context) error
	// Faults are what requests meet.
	Faults *Faults
}

// Proxy serves until its context ends.
type Proxy struct {
	options   Options
	transport *http.Transport
}

// NewProxy returns a proxy that does not listen yet.
func NewProxy(options Options) *Proxy {
	return &Proxy{options: options, transport: &http.Transport{
		DialContext:     Dialer(options.Services),
		TLSClientConfig: &tls.Config{RootCAs: options.Authority, MinVersion: tls.VersionTLS12},
	}}
}

// Start listens and serves until ctx ends. Downloads that are under way then break.
func (p *Proxy) Start(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.options.Address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           p,
		ErrorLog:          log.New(io.Discard, "", 0), // of connections that break, for which tests are made
		ReadHeaderTimeout: time.Minute,
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{p.options.Certificate}, MinVersion: tls.VersionTLS12,
		},
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, // no HTTP/2, as virt-exportproxy
	}
	done := make(chan error, 1)
	go func() { done <- server.ServeTLS(listener, "", "") }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		err := server.Close()
		<-done //nolint:errcheck // it says that the server is closed
		p.transport.CloseIdleConnections()
		return err
	}
}

// path is that of KubeVirt's virt-exportproxy: version, namespace, export and the rest.
var path = regexp.MustCompile(
	`^/api/export\.kubevirt\.io/(v1alpha1|v1beta1)/namespaces/([^/]+)/virtualmachineexports/([^/]+)/(.*)$`)

// ServeHTTP answers as virt-exportproxy does.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.options.Pass(r.Context()) != nil {
		return
	}
	match := path.FindStringSubmatch(r.URL.Path)
	if match == nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	namespace, name, rest := match[2], match[3], "/"+match[4]
	export, found, err := p.options.Find(r.Context(), namespace, name)
	switch {
	case err != nil:
		w.WriteHeader(http.StatusInternalServerError)
	case !found:
		w.WriteHeader(http.StatusNotFound)
	case !export.Ready:
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		p.pass(w, r, namespace, export.Service, rest)
	}
}

// pass lets a request through to the server of an export.
func (p *Proxy) pass(w http.ResponseWriter, r *http.Request, namespace, service, rest string) {
	claim := claimOf(rest)
	fault := Fault{}
	if claim != "" {
		fault = p.options.Faults.of(disk{namespace, claim}, r.Method == http.MethodGet)
	}
	if fault.Status != 0 {
		w.WriteHeader(fault.Status)
		return
	}
	reverse := &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.Out.URL.Scheme, request.Out.URL.Path = "https", rest
			request.Out.URL.Host = ServiceHost(service, namespace)
			request.Out.Host = ""
		},
		Transport:     p.transport,
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
		ModifyResponse: func(response *http.Response) error {
			if size := p.options.Size(r.Context(), namespace, claim); claim != "" && size > 0 {
				response.Header.Set(SizeHeader, strconv.FormatInt(size, 10))
			}
			damage(response, fault)
			return nil
		},
	}
	reverse.ServeHTTP(w, r)
}

// ServiceHost is the host name of a Service inside its cluster.
func ServiceHost(service, namespace string) string { return service + "." + namespace + ".svc" }

// claimOf returns the claim whose disk a server has at a path, or "".
func claimOf(path string) string {
	claim, disk, found := strings.Cut(strings.TrimPrefix(path, "/volumes/"), "/")
	if !found || !strings.HasPrefix(path, "/volumes/") || disk == "" {
		return ""
	}
	return claim
}
