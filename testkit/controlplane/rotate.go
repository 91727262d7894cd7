package controlplane

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
)

// ServingCA returns the PEM of the authority of the certificate that clients see who connect by
// address.
func (c *Cluster) ServingCA() []byte {
	c.lifecycle.Lock()
	defer c.lifecycle.Unlock()
	return bytes.Clone(c.authorities.serving.Cert)
}

// RotateServingCA gives the running API server a new serving certificate of a new authority, and
// returns that authority's PEM once the server shows it. Connections that are open live on.
// Programs of the cluster, and Config, are not affected.
func (c *Cluster) RotateServingCA(ctx context.Context) ([]byte, error) {
	c.lifecycle.Lock()
	defer c.lifecycle.Unlock()
	ca, err := NewCA("serving-ca")
	if err != nil {
		return nil, err
	}
	c.authorities.serving = ca
	if err := c.authorities.writeServing(c.files); err != nil {
		return nil, err
	}
	shown := func(ctx context.Context) error { return c.answers(ctx, c.remoteTLS(), http.StatusOK) }
	if err := c.waitFor(ctx, shown); err != nil {
		return nil, fmt.Errorf("new serving certificate of %s: %w", c.options.Name, err)
	}
	return bytes.Clone(ca.Cert), nil
}

// ClientCertificate returns a certificate for user. It is good until a later RotateClientCA is
// completed.
func (c *Cluster) ClientCertificate(user User) (KeyPair, error) {
	c.lifecycle.Lock()
	defer c.lifecycle.Unlock()
	return c.authorities.client.Client(user.Name, user.Groups...)
}

// RotateClientCA makes the running API server take client certificates of a new authority beside
// those of the current one; from then on ClientCertificate signs with the new one. The returned
// function ends the old one: its certificates are answered with 401.
func (c *Cluster) RotateClientCA(ctx context.Context) (revokeOld func(context.Context) error, err error) {
	c.lifecycle.Lock()
	defer c.lifecycle.Unlock()
	next, err := NewCA("client-ca")
	if err != nil {
		return nil, err
	}
	old := c.authorities.client
	c.authorities.client = next
	if err := c.authorities.writeClientCA(c.files, old); err != nil {
		return nil, err
	}
	if err := c.waitForAnswer(ctx, next, http.StatusOK); err != nil {
		return nil, fmt.Errorf("new client authority of %s: %w", c.options.Name, err)
	}
	return func(ctx context.Context) error { return c.revoke(ctx, old) }, nil
}

func (c *Cluster) revoke(ctx context.Context, old *CA) error {
	c.lifecycle.Lock()
	defer c.lifecycle.Unlock()
	if err := c.authorities.writeClientCA(c.files); err != nil {
		return err
	}
	if err := c.waitForAnswer(ctx, old, http.StatusUnauthorized); err != nil {
		return fmt.Errorf("revoking the old client authority of %s: %w", c.options.Name, err)
	}
	return nil
}

// waitForAnswer waits until the API server answers the clients of an authority with an HTTP status.
func (c *Cluster) waitForAnswer(ctx context.Context, ca *CA, want int) error {
	pair, err := ca.Client("probe", "system:masters")
	if err != nil {
		return err
	}
	cert, err := tls.X509KeyPair(pair.Cert, pair.Key)
	if err != nil {
		return err
	}
	config := c.remoteTLS()
	config.Certificates = []tls.Certificate{cert}
	return c.waitFor(ctx, func(ctx context.Context) error {
		return c.answers(ctx, config, want)
	})
}

// remoteTLS is the TLS configuration of a client who connects by address and trusts the current
// authority alone.
func (c *Cluster) remoteTLS() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(c.authorities.serving.cert)
	return &tls.Config{RootCAs: pool, ServerName: loopback}
}

// answers returns an error unless the API server answers with an HTTP status.
func (c *Cluster) answers(ctx context.Context, config *tls.Config, want int) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	got, err := c.readyz(ctx, config)
	if err == nil && got != want {
		err = fmt.Errorf("/readyz answered %d, not %d", got, want)
	}
	return err
}

// readyz asks the API server over a connection of its own and returns the HTTP status.
func (c *Cluster) readyz(ctx context.Context, config *tls.Config) (int, error) {
	transport := &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+c.Addr()+"/readyz", nil)
	if err != nil {
		return 0, err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}
