package wake_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
)

var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

const machines = "http://supervisor/apis/vitistack.io/v1alpha1/machines"

// stream plays a supervisor's answers to a Watcher.
type stream struct {
	t       *testing.T
	clock   *clocktesting.FakePassiveClock
	watcher *wake.Watcher
	machine *vitistackv1alpha1.Machine
	ahead   time.Duration // of the server's clock
	fails   bool
}

func (s *stream) get(url string) {
	s.t.Helper()
	next := round(func(*http.Request) (*http.Response, error) {
		if s.fails {
			return nil, errors.New("no route")
		}
		date := s.clock.Now().Add(s.ahead).Format(http.TimeFormat)
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Date": {date}}, Body: http.NoBody}, nil
	})
	response, err := s.watcher.Wrap(next).RoundTrip(httptest.NewRequestWithContext(s.t.Context(), http.MethodGet, url,
		nil))
	if err == nil {
		err = response.Body.Close()
	}
	if err != nil && !s.fails {
		s.t.Fatal(err)
	}
}

type round func(*http.Request) (*http.Response, error)

func (r round) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

// after lets time pass and then creates the Machine.
func (s *stream) after(d time.Duration, initial bool) {
	s.clock.SetTime(s.clock.Now().Add(d))
	s.machine.CreationTimestamp = metav1.NewTime(s.clock.Now().Add(s.ahead).Truncate(time.Second))
	s.watcher.Created(s.machine, initial)
}

func TestWatcher(t *testing.T) {
	cases := map[string]struct {
		reason string
		happen func(*stream)
		want   bool
	}{
		"Created": {reason: "seen from its creation on", happen: func(s *stream) {
			s.get(machines)
			s.after(2*time.Second, false)
		}, want: true},
		"NeverSeen": {reason: "nobody told of the Machine", happen: func(*stream) {}},
		"Listed":    {reason: "it may be old", happen: func(s *stream) { s.get(machines); s.after(2*time.Second, true) }},
		"SameSecond": {
			reason: "the first list tells what it has from what comes later", want: true, happen: func(s *stream) {
				s.get(machines)
				s.after(500*time.Millisecond, false)
			},
		},
		"SameSecondOfALaterList": {
			reason: "a later list shows what was made meanwhile as the stream does, and creation times have whole seconds",
			happen: func(s *stream) {
				s.get(machines)
				s.get(machines)
				s.after(500*time.Millisecond, false)
			},
		},
		"BeginsToMatch": {
			reason: "a Machine of before the list that gets the selector's label is shown as a new one", happen: func(s *stream) {
				s.machine.CreationTimestamp = metav1.NewTime(s.clock.Now().Add(-2 * time.Second))
				s.get(machines)
				s.watcher.Created(s.machine, false)
			},
		},
		"Relisted": {reason: "the stream broke", happen: func(s *stream) {
			s.after(2*time.Second, false)
			s.get(machines)
		}},
		"ListedByHand": {reason: "watch=false is a list", happen: func(s *stream) {
			s.after(2*time.Second, false)
			s.get(machines + "?watch=false")
		}},
		"WatchList": {
			reason: "a watch that begins with all there is", happen: func(s *stream) {
				s.after(2*time.Second, false)
				s.get(machines + "?watch=true&sendInitialEvents=true")
			},
		},
		"Resumed": {
			reason: "a watch that goes on where it was lost nothing", want: true, happen: func(s *stream) {
				s.after(2*time.Second, false)
				s.get(machines + "?watch=true&resourceVersion=7")
			},
		},
		"OtherKind": {reason: "not about Machines", want: true, happen: func(s *stream) {
			s.after(2*time.Second, false)
			s.get("http://supervisor/api/v1/secrets")
		}},
		"FailedList": {reason: "who lists has lost the stream, answer or not", happen: func(s *stream) {
			s.after(2*time.Second, false)
			s.fails = true
			s.get(machines)
		}},
		"Placed": {reason: "it has a place", happen: func(s *stream) {
			s.after(2*time.Second, false)
			s.watcher.Placed(s.machine)
		}},
		"PlacedThenCreated": {
			reason: "an event that comes late changes nothing", happen: func(s *stream) {
				s.watcher.Placed(s.machine)
				s.after(2*time.Second, false)
			},
		},
		"FromABackup": {reason: "it has our finalizer already", happen: func(s *stream) {
			s.machine.Finalizers = []string{vitistackv1alpha1.FinalizerMachine}
			s.after(2*time.Second, false)
		}},
		"Deleted": {reason: "it is gone", happen: func(s *stream) {
			s.after(2*time.Second, false)
			s.watcher.Deleted(s.machine)
		}},
		"ServerAhead": {
			reason: "made before the later list, by a clock that is a minute ahead", happen: func(s *stream) {
				s.ahead = time.Minute
				s.get(machines)
				s.after(2*time.Second, false)
				s.get(machines)
				s.watcher.Created(s.machine, false)
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			clock := clocktesting.NewFakePassiveClock(began)
			created := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "web",
				UID: "machine-uid"}}
			s := &stream{t: t, clock: clock, watcher: wake.NewWatcher(clock, logr.Discard()), machine: created}
			tc.happen(s)
			if got := s.watcher.Fresh(s.machine); got != tc.want {
				t.Errorf("%s: fresh is %t", tc.reason, got)
			}
		})
	}
}

