package faults_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// rawTarget serves plain TCP connections, one after another.
func rawTarget(t *testing.T, serve func(*net.TCPConn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			serve(c.(*net.TCPConn))
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = ln.Close()
		<-done
	})
	return ln.Addr().String()
}

func rawProxy(t *testing.T, target string) *faults.Proxy {
	t.Helper()
	p, err := faults.Start(faults.Options{Target: target})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeProxy(t, p) })
	return p
}

func dial(t *testing.T, p *faults.Proxy) *net.TCPConn {
	t.Helper()
	c, err := net.DialTimeout("tcp", p.Addr(), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

func TestHalfClose(t *testing.T) {
	p := rawProxy(t, rawTarget(t, func(c *net.TCPConn) {
		all, _ := io.ReadAll(c) // up to the client's FIN
		_, _ = c.Write(bytes.ToUpper(all))
	}))
	c := dial(t, p)
	if _, err := io.WriteString(c, "hello"); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil || string(got) != "HELLO" {
		t.Errorf("got %q, %v, want the answer that comes after our FIN", got, err)
	}
}

func TestBytesArePassedUntouched(t *testing.T) {
	p := rawProxy(t, rawTarget(t, func(c *net.TCPConn) { _, _ = io.Copy(c, c) }))
	want := make([]byte, 20<<20)
	source := rand.NewChaCha8([32]byte{})
	_, _ = source.Read(want)
	c := dial(t, p)
	go func() {
		_, _ = c.Write(want)
		_ = c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes came back, %v, want the same %d", len(got), err, len(want))
	}
}

func TestEndsAreTold(t *testing.T) {
	cases := map[string]struct {
		reason string
		spec   string
		want   error // of the read that is waiting
	}{
		"Reset":  {"A reset is a RST", "reset", syscall.ECONNRESET},
		"Refuse": {"A refusing server is cut with a FIN", "refuse", io.EOF},
		"Cut":    {"A cut is a FIN", "cut", io.EOF},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := rawProxy(t, rawTarget(t, func(c *net.TCPConn) { _, _ = io.Copy(c, c) }))
			c := dial(t, p)
			buf := make([]byte, 1)
			if _, err := c.Write(buf); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Read(buf); err != nil {
				t.Fatal(err)
			}
			set(t, p, tc.spec, "")
			if _, err := c.Read(buf); !errors.Is(err, tc.want) {
				t.Errorf("%s: got %v, want %v", tc.reason, err, tc.want)
			}
		})
	}
}

func TestDeadTargetResets(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	p := rawProxy(t, gone.Addr().String())
	c, err := net.Dial("tcp", p.Addr())
	if err == nil { // the reset may come as early as that
		_, err = c.Read(make([]byte, 1))
		_ = c.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("passed through: %v, want a reset", err)
	}
	if got := p.Stats().TargetErrors; got != 1 {
		t.Errorf("TargetErrors = %d, want 1", got)
	}
	w := newWorld(t)
	tp := w.proxy(t, func(o *faults.Options) { o.Target, o.Terminate = gone.Addr().String(), true })
	byProtocol(t, func(t *testing.T, protocol string) {
		if got := call(t, tp, w.client(t, protocol), http.MethodGet, broken); got != broken {
			t.Errorf("terminated: %s, want %s", got, broken)
		}
	})
}

// While it refuses, nobody who takes any free port can get the proxy's, and the port is listened on
// again.
func TestRefuseKeepsThePort(t *testing.T) {
	p := rawProxy(t, rawTarget(t, func(c *net.TCPConn) { _, _ = io.Copy(c, c) }))
	for range 20 {
		set(t, p, "refuse", "")
		for range 50 {
			if _, err := net.Dial("tcp", p.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Fatalf("dialling a refusing proxy: %v, want %v", err, syscall.ECONNREFUSED)
			}
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			if ln.Addr().String() == p.Addr() {
				t.Fatal("another listener was given the port")
			}
			_ = ln.Close()
		}
		set(t, p, "pass", "")
		c := dial(t, p)
		if _, err := io.WriteString(c, "x"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Fatalf("after refusing: %v", err)
		}
		_ = c.Close()
	}
}
