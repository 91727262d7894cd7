package faults

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"
)

// Options configure a Proxy. Only Target is required to pass connections through and for the faults
// that act on whole connections; ServingCert, ServingKey and TargetCA are, too, for Terminate and
// for the faults that act on requests.
type Options struct {
	// Listen is the host:port to listen on; "" means "127.0.0.1:0", a port of the system's choice.
	Listen string
	// Target is the host:port of the API server.
	Target string
	// ServingCert and ServingKey are PEM files: the API server's own.
	ServingCert, ServingKey string
	// ClientCA is a PEM file: the bundle that client certificates are verified against; "" means that
	// none are asked for.
	ClientCA string
	// TargetCA is a PEM file: the bundle that the API server's certificate is verified against.
	TargetCA string
	// FrontProxyCert and FrontProxyKey are PEM files: a client certificate that the API server trusts
	// to name users. Required with ClientCA.
	FrontProxyCert, FrontProxyKey string
	// Terminate terminates TLS from the first byte, so that stall and cut act on streams that are
	// already open.
	Terminate bool
	// Rand picks the requests that an Errors fault hits; nil means a fixed seed, so that runs repeat.
	// The Proxy guards it.
	Rand rand.Source
	// Clock tells the time for Latency; nil means the system's.
	Clock clock.Clock
	// Log receives switches of faults at level 0, and errors of the target at level 1; the zero Logger
	// is silent.
	Log logr.Logger
}

func (o Options) withDefaults() Options {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Rand == nil {
		o.Rand = rand.NewPCG(1, 2)
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	return o
}

func (o Options) check() error {
	if err := checkTarget(o.Target); err != nil {
		return err
	}
	if o.ClientCA != "" && (o.FrontProxyCert == "" || o.FrontProxyKey == "") {
		return errors.New("client certificates (ClientCA) need FrontProxyCert and FrontProxyKey to be forwarded")
	}
	return nil
}

func checkTarget(addr string) error {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return fmt.Errorf("target %q: want host:port", addr)
	}
	return nil
}
