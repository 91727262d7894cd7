package exports

import (
	"context"
	"net"
	"sync"
)

// Names are the host names that DNS knows, each with the one loopback address and port behind it,
// whatever port is asked for. Its methods are safe for concurrent use.
type Names struct {
	mu        sync.Mutex
	addresses map[string]string
}

// NewNames returns names of which there is none yet.
func NewNames() *Names { return &Names{addresses: map[string]string{}} }

// Set lets a host name lead to an address; "" means that DNS does not know it any more.
func (n *Names) Set(host, address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if address == "" {
		delete(n.addresses, host)
		return
	}
	n.addresses[host] = address
}

// Find returns the address of a host name, or "".
func (n *Names) Find(host string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.addresses[host]
}

// Dialer returns what http.Transport dials with: the first names that know a host decide. A host
// that none knows does not exist.
func Dialer(all ...*Names) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		for _, names := range all {
			if known := names.Find(host); known != "" {
				return (&net.Dialer{}).DialContext(ctx, network, known)
			}
		}
		return nil, &net.OpError{Op: "dial", Net: network, Err: &net.DNSError{
			Err: "no such host", Name: host, IsNotFound: true,
		}}
	}
}
