package faults_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

const (
	patience = 20 * time.Second       // for what must happen
	silence  = 150 * time.Millisecond // for what must not
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// authority issues certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{key: newKey(t), cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

// issue returns a certificate for the subject, good for servers on 127.0.0.1 and for clients.
func (a *authority) issue(t *testing.T, subject pkix.Name) tls.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<60))
	if err != nil {
		t.Fatal(err)
	}
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial, Subject: subject, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

func (a *authority) write(t *testing.T, file string) {
	t.Helper()
	writePEM(t, file, "CERTIFICATE", a.cert.Raw)
}

func writePair(t *testing.T, pair tls.Certificate, cert, key string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, cert, "CERTIFICATE", pair.Certificate[0])
	writePEM(t, key, "PRIVATE KEY", der)
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	var text bytes.Buffer
	if err := pem.Encode(&text, &pem.Block{Type: kind, Bytes: der}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// world is an API server's place: its authorities, files, itself, and whoever talks to it.
type world struct {
	serving, clients, front *authority
	options                 faults.Options // without Terminate
	api                     *api
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{serving: newAuthority(t, "serving"), clients: newAuthority(t, "clients"), front: newAuthority(t, "front")}
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	pair := w.serving.issue(t, pkix.Name{CommonName: "apiserver"})
	w.api = startAPI(t, w, pair)
	w.options = faults.Options{
		Target:      w.api.addr(),
		ServingCert: file("serving.crt"), ServingKey: file("serving.key"), TargetCA: file("serving-ca.crt"),
		ClientCA:       file("client-ca.crt"),
		FrontProxyCert: file("front.crt"), FrontProxyKey: file("front.key"),
	}
	writePair(t, pair, w.options.ServingCert, w.options.ServingKey)
	writePair(t, w.front.issue(t, pkix.Name{CommonName: "front-proxy"}), w.options.FrontProxyCert, w.options.FrontProxyKey)
	w.serving.write(t, w.options.TargetCA)
	w.clients.write(t, w.options.ClientCA)
	return w
}

// proxy starts one that ends with the test.
func (w *world) proxy(t *testing.T, change func(*faults.Options)) *faults.Proxy {
	t.Helper()
	opts := w.options
	if change != nil {
		change(&opts)
	}
	p, err := faults.Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeProxy(t, p) })
	return p
}

func closeProxy(t *testing.T, p *faults.Proxy) {
	t.Helper()
	if err := p.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// client makes HTTP requests by one protocol, "h1" or "h2", as the owner of certs if there are any.
func (w *world) client(t *testing.T, protocol string, certs ...tls.Certificate) *http.Client {
	t.Helper()
	protocols := &http.Protocols{}
	protocols.SetHTTP1(protocol == "h1")
	protocols.SetHTTP2(protocol == "h2")
	transport := &http.Transport{
		Protocols: protocols,
		TLSClientConfig: &tls.Config{
			RootCAs: w.serving.pool(),
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				if len(certs) == 0 {
					return &tls.Certificate{}, nil
				}
				return &certs[0], nil
			},
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func set(t *testing.T, p *faults.Proxy, spec, on string) {
	t.Helper()
	f, err := faults.ParseFault(spec, on)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Set(f); err != nil {
		t.Fatalf("Set(%s): %v", f, err)
	}
}
