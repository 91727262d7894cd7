package page

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"path/filepath"

	certutil "k8s.io/client-go/util/cert"
	"sigs.k8s.io/controller-runtime/pkg/certwatcher"
)

// tlsConfig is nil where the page is served without TLS: on a loopback address that was given no
// certificate.
func (s *Server) tlsConfig(ctx context.Context, address net.Addr) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	if s.options.Gate.AsksForCertificates() {
		config.ClientAuth = tls.RequestClientCert // package access verifies it
	}
	switch tcp, isTCP := address.(*net.TCPAddr); {
	case s.options.CertDir != "":
		watcher, err := certwatcher.New(filepath.Join(s.options.CertDir, "tls.crt"),
			filepath.Join(s.options.CertDir, "tls.key"))
		if err != nil {
			return nil, fmt.Errorf("certificate: %w", err)
		}
		go func() { _ = watcher.Start(ctx) }() // its only error is that files cannot be watched: it looks at them then
		config.GetCertificate = watcher.GetCertificate
	case isTCP && tcp.IP.IsLoopback() && !s.options.Gate.AsksForCertificates():
		return nil, nil
	default:
		certificate, err := ownCertificate()
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	return config, nil
}

// ownCertificate is one that nobody else vouches for.
func ownCertificate() (tls.Certificate, error) {
	cert, key, err := certutil.GenerateSelfSignedCertKey("localhost", []net.IP{{127, 0, 0, 1}}, nil)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("making a certificate: %w", err)
	}
	return tls.X509KeyPair(cert, key)
}
