package hostile

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// manners by name.
var manners = map[string]Manner{
	"endless": endless, "bomb": bomb, "empties": empties, "deep": deep, "slow": slow, "silent": silent,
	"nothing": nothing, "another kind": anotherKind, "another object": anotherObject, "echo": echo,
	"redirect": redirect, "words": words, "another cluster": anotherCluster, "cut": cut, "forbidden": forbidden,
}

// Names are those of all manners, sorted.
func Names() []string { return slices.Sorted(maps.Keys(manners)) }

// Named returns a manner.
func Named(name string) (Manner, error) {
	manner, found := manners[name]
	if !found {
		return nil, fmt.Errorf("no manner %q: there are %s", name, strings.Join(Names(), ", "))
	}
	return manner, nil
}

// block is what is sent over and over.
var block = bytes.Repeat([]byte("x"), 64<<10)

// opened is the beginning of an object, up to the value of an annotation, in the form that a
// request wants: as an event of a watch, as an item of a list, or alone.
func opened(req *http.Request, of Resource, name string) string {
	object := fmt.Sprintf(`{"kind":%q,"apiVersion":%q,"metadata":{"name":%q,"namespace":"ns","uid":"u-%s",`+
		`"resourceVersion":"9","annotations":{"a":"`, of.Kind, of.apiVersion(), name, name)
	if req.URL.Query().Get("watch") == "true" {
		return `{"type":"ADDED","object":` + object
	}
	return object
}

// endless sends objects of 100 KiB without end, and never says that these were all.
func endless(w http.ResponseWriter, req *http.Request, of Resource) {
	closing := `"}}}`
	if req.URL.Query().Get("watch") == "true" {
		closing = `"}}}}` + "\n"
	} else {
		_, _ = fmt.Fprintf(w, `{"kind":"%sList","apiVersion":%q,"metadata":{"resourceVersion":"9"},"items":[`, of.Kind,
			of.apiVersion())
		closing += ","
	}
	for i := 0; req.Context().Err() == nil; i++ {
		for _, part := range [][]byte{[]byte(opened(req, of, fmt.Sprint("n", i))), block, block[:36<<10], []byte(closing)} {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
	}
}

// bomb sends an object of 4 GiB in some MiB.
func bomb(w http.ResponseWriter, req *http.Request, of Resource) {
	w.Header().Set("Content-Encoding", "gzip")
	packed := gzip.NewWriter(w)
	_, _ = io.WriteString(packed, opened(req, of, "a"))
	for range 4 << 30 / len(block) {
		if _, err := packed.Write(block); err != nil || req.Context().Err() != nil {
			return
		}
	}
	_, _ = io.WriteString(packed, `"}}}`)
	_ = packed.Close()
}

// empties sends objects of three bytes, each of which is a large one in memory.
func empties(w http.ResponseWriter, req *http.Request, of Resource) {
	piece, closing := bytes.Repeat([]byte("{},"), 16<<10), "{}]}"
	if req.URL.Query().Get("watch") == "true" {
		piece, closing = bytes.Repeat([]byte(`{"type":"ADDED","object":{}}`+"\n"), 2<<10), ""
	} else {
		_, _ = fmt.Fprintf(w, `{"kind":"%sList","apiVersion":%q,"metadata":{"resourceVersion":"9"},"items":[`, of.Kind,
			of.apiVersion())
	}
	for range 2000 {
		if _, err := w.Write(piece); err != nil || req.Context().Err() != nil {
			return
		}
	}
	_, _ = io.WriteString(w, closing)
}

// deep sends lists in lists in lists.
func deep(w http.ResponseWriter, req *http.Request, _ Resource) {
	_, _ = io.WriteString(w, `{"kind":`)
	piece := bytes.Repeat([]byte("["), 64<<10)
	for range 1000 {
		if _, err := w.Write(piece); err != nil || req.Context().Err() != nil {
			return
		}
	}
}

// slow sends a byte each 50 ms.
func slow(w http.ResponseWriter, req *http.Request, of Resource) {
	for _, c := range []byte(opened(req, of, "a") + strings.Repeat("x", 1<<20)) {
		if _, err := w.Write([]byte{c}); err != nil {
			return
		}
		flush(w)
		select {
		case <-req.Context().Done():
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// silent says nothing.
func silent(_ http.ResponseWriter, req *http.Request, _ Resource) { <-req.Context().Done() }

// nothing is what a gateway says that is well.
func nothing(w http.ResponseWriter, _ *http.Request, _ Resource) { _, _ = io.WriteString(w, `{}`) }

// anotherKind sends a Secret, and a list of them.
func anotherKind(w http.ResponseWriter, _ *http.Request, _ Resource) {
	_, _ = io.WriteString(w, `{"kind":"SecretList","apiVersion":"v1","metadata":{},"items":[{"data":{"a":"eA=="}}]}`)
}

// anotherObject sends one that nobody asked for.
func anotherObject(w http.ResponseWriter, _ *http.Request, of Resource) {
	send(w, of.object("other", "another"))
}

// echo quotes the request, as a proxy does that somebody debugs.
func echo(w http.ResponseWriter, req *http.Request, _ Resource) {
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(http.StatusBadGateway)
	_, _ = fmt.Fprintf(w, "upstream failed: %s %s%s authorization=%s", req.Method, req.Host, req.URL,
		req.Header.Get("Authorization"))
}

// redirect sends the caller round and round.
func redirect(w http.ResponseWriter, req *http.Request, _ Resource) {
	w.Header().Set("Location", req.URL.String())
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// words is a status with a message that is long, and that writes on terminals.
func words(w http.ResponseWriter, req *http.Request, _ Resource) {
	w.WriteHeader(http.StatusInternalServerError)
	status := map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "InternalError",
		"code": 500, "message": "\x1b[2J" + req.Header.Get("Authorization") + strings.Repeat("all is well ", 1<<16)}
	_ = json.NewEncoder(w).Encode(status)
}

// anotherCluster says that it is one.
func anotherCluster(w http.ResponseWriter, _ *http.Request, _ Resource) {
	send(w, map[string]any{"kind": "Namespace", "apiVersion": "v1", "metadata": map[string]any{
		"name": "kube-system", "uid": "another-cluster", "resourceVersion": "7"}})
}

// forbidden refuses the right.
func forbidden(w http.ResponseWriter, _ *http.Request, _ Resource) {
	w.WriteHeader(http.StatusForbidden)
	send(w, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403,
		"message": "forbidden"})
}

// cut breaks the connection off in the middle of an answer.
func cut(w http.ResponseWriter, req *http.Request, of Resource) {
	_, _ = io.WriteString(w, opened(req, of, "a"))
	flush(w)
	panic(http.ErrAbortHandler)
}
