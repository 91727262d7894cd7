package wake

import (
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
)

// backlogTurn is how often it is the backlog's turn: once in so many.
const backlogTurn = 4

// NewQueue returns a queue with two lanes. What was added with a low priority (first lists, which
// controller-runtime's handlers and package clusters mark so) waits in the backlog, and everything
// else goes before it: a Machine that is created after a restart does not wait for thousands that
// were there before. Each fourth turn is the backlog's, so that Machines that change all the time
// starve nobody, as they do in controller-runtime's own priority queue. Within a lane the order is
// that of coming.
func NewQueue[T comparable](
	name string, limiter workqueue.TypedRateLimiter[T],
) workqueue.TypedRateLimitingInterface[T] {
	lanes := newLanes[T]()
	return &turns[T]{
		lanes: lanes,
		TypedRateLimitingInterface: workqueue.NewTypedRateLimitingQueueWithConfig(limiter,
			workqueue.TypedRateLimitingQueueConfig[T]{
				Name: name,
				DelayingQueue: workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[T]{
					Name:  name,
					Queue: workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[T]{Name: name, Queue: lanes}),
				}),
			}),
	}
}

// turns is a priorityqueue.PriorityQueue of two priorities.
type turns[T comparable] struct {
	workqueue.TypedRateLimitingInterface[T]
	lanes *lanes[T]
}

// Add adds what cannot wait.
func (t *turns[T]) Add(item T) { t.AddWithOpts(priorityqueue.AddOpts{}, item) }

// AddAfter adds what cannot wait longer than a time.
func (t *turns[T]) AddAfter(item T, after time.Duration) {
	t.AddWithOpts(priorityqueue.AddOpts{After: after}, item)
}

// AddRateLimited adds what is tried again.
func (t *turns[T]) AddRateLimited(item T) {
	t.AddWithOpts(priorityqueue.AddOpts{RateLimited: true}, item)
}

// AddWithOpts adds items; those of a negative priority can wait.
func (t *turns[T]) AddWithOpts(options priorityqueue.AddOpts, items ...T) {
	for _, item := range items {
		t.lanes.ask(item, options.Priority != nil && *options.Priority < 0)
		switch {
		case options.RateLimited:
			t.TypedRateLimitingInterface.AddRateLimited(item)
		case options.After > 0:
			t.TypedRateLimitingInterface.AddAfter(item, options.After)
		default:
			t.TypedRateLimitingInterface.Add(item)
		}
	}
}

// GetWithPriority returns the next item, with the priority that it waited with.
func (t *turns[T]) GetWithPriority() (item T, priority int, shutdown bool) {
	item, shutdown = t.Get()
	if t.lanes.waited(item) {
		priority = handler.LowPriority
	}
	return item, priority, shutdown
}

// lanes are the order of a queue. The queue calls Touch, Push, Len and Pop while it holds its own
// lock.
type lanes[T comparable] struct {
	mu     sync.Mutex
	locked struct {
		first, backlog lane[T]
		// canWait has what was asked for since it was last handed out: true where all who asked can wait.
		canWait map[T]bool
		handed  map[T]struct{} // items of the backlog that were handed out and are not told of yet
		turn    int
	}
}

func newLanes[T comparable]() *lanes[T] {
	l := &lanes[T]{}
	l.locked.first, l.locked.backlog = newLane[T](), newLane[T]()
	l.locked.canWait, l.locked.handed = map[T]bool{}, map[T]struct{}{}
	return l
}

// ask notes that an item is about to be added. One who cannot wait is enough.
func (l *lanes[T]) ask(item T, canWait bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if former, asked := l.locked.canWait[item]; asked {
		canWait = canWait && former
	}
	l.locked.canWait[item] = canWait
}

// Push implements workqueue.Queue.
func (l *lanes[T]) Push(item T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.locked.canWait[item] {
		l.locked.backlog.push(item)
		return
	}
	l.locked.first.push(item)
}

// Touch implements workqueue.Queue: an item of the backlog that somebody else cannot wait for
// changes the lane.
func (l *lanes[T]) Touch(item T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.locked.canWait[item] && l.locked.backlog.remove(item) {
		l.locked.first.push(item)
	}
}

// Len implements workqueue.Queue.
func (l *lanes[T]) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.locked.first.len() + l.locked.backlog.len()
}

// Pop implements workqueue.Queue.
func (l *lanes[T]) Pop() T {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.locked.turn = (l.locked.turn + 1) % backlogTurn
	backlogs := l.locked.turn == 0 || l.locked.first.len() == 0
	var item T
	if backlogs && l.locked.backlog.len() > 0 {
		item = l.locked.backlog.pop()
		l.locked.handed[item] = struct{}{}
	} else {
		item = l.locked.first.pop()
	}
	delete(l.locked.canWait, item)
	return item
}

// waited reports whether an item that was handed out came from the backlog, and forgets that.
func (l *lanes[T]) waited(item T) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, handed := l.locked.handed[item]
	delete(l.locked.handed, item)
	return handed
}

// lane is a queue from which an item can be taken out of turn. An item is in it once.
type lane[T comparable] struct {
	items []T
	in    map[T]struct{}
}

func newLane[T comparable]() lane[T] { return lane[T]{in: map[T]struct{}{}} }

func (l *lane[T]) len() int { return len(l.in) }

func (l *lane[T]) push(item T) {
	l.items = append(l.items, item)
	l.in[item] = struct{}{}
}

// remove takes an item out. Its place stays, and pop skips it.
func (l *lane[T]) remove(item T) (was bool) {
	_, was = l.in[item]
	delete(l.in, item)
	return was
}

// pop returns the oldest item. There must be one.
func (l *lane[T]) pop() T {
	for {
		item := l.items[0]
		l.items = l.items[1:]
		if l.remove(item) {
			return item
		}
	}
}
