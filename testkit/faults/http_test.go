package faults_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestBigBodiesAndUpgradesThroughHTTP(t *testing.T) {
	w := newWorld(t)
	p := w.proxy(t, terminate)
	body := strings.Repeat("0123456789abcdef", 1<<20)
	byProtocol(t, func(t *testing.T, protocol string) {
		resp, err := w.client(t, protocol).Post("https://"+p.Addr()+"/big", "text/plain", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if got, err := io.ReadAll(resp.Body); err != nil || string(got) != body {
			t.Errorf("%d bytes came back, %v, want the same %d", len(got), err, len(body))
		}
	})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+p.Addr()+"/exec", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"SPDY/3.1"}}
	resp, err := w.client(t, "h1").Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade: %s", resp.Status)
	}
	conn := resp.Body.(io.ReadWriter)
	if _, err := io.WriteString(conn, "ping"); err != nil {
		t.Fatal(err)
	}
	echo := make([]byte, 4)
	if _, err := io.ReadFull(conn, echo); err != nil || string(echo) != "ping" {
		t.Errorf("upgraded: %q, %v", echo, err)
	}
}

func TestRequestsArePassedAsTheyAre(t *testing.T) {
	w := newWorld(t)
	p := w.proxy(t, terminate)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, "https://"+p.Addr()+"/headers?a=b;c&d=%zz", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"X-Forwarded-For": {"10.0.0.1"}, "Accept-Encoding": {"identity"}}
	resp, err := w.client(t, "h2").Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, _ := io.ReadAll(resp.Body); string(got) != "PATCH a=b;c&d=%zz [10.0.0.1] identity" {
		t.Errorf("the API server saw %q", got)
	}
}
