package standin

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http/httptest"
	"slices"
	"sync"
)

// token is the credential in a Server's kubeconfig.
const token = "stand-in"

// Servers are stand-ins that are started and ended together. It is safe for concurrent use.
type Servers struct {
	options  Options
	prepared []*stored // definitions
	guests   sync.WaitGroup

	mu     sync.Mutex
	locked map[string]*Server
}

// NewServers returns none. A definition that is no JSON is an error.
func NewServers(options Options) (*Servers, error) {
	prepared, err := prepare(options.Definitions)
	return &Servers{options: options, prepared: prepared, locked: map[string]*Server{}}, err
}

// Server is one stand-in: a Cluster behind an address and TLS of its own. It is safe for concurrent
// use.
type Server struct {
	*Cluster
	http  *httptest.Server
	gate  gate
	calls calls
	play  *guests
	told  func(cluster, plural, namespace, name string) // of creations; may be nil
}

// Start starts a stand-in of an empty cluster. A name can be used once.
func (s *Servers) Start(name string) (*Server, error) {
	cluster, err := newCluster(name, s.options.KubeVirt, s.prepared)
	if err != nil {
		return nil, err
	}
	server := &Server{Cluster: cluster, told: s.options.Created, play: &guests{cluster: cluster, playing: &s.guests}}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, used := s.locked[name]; used {
		return nil, fmt.Errorf("there is a stand-in called %q", name)
	}
	server.http = httptest.NewUnstartedServer(server)
	server.http.EnableHTTP2 = true
	server.http.Config.ErrorLog = log.New(io.Discard, "", 0) // clients hang up
	server.http.StartTLS()
	s.locked[name] = server
	return server, nil
}

// All are the stand-ins, by name.
func (s *Servers) All() []*Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Server, 0, len(s.locked))
	for _, name := range slices.Sorted(maps.Keys(s.locked)) {
		all = append(all, s.locked[name])
	}
	return all
}

// Close ends all stand-ins and waits until nothing of them runs.
func (s *Servers) Close() {
	for _, server := range s.All() {
		server.Silence(false)
		server.http.CloseClientConnections()
		server.http.Close()
	}
	s.guests.Wait()
}

// Kubeconfig returns one that leads to the server.
func (s *Server) Kubeconfig() []byte {
	ca := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{
		Type: "CERTIFICATE", Bytes: s.http.Certificate().Raw,
	}))
	return fmt.Appendf(nil, `{"apiVersion":"v1","kind":"Config","current-context":"a",`+
		`"contexts":[{"name":"a","context":{"cluster":"a","user":"a"}}],"users":[{"name":"a","user":{"token":%q}}],`+
		`"clusters":[{"name":"a","cluster":{"server":%q,"certificate-authority-data":%q}}]}`, token, s.http.URL, ca)
}

// Silence makes the server answer nothing from now on: connections and watches stay open, and
// nothing comes on them. Silence(false) ends it, and what was asked meanwhile is answered.
func (s *Server) Silence(silent bool) { s.gate.set(silent) }

// Calls is how often each thing was asked of the server: "watch virtualmachines", "patch
// virtualmachines/status", "get" for what is no object.
func (s *Server) Calls() map[string]int { return s.calls.all() }
