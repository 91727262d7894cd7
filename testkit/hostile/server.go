package hostile

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// Token is the credential in a Server's kubeconfig. It must turn up nowhere.
const Token = "s3cr3t-hostile-token"

// Step is what a request is for.
type Step string

// The steps of a client's life.
const (
	Identity Step = "identity" // reading namespace kube-system: at connecting, at each probe and rotation
	Discover Step = "discover" // what the server serves
	Fill     Step = "fill"     // a whole collection: a list, or a watch that begins with one
	Watch    Step = "watch"    // a watch that goes on
	Read     Step = "read"     // one object
	Write    Step = "write"
)

// Steps are all of them.
func Steps() []Step { return []Step{Identity, Discover, Fill, Watch, Read, Write} }

// Resource is a namespaced kind that a Server serves.
type Resource struct{ Group, Version, Plural, Kind string }

// path of the collection.
func (r Resource) path() string {
	if r.Group == "" {
		return "/api/" + r.Version + "/" + r.Plural
	}
	return "/apis/" + r.Group + "/" + r.Version + "/" + r.Plural
}

func (r Resource) apiVersion() string { return strings.TrimPrefix(r.Group+"/"+r.Version, "/") }

// object is one of the kind, with all that an API server gives it.
func (r Resource) object(namespace, name string) map[string]any {
	return map[string]any{"kind": r.Kind, "apiVersion": r.apiVersion(), "metadata": map[string]any{
		"name": name, "namespace": namespace, "uid": "uid-" + name, "resourceVersion": "7",
	}}
}

// Manner answers a request in some harmful way. It returns when the request's context ends.
type Manner func(w http.ResponseWriter, req *http.Request, of Resource)

// Server is a stand-in of an API server, with TLS and HTTP/2. It is safe for concurrent use.
type Server struct {
	*httptest.Server
	resources []Resource

	mu      sync.Mutex
	uid     string
	manners map[Step]Manner
	asked   map[Step]int
}

// New starts a tame server whose cluster has a UID. Close it in the end.
func New(uid string, resources ...Resource) *Server {
	s := &Server{resources: resources, uid: uid, manners: map[Step]Manner{}, asked: map[Step]int{}}
	s.Server = httptest.NewUnstartedServer(s)
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that hang up are what is tested
	s.StartTLS()
	return s
}

// Close ends the server and everything that it still answers.
func (s *Server) Close() {
	s.CloseClientConnections()
	s.Server.Close()
}

// Be makes the server answer a step in a manner from now on; nil makes it tame again.
func (s *Server) Be(step Step, manner Manner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.manners[step] = manner
}

// Asked is how many requests of a step there were.
func (s *Server) Asked(step Step) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[step]
}

// Kubeconfig returns one that leads to the server.
func (s *Server) Kubeconfig() []byte {
	ca := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{
		Type: "CERTIFICATE", Bytes: s.Certificate().Raw,
	}))
	return fmt.Appendf(nil, `{"apiVersion":"v1","kind":"Config","current-context":"a",`+
		`"contexts":[{"name":"a","context":{"cluster":"a","user":"a"}}],"users":[{"name":"a","user":{"token":%q}}],`+
		`"clusters":[{"name":"a","cluster":{"server":%q,"certificate-authority-data":%q}}]}`, Token, s.URL, ca)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	of, step := s.stepOf(req)
	s.mu.Lock()
	s.asked[step]++
	manner := s.manners[step]
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Kubernetes-Pf-Flowschema-Uid", "fair") // as of each present API server
	switch {
	case manner != nil:
		manner(w, req, of)
	case step == Identity:
		s.mu.Lock()
		defer s.mu.Unlock()
		send(w, map[string]any{"kind": "Namespace", "apiVersion": "v1", "metadata": map[string]any{
			"name": "kube-system", "uid": s.uid, "resourceVersion": "7"}})
	case step == Discover:
		s.discover(w, req)
	case req.URL.Query().Get("watch") == "true":
		watch(w, req, of)
	case step == Fill:
		send(w, map[string]any{"kind": of.Kind + "List", "apiVersion": of.apiVersion(),
			"metadata": map[string]any{"resourceVersion": "7"}, "items": []any{}})
	default:
		one(w, req, of)
	}
}

