package wake

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Watcher follows the supervisor's own stream of Machines: a Machine is fresh if the stream showed
// its creation, after this process began to follow it, and was not broken since.
//
// The stream is broken when Machines are listed again: what happened in between was not seen.
// Watcher notices that as a RoundTripper, because nothing above it tells.
type Watcher struct {
	clock clock.PassiveClock
	log   logr.Logger

	mu     sync.Mutex
	locked struct {
		lists  int       // so far
		since  time.Time // of the last list
		seen   map[types.UID]time.Time
		placed map[types.UID]string // the ledgers that were recorded, "" for those of before a break and of others
	}
}

// Broken is what the log says when the stream broke, in this form, so that tests can tell a Machine that
// had to wait for that reason.
const Broken = "Listed the Machines again: those created before wait for all clusters"

// NewWatcher returns a Watcher to which nothing is fresh before the first list. Each list after the
// first is logged.
func NewWatcher(now clock.PassiveClock, log logr.Logger) *Watcher {
	w := &Watcher{clock: now, log: log}
	w.locked.since = now.Now()
	w.locked.seen, w.locked.placed = map[types.UID]time.Time{}, map[types.UID]string{}
	return w
}

// Wrap returns a RoundTripper that notices lists of Machines. It is meant for rest.Config.Wrap, of
// the cache's own configuration: a list that somebody else makes breaks no stream.
func (w *Watcher) Wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(request)
		if listsMachines(request) {
			w.broken(served(response))
		}
		return response, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

// listsMachines: a list, or a watch that begins with all objects there are.
func listsMachines(request *http.Request) bool {
	if request.Method != http.MethodGet || !strings.HasSuffix(request.URL.Path, "/machines") {
		return false
	}
	query := request.URL.Query()
	watch, _ := strconv.ParseBool(query.Get("watch"))
	initial, _ := strconv.ParseBool(query.Get("sendInitialEvents"))
	return !watch || initial
}

// served is when the server answered, by its own clock, from which creation times come too. Zero
// where it does not say.
func served(response *http.Response) time.Time {
	if response == nil {
		return time.Time{}
	}
	date, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return date
}

// broken forgets what was seen until now. Where the server's clock and ours differ the later one
// counts.
func (w *Watcher) broken(served time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.locked.lists++; w.locked.lists > 1 {
		w.log.Info(Broken)
	}
	w.locked.since = w.clock.Now()
	if served.After(w.locked.since) {
		w.locked.since = served
	}
	w.locked.seen = map[types.UID]time.Time{}
	for uid := range w.locked.placed {
		w.locked.placed[uid] = ""
	}
}

// Created tells of a Machine that the stream shows for the first time; initial says that it comes
// from a list. One that has our finalizer already was not made just now: it comes from a backup.
func (w *Watcher) Created(machine *vitistackv1alpha1.Machine, initial bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !initial && !controllerutil.ContainsFinalizer(machine, vitistackv1alpha1.FinalizerMachine) &&
		w.isAfterList(machine.CreationTimestamp.Time) {
		w.locked.seen[machine.UID] = w.clock.Now()
	}
}

// isAfterList reports whether a Machine that the stream shows for the first time was created after the
// last list. Creation times have whole seconds. A later list shows what was created meanwhile as the
// stream does, so that a Machine of the list's own second may be older. The first list is told apart
// from the stream, and only a Machine that began to match a selector may be older: by its second.
func (w *Watcher) isAfterList(created time.Time) bool {
	if w.locked.lists > 1 {
		return created.After(w.locked.since)
	}
	return !created.Before(w.locked.since.Truncate(time.Second))
}

// Changed tells of a Machine that the stream shows again. One that anybody placed is fresh no more,
// whoever takes the record off again: there may be several operators, one a shard.
func (w *Watcher) Changed(machine *vitistackv1alpha1.Machine) {
	if machine.Annotations[vitistackv1alpha1.AnnotationPlacement] == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.locked.placed[machine.UID]; !known {
		w.locked.placed[machine.UID] = ""
	}
}

// Deleted tells of a Machine that is gone.
func (w *Watcher) Deleted(machine *vitistackv1alpha1.Machine) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.locked.seen, machine.UID)
	delete(w.locked.placed, machine.UID)
}

// Placed implements Freshness.
func (w *Watcher) Placed(machine *vitistackv1alpha1.Machine) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.locked.placed[machine.UID] = machine.Annotations[vitistackv1alpha1.AnnotationPlacement]
}

// Recorded implements Freshness.
func (w *Watcher) Recorded(machine *vitistackv1alpha1.Machine) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	recorded := w.locked.placed[machine.UID]
	return recorded != "" && recorded == machine.Annotations[vitistackv1alpha1.AnnotationPlacement]
}

// Fresh implements Freshness.
func (w *Watcher) Fresh(machine *vitistackv1alpha1.Machine) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, seen := w.locked.seen[machine.UID]
	_, placed := w.locked.placed[machine.UID]
	return seen && !placed
}

// Since returns when the stream showed that a Machine was created. For one that it did not show
// that is the creation time, which has whole seconds of the server's clock.
func (w *Watcher) Since(machine *vitistackv1alpha1.Machine) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if at, seen := w.locked.seen[machine.UID]; seen {
		return at
	}
	return machine.CreationTimestamp.Time
}
