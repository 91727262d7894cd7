package clusters

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

const (
	// noAnswer stands for a status where there was none.
	noAnswer = 0
	// coverageGrace is how long a declared kind may be without a watch before the cluster counts as
	// degraded: a rotation that is under way, and the end of each watch, leave it without one for a
	// moment.
	coverageGrace = 5 * time.Second
)

// coverage tells whether every declared kind is watched. One may not be while the server answers
// everything else: a right was taken away, a definition removed, a conversion webhook is down, the
// opening of a watch hangs. What is cached of it is what was.
type coverage struct {
	clock clock.PassiveClock
	wake  func() // told of each new gap
	want  int    // the number of watches

	locked struct {
		sync.Mutex
		open    int             // watches
		since   time.Time       // since when open is below want; the zero time means for too long already
		doubted bool            // the watch that ends next is of no use: its end needs no grace
		losses  map[string]loss // by resource: those that can be neither listed nor watched
	}
}

type loss struct {
	status int // what the server answered last
	since  time.Time
}

// answered notes what came of one request for a collection.
func (c *coverage) answered(resource string, watch bool, status int) {
	if status == http.StatusGone { // a list follows
		return
	}
	c.locked.Lock()
	defer c.locked.Unlock()
	if status == http.StatusOK && !watch { // a watch follows
		c.locked.since = c.clock.Now()
		return
	}
	if status == http.StatusOK {
		delete(c.locked.losses, resource)
		if c.locked.open++; c.locked.open >= c.want {
			c.locked.doubted = false
		}
		return
	}
	if c.locked.losses == nil {
		c.locked.losses = map[string]loss{}
	}
	known, found := c.locked.losses[resource]
	if !found {
		known.since = c.clock.Now()
		defer c.wake()
	}
	known.status = status
	c.locked.losses[resource] = known
}

// body is that of a watch, whose end it notes.
func (c *coverage) body(of io.ReadCloser) io.ReadCloser {
	return &watchBody{ReadCloser: of, ended: sync.OnceFunc(c.ended)}
}

func (c *coverage) ended() {
	c.locked.Lock()
	defer c.locked.Unlock()
	c.locked.open--
	switch {
	case c.locked.doubted:
		c.locked.since = time.Time{}
	case c.locked.open == c.want-1:
		c.locked.since = c.clock.Now()
	}
	defer c.wake()
}

// doubt takes the trust from the watches that are about to be cut because nothing came over them.
func (c *coverage) doubt() {
	c.locked.Lock()
	defer c.locked.Unlock()
	c.locked.doubted = true
}

// gap is what is missing at one moment.
type gap struct {
	lost    error // declared kinds cannot be read, and why
	stalled bool  // a watch could not be opened for too long
	young   bool  // something is missing for too short a time to count
}

func (c *coverage) gap() gap {
	c.locked.Lock()
	defer c.locked.Unlock()
	var g gap
	if c.locked.open < c.want {
		g.stalled = c.clock.Since(c.locked.since) >= coverageGrace
		g.young = !g.stalled
	}
	byStatus := map[int][]string{}
	for _, resource := range sortedKeys(c.locked.losses) {
		each := c.locked.losses[resource]
		if each.status != http.StatusForbidden && c.clock.Since(each.since) < coverageGrace {
			g.young = true
			continue // a 403 counts at once: a watch that resumes has waited it out already
		}
		byStatus[each.status] = append(byStatus[each.status], resource)
	}
	g.lost = lossOf(byStatus)
	return g
}

// lossOf names the gravest loss.
func lossOf(byStatus map[int][]string) error {
	names := func(status int) string { return strings.Join(byStatus[status], ", ") }
	switch {
	case len(byStatus) == 0:
		return nil
	case byStatus[http.StatusForbidden] != nil:
		return failure{ErrForbidden, ReasonForbidden, "may not list and watch " + names(http.StatusForbidden)}
	case byStatus[http.StatusNotFound] != nil:
		return failure{ErrKindNotServed, ReasonKindNotServed, "the server does not serve " + names(http.StatusNotFound) +
			" any more"}
	}
	status := sortedKeys(byStatus)[len(byStatus)-1]
	if status == noAnswer {
		return unreachable("no answer for " + names(status))
	}
	return unreachable(fmt.Sprintf("the server answers with status %d for %s", status, names(status)))
}

type watchBody struct {
	io.ReadCloser
	ended func()
}

func (b *watchBody) Close() error {
	defer b.ended()
	return b.ReadCloser.Close()
}