// stepOf tells what a request is for.
func (s *Server) stepOf(req *http.Request) (of Resource, step Step) {
	if req.URL.Path == "/api/v1/namespaces/kube-system" {
		return Resource{Version: "v1", Kind: "Namespace"}, Identity
	}
	for _, r := range s.resources {
		prefix, plural := r.path()[:len(r.path())-len(r.Plural)], r.Plural
		rest, under := strings.CutPrefix(req.URL.Path, prefix)
		parts := strings.Split(rest, "/")
		if len(parts) > 2 && parts[0] == "namespaces" {
			parts = parts[2:]
		}
		if !under || parts[0] != plural {
			continue
		}
		query := req.URL.Query()
		switch {
		case req.Method != http.MethodGet:
			return r, Write
		case len(parts) > 1:
			return r, Read
		case query.Get("watch") == "true" && query.Get("sendInitialEvents") != "true":
			return r, Watch
		default:
			return r, Fill
		}
	}
	return Resource{}, Discover
}

// discover serves what a REST mapper asks for.
func (s *Server) discover(w http.ResponseWriter, req *http.Request) {
	switch req.URL.Path {
	case "/version":
		send(w, map[string]any{"gitVersion": "v1.37.2", "major": "1", "minor": "37"})
		return
	case "/readyz":
		_, _ = io.WriteString(w, "ok")
		return
	case "/api":
		send(w, map[string]any{"kind": "APIVersions", "versions": []string{"v1"}})
		return
	case "/apis":
		var groups []any
		for _, r := range s.resources {
			if r.Group != "" {
				version := map[string]any{"groupVersion": r.apiVersion(), "version": r.Version}
				groups = append(groups, map[string]any{"name": r.Group, "versions": []any{version}, "preferredVersion": version})
			}
		}
		send(w, map[string]any{"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
		return
	}
	var found []any
	for _, r := range s.resources {
		if path := r.path(); path[:strings.LastIndexByte(path, '/')] == req.URL.Path {
			found = append(found, map[string]any{"name": r.Plural, "kind": r.Kind, "namespaced": true,
				"verbs": []string{"get", "list", "watch", "create", "update", "patch", "delete"}})
		}
	}
	if found == nil {
		w.WriteHeader(http.StatusNotFound)
		send(w, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404})
		return
	}
	send(w, map[string]any{"kind": "APIResourceList", "apiVersion": "v1",
		"groupVersion": strings.TrimPrefix(strings.TrimPrefix(req.URL.Path, "/apis/"), "/api/"), "resources": found})
}

// one serves one object: it is there whatever its name is, and a write returns it.
func one(w http.ResponseWriter, req *http.Request, of Resource) {
	parts := strings.Split(req.URL.Path, "/")
	name, namespace := parts[len(parts)-1], ""
	if i := strings.Index(req.URL.Path, "/namespaces/"); i >= 0 {
		namespace = strings.Split(req.URL.Path[i+len("/namespaces/"):], "/")[0]
	}
	if req.Method == http.MethodPost {
		var written struct {
			Metadata struct{ Name string }
		}
		_ = json.NewDecoder(req.Body).Decode(&written) // a client of ours wrote it
		name = written.Metadata.Name
		w.WriteHeader(http.StatusCreated)
	}
	send(w, of.object(namespace, name))
}

// watch serves an empty collection that nothing happens to.
func watch(w http.ResponseWriter, req *http.Request, of Resource) {
	end := of.object("", "")
	end["metadata"] = map[string]any{"resourceVersion": "7",
		"annotations": map[string]any{"k8s.io/initial-events-end": "true"}}
	send(w, map[string]any{"type": "BOOKMARK", "object": end})
	flush(w)
	<-req.Context().Done()
}

func send(w io.Writer, object any) { _ = json.NewEncoder(w).Encode(object) } // a client that hangs up is what is tested

func flush(w http.ResponseWriter) {
	if f, can := w.(http.Flusher); can {
		f.Flush()
	}
}
