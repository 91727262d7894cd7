package page

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/access"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/feed"
)

// Options say what is served where.
type Options struct {
	// Address is host:port, with port 0 for a free one.
	Address string
	// CertDir has tls.crt and tls.key, which are read again when they change. "" means a certificate
	// that this process makes for itself, and on a loopback address none: there the page is served
	// without TLS, unless front proxies are believed.
	CertDir string
	// Selector are the labels of the Machines that are in the caches, "" for all. It is shown.
	Selector string
	// Gate says who somebody is and what he may see. Required.
	Gate *access.Gate
	// Feed has the rows. Required.
	Feed *feed.Feed
	// Logger takes what is worth knowing. Default: nobody.
	Logger logr.Logger
	// Clock is by default the real one.
	Clock clock.WithTicker
	// Recheck is how often a person's rights are looked at while a stream is open. Default a minute.
	Recheck time.Duration
	// Serving, where it is set, is told the URL once the port is open.
	Serving func(url string)
}

// Server serves the page. It is a controller-runtime Runnable that needs no leader.
type Server struct {
	options  Options
	sessions *sessions
	assets   assets
	handler  http.Handler
}

// New returns a server, which serves nothing yet.
func New(options Options) (*Server, error) {
	if options.Gate == nil || options.Feed == nil {
		return nil, errors.New("the page needs a gate and a feed")
	}
	if options.Clock == nil {
		options.Clock = clock.RealClock{}
	}
	if options.Recheck == 0 {
		options.Recheck = time.Minute
	}
	loaded, err := loadAssets()
	if err != nil {
		return nil, err
	}
	s := &Server{options: options, sessions: newSessions(options.Clock), assets: loaded}
	s.handler = s.routes()
	return s, nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: every replica has the supervisor's
// caches.
func (s *Server) NeedLeaderElection() bool { return false }

// Start serves until ctx ends. It fails where the port cannot be opened or the certificate read.
func (s *Server) Start(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.options.Address)
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	config, err := s.tlsConfig(ctx, listener.Addr())
	if err != nil {
		return errors.Join(fmt.Errorf("page: %w", err), listener.Close())
	}
	server := &http.Server{
		Handler: s.handler, TLSConfig: config,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute,
		MaxHeaderBytes: 32 << 10,
		// A stream ends with the server, not with its listener's patience.
		BaseContext: func(net.Listener) context.Context { return ctx },
		// What clients do wrong before a request is theirs alone: a port scan would fill the log.
		ErrorLog: log.New(discard{}, "", 0),
	}
	go s.options.Gate.Run(ctx)
	ended := make(chan error, 1)
	go func() { ended <- serve(server, listener) }()
	url := urlOf(listener.Addr(), config != nil)
	s.options.Logger.Info("Serving the page", "url", url)
	if s.options.Serving != nil {
		s.options.Serving(url)
	}
	select {
	case err := <-ended:
		return fmt.Errorf("page: %w", err)
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(closing); err != nil {
		_ = server.Close() // of connections that did not end by themselves
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("page: %w", err)
	}
	return nil
}

func serve(server *http.Server, listener net.Listener) error {
	if server.TLSConfig != nil {
		return server.ServeTLS(listener, "", "")
	}
	return server.Serve(listener)
}

func urlOf(address net.Addr, secure bool) string {
	scheme := "http"
	if secure {
		scheme = "https"
	}
	return scheme + "://" + address.String() + "/"
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
