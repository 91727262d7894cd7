package page

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/access"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/feed"
)

const (
	// heartbeat is how often a stream says that it is there, so that both ends notice a dead one.
	heartbeat = 15 * time.Second
	// patience is how long a listener may take to take what it is sent.
	patience = 10 * time.Second
)

// events serves what changes, as server-sent events: fleet with all rows first, then change with
// the rows that changed. A stream ends when the person may see something else than at its
// beginning; a browser then begins a new one by itself.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet { // the mux takes HEAD for GET, and a stream without a body never ends
		w.Header().Set("Allow", http.MethodGet)
		say(w, http.StatusMethodNotAllowed, "This is a stream of events: get it.")
		return
	}
	who, err := s.who(r)
	if err != nil {
		s.refuse(w, err)
		return
	}
	listener, err := s.options.Feed.Listen(r.Context())
	if errors.Is(err, feed.ErrFull) {
		w.Header().Set("Retry-After", "30")
		say(w, http.StatusServiceUnavailable,
			"As many people look at this page as may. Try again later; /fleet.json has the same.")
		return
	}
	if err != nil {
		s.refuse(w, err)
		return
	}
	defer listener.Close()
	viewer, err := s.viewer(r.Context(), who, listener.First())
	if err != nil {
		s.refuse(w, err)
		return
	}
	if viewer.SeesNothing() {
		say(w, http.StatusForbidden, nothingFor(viewer))
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // the request has been read; its stream goes on
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // for proxies that would wait for more
	out := stream{w: w, control: http.NewResponseController(w)}
	if out.send("fleet", s.shown(viewer, listener.First())) == nil {
		s.follow(r, viewer, listener, out)
	}
}

// follow sends what changes until either end has enough, or the viewer may see something else.
func (s *Server) follow(r *http.Request, viewer *access.Viewer, listener *feed.Listener, out stream) {
	beats, rechecks := s.options.Clock.NewTicker(heartbeat), s.options.Clock.NewTicker(s.options.Recheck)
	defer beats.Stop()
	defer rechecks.Stop()
	for {
		var err error
		select {
		case <-r.Context().Done():
			return
		case batch, open := <-listener.Batches():
			if !open {
				return
			}
			err = sendBatch(r.Context(), viewer, batch, out)
		case <-beats.C():
			err = out.beat()
		case <-rechecks.C():
			if !s.stillSees(r, viewer) {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func sendBatch(ctx context.Context, viewer *access.Viewer, batch feed.Batch, out stream) error {
	changed, err := updateFor(ctx, viewer, batch)
	if err != nil || changed.empty() {
		return err
	}
	return out.send("change", changed)
}

// stillSees reports whether a person is still who he was and may see what he could.
func (s *Server) stillSees(r *http.Request, former *access.Viewer) bool {
	who, err := s.who(r)
	if err != nil {
		return false
	}
	viewer, err := s.options.Gate.Viewer(r.Context(), who)
	if err != nil || viewer.Ask(r.Context(), former.Namespaces()) != nil {
		return false
	}
	return former.SameAs(viewer)
}

// stream writes server-sent events.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (o stream) send(event string, data any) error {
	encoded, err := json.Marshal(data) // one line: JSON has none of its own
	if err != nil {
		return err
	}
	return o.write("event: " + event + "\ndata: " + string(encoded) + "\n\n")
}

func (o stream) beat() error { return o.write(": still here\n\n") }

func (o stream) write(text string) error {
	if err := o.control.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := o.w.Write([]byte(text)); err != nil {
		return err
	}
	return o.control.Flush()
}
