package controlplane

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestReservePort is about ports that were free when they were looked for, and somebody else's when
// the server came to listen: with many clusters starting on a busy machine that happened every
// other day.
func TestReservePort(t *testing.T) {
	p, err := ReservePort(0)
	if err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort(loopback, strconv.Itoa(p.Number))
	for range 2 {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatalf("the server itself: %v", err)
		}
		if _, err := ReservePort(p.Number); err == nil || !strings.Contains(err.Error(), "is in use") {
			t.Errorf("reserving it while somebody listens: %v", err)
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := listenOnAny(t, p.Number); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("somebody who listens on any port: %v, want address in use", err)
	}
	if err := dialFromAny(t, p.Number); !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Errorf("somebody who dials from any port: %v, want address not available", err)
	}
	for _, each := range []*Port{p, p, nil} {
		if err := each.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := errors.Join(listenOnAny(t, p.Number), dialFromAny(t, p.Number)); err != nil {
		t.Errorf("a port that was let go: %v", err)
	}
}

// only lets a socket's "any port" be one that the kernel may give out or not.
func only(port int) func(network, address string, socket syscall.RawConn) error {
	return func(_, _ string, socket syscall.RawConn) (err error) {
		inner := socket.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_LOCAL_PORT_RANGE, port<<16|port)
		})
		return errors.Join(inner, err)
	}
}

func listenOnAny(t *testing.T, port int) error {
	listener, err := (&net.ListenConfig{Control: only(port)}).Listen(t.Context(), "tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return err
	}
	return listener.Close()
}

func dialFromAny(t *testing.T, port int) error {
	server, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return err
	}
	defer server.Close()
	dialer := net.Dialer{ControlContext: func(_ context.Context, network, address string, socket syscall.RawConn) error {
		return only(port)(network, address, socket)
	}}
	connection, err := dialer.DialContext(t.Context(), "tcp", server.Addr().String())
	if err != nil {
		return err
	}
	return errors.Join(connection.(*net.TCPConn).SetLinger(0), connection.Close()) // no TIME_WAIT stays on the port
}
