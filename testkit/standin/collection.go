package standin

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/watch"
)

// history is how many events of a collection are kept at least, for watches that are resumed.
const history = 1000

// event is one change of a collection.
type event struct {
	revision int64
	before   *stored // nil for a creation
	now      *stored // nil for a deletion, of which body is the end
	body     []byte
}

// collection has the objects of one kind in one cluster, and what happened to them. Its cluster's
// lock guards it.
type collection struct {
	objects map[key]*stored
	events  []event
	// dropped is the revision of the youngest event that is not kept any more.
	dropped int64
	// changed is closed at the next change.
	changed chan struct{}
}

func newCollection() *collection {
	return &collection{objects: map[key]*stored{}, changed: make(chan struct{})}
}

// note keeps an event and tells those who wait.
func (c *collection) note(e event) {
	if len(c.events) >= 2*history {
		c.dropped = c.events[history-1].revision
		c.events = slices.Clone(c.events[history:])
	}
	c.events = append(c.events, e)
	close(c.changed)
	c.changed = make(chan struct{})
}

// list returns the chosen objects, by namespace and name.
func (c *collection) list(chosen selection) []*stored {
	var found []*stored
	for _, object := range c.objects {
		if chosen.has(object) {
			found = append(found, object)
		}
	}
	slices.SortFunc(found, func(a, b *stored) int {
		return cmp.Or(cmp.Compare(a.key.namespace, b.key.namespace), cmp.Compare(a.key.name, b.key.name))
	})
	return found
}

// since returns the events after a revision. gone says that not all of them are kept.
func (c *collection) since(revision int64) (events []event, gone bool) {
	if revision < c.dropped {
		return nil, true
	}
	first, _ := slices.BinarySearchFunc(c.events, revision+1, func(e event, r int64) int {
		return cmp.Compare(e.revision, r)
	})
	return slices.Clone(c.events[first:]), false
}

// seen is how a watch of chosen objects shows an event. What stops being chosen is deleted to it.
func (e event) seen(chosen selection) (kind watch.EventType, body []byte, shown bool) {
	had := e.before != nil && chosen.has(e.before)
	has := e.now != nil && chosen.has(e.now)
	switch {
	case has && !had:
		return watch.Added, e.body, true
	case has:
		return watch.Modified, e.body, true
	case had:
		return watch.Deleted, e.body, true
	default:
		return "", nil, false
	}
}
