package wake

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
)

func newTurns(t *testing.T) priorityqueue.PriorityQueue[string] {
	t.Helper()
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[string](time.Millisecond, time.Second)
	queue, is := NewQueue("", limiter).(priorityqueue.PriorityQueue[string])
	if !is {
		t.Fatal("controller-runtime would not tell the queue which requests can wait")
	}
	t.Cleanup(queue.ShutDown)
	return queue
}

var canWait = priorityqueue.AddOpts{Priority: new(handler.LowPriority)}

// drain takes items out one by one, and says of each whether it could wait.
func drain(queue priorityqueue.PriorityQueue[string]) string {
	var order []string
	for queue.Len() > 0 {
		item, priority, _ := queue.GetWithPriority()
		if priority < 0 {
			item = "(" + item + ")"
		}
		order = append(order, item)
		queue.Done(strings.Trim(item, "()"))
	}
	return strings.Join(order, " ")
}

func TestTurns(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		add    func(queue priorityqueue.PriorityQueue[string])
		want   string
	}{
		"a first list, and then a new one": {
			reason: "a Machine that is created after a restart goes before those that were there",
			add: func(queue priorityqueue.PriorityQueue[string]) {
				queue.AddWithOpts(canWait, "a", "b", "c")
				queue.Add("new")
			},
			want: "new (a) (b) (c)",
		},
		"many that change": {
			reason: "each fourth turn is the backlog's, or those that change all the time would starve it (D9)",
			add: func(queue priorityqueue.PriorityQueue[string]) {
				queue.AddWithOpts(canWait, "a", "b")
				for _, hot := range []string{"1", "2", "3", "4", "5", "6", "7"} {
					queue.Add(hot)
				}
			},
			want: "1 2 3 (a) 4 5 6 (b) 7",
		},
		"one of the backlog changes": {
			reason: "its change cannot wait for thousands of others",
			add: func(queue priorityqueue.PriorityQueue[string]) {
				queue.AddWithOpts(canWait, "a", "b", "c")
				queue.Add("c")
			},
			want: "c (a) (b)",
		},
		"one that changed is listed again": {
			reason: "a list takes nobody's turn away",
			add: func(queue priorityqueue.PriorityQueue[string]) {
				queue.AddWithOpts(canWait, "a")
				queue.Add("c")
				queue.AddWithOpts(canWait, "c")
			},
			want: "c (a)",
		},
		"a change while it is worked on": {
			reason: "what comes during a pass cannot wait for the backlog either, whatever came before it",
			add: func(queue priorityqueue.PriorityQueue[string]) {
				queue.AddWithOpts(canWait, "c")
				item, _, _ := queue.GetWithPriority()
				queue.AddWithOpts(canWait, "a", item)
				queue.Add(item)
				queue.Done(item)
			},
			want: "c (a)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			queue := newTurns(t)
			tc.add(queue)
			if diff := cmp.Diff(tc.want, drain(queue)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestTurnsOfAFleet: a new Machine waits for as many of the backlog, however long that is.
func TestTurnsOfAFleet(t *testing.T) {
	for _, backlog := range []int{10, 10_000} {
		queue := newTurns(t)
		for i := range backlog {
			queue.AddWithOpts(canWait, strings.Repeat("a", 1+i%7)+time.Duration(i).String())
		}
		for _, fresh := range []string{"x", "y", "z"} {
			queue.Add(fresh)
		}
		order := strings.Fields(drain(queue))
		if at := slices.Index(order, "z"); at > 3 {
			t.Errorf("with a backlog of %d the third new one is served after %d others", backlog, at)
		}
		if len(order) != backlog+3 {
			t.Errorf("%d of %d are served", len(order), backlog+3)
		}
	}
}
