package standin

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/watch"
)

// bookmarkInterval is the time between two bookmarks of a watch, as of an API server.
const bookmarkInterval = time.Minute

// stream is one watch.
type stream struct {
	server   *Server
	of       resource
	chosen   selection
	w        http.ResponseWriter
	revision int64 // that the client has seen
}

// watch serves a watch until the client or its time-out ends it.
func (s *Server) watch(w http.ResponseWriter, req *http.Request, r resource, chosen selection) {
	query := req.URL.Query()
	w.WriteHeader(http.StatusOK)
	stream := &stream{server: s, of: r, chosen: chosen, w: w}
	from, _ := strconv.ParseInt(query.Get("resourceVersion"), 10, 64) // "" and what is no number begin with all there is
	initial := query.Get("sendInitialEvents") == "true"
	if initial || from == 0 {
		stream.begin(initial)
	} else {
		stream.revision = from
	}
	seconds, err := strconv.Atoi(query.Get("timeoutSeconds"))
	if err != nil || seconds <= 0 {
		seconds = 1800
	}
	end := time.NewTimer(time.Duration(seconds) * time.Second)
	defer end.Stop()
	// Thousands of watches begin together; their bookmarks must not come together.
	bookmarks := time.NewTimer(time.Duration(rand.Int64N(int64(bookmarkInterval)))) //nolint:gosec // jitter
	defer bookmarks.Stop()
	for {
		events, upTo, more, gone := s.since(r, stream.revision)
		if !s.gate.pass(req.Context()) {
			return
		}
		if gone {
			status := apierrors.NewResourceExpired("too old resource version").ErrStatus
			status.Kind, status.APIVersion = "Status", "v1"
			body, _ := json.Marshal(status) // it is ours
			stream.send(watch.Error, body)
			return
		}
		for _, event := range events {
			if kind, body, shown := event.seen(chosen); shown {
				stream.send(kind, body)
			}
		}
		stream.revision = upTo
		stream.flush()
		select {
		case <-req.Context().Done():
			return
		case <-end.C:
			return
		case <-bookmarks.C:
			if !s.gate.pass(req.Context()) {
				return
			}
			if query.Get("allowWatchBookmarks") == "true" {
				stream.bookmark(false)
			}
			bookmarks.Reset(bookmarkInterval)
		case <-more:
		}
	}
}

// begin sends what there is. A bookmark ends it where the client asked for one.
func (s *stream) begin(marked bool) {
	objects, revision := s.server.Cluster.list(s.of, s.chosen)
	for _, object := range objects {
		s.send(watch.Added, object.body)
	}
	s.revision = revision
	if marked {
		s.bookmark(true)
	}
	s.flush()
}

// bookmark tells how far the client has seen. last ends what there was first.
func (s *stream) bookmark(last bool) {
	annotations := ""
	if last {
		annotations = `,"annotations":{"k8s.io/initial-events-end":"true"}`
	}
	s.send(watch.Bookmark, fmt.Appendf(nil, `{"kind":%q,"apiVersion":%q,"metadata":{"resourceVersion":"%d"%s}}`,
		s.of.kind, s.of.apiVersion(), s.revision, annotations))
	s.flush()
}

func (s *stream) send(kind watch.EventType, body []byte) {
	_, _ = fmt.Fprintf(s.w, `{"type":%q,"object":%s}`+"\n", kind, body) // a client that hung up
}

func (s *stream) flush() {
	if flusher, can := s.w.(http.Flusher); can {
		flusher.Flush()
	}
}
