package faults_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// api plays an API server: it knows users by certificate, front proxy and token, and has lists,
// writes and watches.
type api struct {
	*httptest.Server
	clients, front *x509.CertPool

	mu       sync.Mutex
	watchers map[chan string]struct{}
	writes   int
	stopped  chan struct{}
}

func startAPI(t *testing.T, w *world, pair tls.Certificate) *api {
	t.Helper()
	a := &api{clients: w.clients.pool(), front: w.front.pool(), watchers: map[chan string]struct{}{},
		stopped: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("/whoami", a.whoami)
	mux.HandleFunc("/pods", a.pods)
	mux.HandleFunc("/big", a.big)
	mux.HandleFunc("/exec", a.exec)
	mux.HandleFunc("/headers", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %v %s", r.Method, r.URL.RawQuery, r.Header["X-Forwarded-For"], r.Header.Get("Accept-Encoding"))
	})
	a.Server = httptest.NewUnstartedServer(mux)
	a.EnableHTTP2 = true
	a.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that leave are what is tested
	a.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert}
	a.StartTLS()
	t.Cleanup(func() {
		close(a.stopped)
		a.CloseClientConnections()
		a.Close()
	})
	return a
}

func (a *api) addr() string { return strings.TrimPrefix(a.URL, "https://") }

// emit sends an event to every watcher.
func (a *api) emit(event string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for w := range a.watchers {
		w <- event
	}
}

func (a *api) watching() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.watchers)
}

func (a *api) written() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.writes
}

func (a *api) pods(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodPost:
		_, _ = io.Copy(io.Discard, r.Body)
		a.mu.Lock()
		a.writes++
		a.mu.Unlock()
		fmt.Fprint(w, "written")
	case r.URL.Query().Has("watch"):
		a.watch(w, r)
	default:
		fmt.Fprint(w, "list")
	}
}

func (a *api) watch(w http.ResponseWriter, r *http.Request) {
	events := make(chan string, 10000)
	a.mu.Lock()
	a.watchers[events] = struct{}{}
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.watchers, events)
	}()
	w.(http.Flusher).Flush()
	for {
		select {
		case e := <-events:
			fmt.Fprintln(w, e)
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		case <-a.stopped:
			return
		}
	}
}

// whoami answers who the API server takes the client for: how, name, uid, groups, extra.
func (a *api) whoami(w http.ResponseWriter, r *http.Request) {
	peers := r.TLS.PeerCertificates
	verifies := func(roots *x509.CertPool) bool {
		if len(peers) == 0 {
			return false
		}
		_, err := peers[0].Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		return err == nil
	}
	token := r.Header.Get("Authorization")
	var stray []string
	for key := range r.Header {
		if strings.HasPrefix(strings.ToLower(key), "x-remote-") {
			stray = append(stray, key)
		}
	}
	slices.Sort(stray)
	switch {
	case verifies(a.front) && r.Header.Get("X-Remote-User") != "":
		fmt.Fprintf(w, "front %s uid=%s groups=%v credential=%t", r.Header.Get("X-Remote-User"), r.Header.Get("X-Remote-Uid"),
			r.Header["X-Remote-Group"], r.Header.Get("X-Remote-Extra-Authentication.kubernetes.io%2fcredential-Id") != "")
	case verifies(a.clients):
		fmt.Fprintf(w, "certificate %s", peers[0].Subject.CommonName)
	default:
		fmt.Fprintf(w, "token=%q proxied=%t stray=%v", token, verifies(a.front), stray)
	}
}

func (a *api) big(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }

// exec switches to a protocol that echoes.
func (a *api) exec(w http.ResponseWriter, _ *http.Request) {
	conn, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	defer conn.Close()
	fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n")
	_, _ = io.Copy(conn, buffered)
}