// TestSince: a Machine that the stream showed is timed by this process's clock to the moment, another
// one by the server's, to the second.
func TestSince(t *testing.T) {
	now := clocktesting.NewFakePassiveClock(began)
	watcher := wake.NewWatcher(now, logr.Discard())
	at := began.Add(1500 * time.Millisecond)
	now.SetTime(at)
	shown := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{UID: "shown"}}
	shown.CreationTimestamp = metav1.NewTime(at.Truncate(time.Second))
	listed := shown.DeepCopy()
	listed.UID = "listed"
	watcher.Created(shown, false)
	watcher.Created(listed, true)
	now.SetTime(at.Add(time.Hour))
	if got := watcher.Since(shown); !got.Equal(at) {
		t.Errorf("the one that was shown is of %s, want %s", got, at)
	}
	if got := watcher.Since(listed); !got.Equal(at.Truncate(time.Second)) {
		t.Errorf("the one of the list is of %s, want %s", got, at.Truncate(time.Second))
	}
}

// TestRecorded: a ledger counts as this process's own until it is another one, or until something may
// have happened to Machines that the stream did not show.
func TestRecorded(t *testing.T) {
	at := clocktesting.NewFakePassiveClock(began)
	w := wake.NewWatcher(at, logr.Discard())
	stream := &stream{t: t, clock: at, watcher: w}
	machine := func(ledger string) *vitistackv1alpha1.Machine {
		m := &vitistackv1alpha1.Machine{}
		m.UID, m.Annotations = "uid", map[string]string{vitistackv1alpha1.AnnotationPlacement: ledger}
		return m
	}
	if w.Recorded(machine("")) {
		t.Error("a Machine without a ledger is recorded")
	}
	w.Placed(machine("mine"))
	if !w.Recorded(machine("mine")) || w.Recorded(machine("another")) {
		t.Error("what was recorded is not told from another ledger")
	}
	stream.get(machines)
	if w.Recorded(machine("mine")) {
		t.Error("a ledger of before a break counts")
	}
}

// TestBreaksAreTold: the list of the start is no break, and each later one stands in the log.
func TestBreaksAreTold(t *testing.T) {
	told := 0
	log := funcr.New(func(_, args string) {
		if strings.Contains(args, wake.Broken) {
			told++
		}
	}, funcr.Options{})
	at := clocktesting.NewFakePassiveClock(began)
	s := &stream{t: t, clock: at, watcher: wake.NewWatcher(at, log)}
	for lists, want := range []int{0, 1, 2} {
		s.get(machines)
		if told != want {
			t.Errorf("after %d lists: told %d times, want %d", lists+1, told, want)
		}
	}
}
