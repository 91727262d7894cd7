package imports

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"strings"
	"time"
)

// userAgent is what CDI's importer says that it is.
const userAgent = "cdi-golang-importer"

// Source is what to get.
type Source struct {
	// URL is where the disk is.
	URL string
	// Headers go with each request, "Name: value". One without a colon is left out.
	Headers []string
	// Authorities are PEM files of authorities that are trusted beside the machine's.
	Authorities [][]byte
	// Checksum is of the bytes as they come, before they are unpacked: "sha256:HEX", or md5, sha1 or
	// sha512. "" means that none is compared.
	Checksum string
}

func (s Source) client(
	dial func(ctx context.Context, network, address string) (net.Conn, error),
) (client *http.Client, done func()) {
	transport := &http.Transport{
		DialContext: dial, TLSHandshakeTimeout: 10 * time.Second, ExpectContinueTimeout: time.Second,
	}
	if len(s.Authorities) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		for _, authority := range s.Authorities {
			pool.AppendCertsFromPEM(authority)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{
		Transport: transport,
		CheckRedirect: func(request *http.Request, _ []*http.Request) error {
			s.addHeaders(request)
			return nil
		},
	}, transport.CloseIdleConnections
}

func (s Source) addHeaders(request *http.Request) {
	for _, header := range s.Headers {
		if name, value, found := strings.Cut(header, ":"); found {
			request.Header.Add(name, value)
		}
	}
	request.Header.Add("User-Agent", userAgent)
}

// ask sends a request for the disk.
func (s Source) ask(ctx context.Context, client *http.Client, method string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.URL, http.NoBody)
	if err != nil {
		return nil, err
	}
	s.addHeaders(request)
	return client.Do(request)
}
