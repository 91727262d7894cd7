package transport_test

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
)

// closedPort is an address that nobody listens at.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// TestServerThatIsAwayIsTriedByOne holds that calls which wait for a server do not all dial at each
// beat.
func TestServerThatIsAwayIsTriedByOne(t *testing.T) {
	const calls, hold = 64, 2 * time.Second
	target := kubeconfig.Target{}
	target.Server.Scheme, target.Server.Host = "https", closedPort(t)
	var dials atomic.Int64
	endpoint, err := transport.NewEndpoint(target, transport.EndpointOptions{CheckAddress: func(netip.AddrPort) error {
		dials.Add(1)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := newSwap(t, endpoint, transport.SwapOptions{Hold: hold})
	var waiting sync.WaitGroup
	for range calls {
		waiting.Go(func() {
			if _, err := send(t.Context(), s, http.MethodGet, "/version", nil); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("want what the dial said, got %v", err)
			}
		})
	}
	waiting.Wait()
	if n, most := dials.Load(), int64(calls+2*hold/(250*time.Millisecond)); n > most {
		t.Errorf("%d calls dialled %d times in %s, want at most %d", calls, n, hold, most)
	}
}

// TestServerThatComesBackIsMetByAll holds that those who wait in line go as soon as one was
// answered.
func TestServerThatComesBackIsMetByAll(t *testing.T) {
	server := newAPI(t, "t")
	var open atomic.Bool
	endpoint, err := transport.NewEndpoint(server.target(t, "t"), transport.EndpointOptions{
		CheckAddress: func(netip.AddrPort) error {
			if !open.Load() {
				return syscall.ECONNREFUSED
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := newSwap(t, endpoint, transport.SwapOptions{Hold: 20 * time.Second})
	done := make(chan outcome, 16)
	for range cap(done) {
		go func() {
			resp, err := send(t.Context(), s, http.MethodPost, "/api/v1/pods", nil)
			done <- outcome{resp, err}
		}()
	}
	time.Sleep(300 * time.Millisecond)
	open.Store(true)
	for range cap(done) {
		if o := within(t, done); o.err != nil || o.resp.StatusCode != http.StatusOK {
			t.Errorf("want the call to go through, got %+v", o)
		}
	}
	if n := len(server.seen()); n != cap(done) {
		t.Errorf("the server got %d requests of %d calls", n, cap(done))
	}
}

func TestAddresses(t *testing.T) {
	supervisor := transport.Except(transport.NoLoopback, netip.MustParsePrefix("10.96.0.0/12"))
	for _, tc := range []struct {
		reason, address string
		check           func(netip.AddrPort) error
		refused         bool
	}{
		{"a server in a network", "192.0.2.7:6443", transport.NoLinkLocal, false},
		{"a cloud's metadata service", "169.254.169.254:80", transport.NoLinkLocal, true},
		{"the same written as IPv6", "[::ffff:169.254.169.254]:80", transport.NoLinkLocal, true},
		{"link-local IPv6", "[fe80::1]:443", transport.NoLinkLocal, true},
		{"this machine, by default", "127.0.0.1:6443", transport.NoLinkLocal, false},
		{"this machine, where that is refused", "127.0.0.1:10250", transport.NoLoopback, true},
		{"this machine by its empty address", "0.0.0.0:10250", transport.NoLoopback, true},
		{"link-local, where more is refused", "169.254.1.1:1", supervisor, true},
		{"the supervisor's services", "10.96.0.1:443", supervisor, true},
		{"beside the supervisor's services", "10.112.0.1:443", supervisor, false},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			err := tc.check(netip.MustParseAddrPort(tc.address))
			if refused := errors.Is(err, transport.ErrAddress); refused != tc.refused {
				t.Errorf("want refused %t, got %v", tc.refused, err)
			}
		})
	}
}

// TestLinkLocalIsRefusedAtTheDial holds that the default looks at what is dialled, and not at what
// the kubeconfig says.
func TestLinkLocalIsRefusedAtTheDial(t *testing.T) {
	target := kubeconfig.Target{}
	target.Server.Scheme, target.Server.Host = "https", "169.254.169.254:443"
	endpoint, err := transport.NewEndpoint(target, transport.EndpointOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s := newSwap(t, endpoint, transport.SwapOptions{Hold: -1})
	if _, err := send(t.Context(), s, http.MethodGet, "/version", nil); !errors.Is(err, transport.ErrAddress) {
		t.Errorf("want ErrAddress, got %v", err)
	}
}
