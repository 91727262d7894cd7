package faults

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
)

// files are the keys and certificates, which others may replace at any time. Each is read anew
// whenever it is asked for; what was read last counts while a file is missing, half written or does
// not match its other half. Safe for concurrent use.
type files struct {
	serving, frontProxy       reread[tls.Certificate]
	clientCA, targetCA        reread[*x509.CertPool]
	asksClients, frontsClient bool
}

func newFiles(o Options) *files {
	return &files{
		serving:      keyPair("serving certificate", o.ServingCert, o.ServingKey),
		frontProxy:   keyPair("front-proxy certificate", o.FrontProxyCert, o.FrontProxyKey),
		clientCA:     bundle("client CA bundle", o.ClientCA),
		targetCA:     bundle("target CA bundle", o.TargetCA),
		asksClients:  o.ClientCA != "",
		frontsClient: o.FrontProxyCert != "",
	}
}

// check reads all that terminating needs.
func (f *files) check() error {
	if _, err := f.serving.get(); err != nil {
		return err
	}
	if _, err := f.targetCA.get(); err != nil {
		return err
	}
	if f.asksClients {
		if _, err := f.clientCA.get(); err != nil {
			return err
		}
	}
	if f.frontsClient {
		if _, err := f.frontProxy.get(); err != nil {
			return err
		}
	}
	return nil
}

// reread is a value that comes from files.
type reread[T any] struct {
	read func() (T, error)
	last *atomic.Pointer[T]
}

func newReread[T any](read func() (T, error)) reread[T] {
	return reread[T]{read: read, last: &atomic.Pointer[T]{}}
}

// get returns the value as it is now, the last good one if that cannot be read, or the error if
// there has been none.
func (r reread[T]) get() (T, error) {
	value, err := r.read()
	if err == nil {
		r.last.Store(&value)
		return value, nil
	}
	if last := r.last.Load(); last != nil {
		return *last, nil
	}
	return value, err
}

func keyPair(what, cert, key string) reread[tls.Certificate] {
	return newReread(func() (tls.Certificate, error) {
		if cert == "" || key == "" {
			return tls.Certificate{}, fmt.Errorf("%s: no file given, and TLS cannot be terminated without", what)
		}
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return tls.Certificate{}, fmt.Errorf("%s: %w", what, err)
		}
		return pair, nil
	})
}

func bundle(what, file string) reread[*x509.CertPool] {
	return newReread(func() (*x509.CertPool, error) {
		if file == "" {
			return nil, fmt.Errorf("%s: no file given, and TLS cannot be terminated without", what)
		}
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: %w", what, errors.New("no certificate in "+file))
		}
		return pool, nil
	})
}
