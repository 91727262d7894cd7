package transport

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"sync"
	"sync/atomic"
)

// ErrTooLarge is in the chain of the error of reading an answer that is larger than is read.
var ErrTooLarge = errors.New("the answer is too large")

// Limits bounds what is read of answers, after they are unpacked. 0 is no limit.
type Limits struct {
	// Bytes of the bodies.
	Bytes int64
	// Values of their JSON: objects, lists, and what is in them. A body of `{},{},{}` is small, and
	// what is made of it is not.
	Values int64
	// Objects are the events of a watch, and the items of a list.
	Objects int64
	// Event is the number of bytes of one event of a watch, and of one item of a list: no server has a
	// larger one, and a reader keeps all of it at once.
	Event int64
}

// amount is how much was read.
type amount struct{ bytes, values, objects, event int64 }

// exceeded reports whether an amount is beyond the limits.
func (l Limits) exceeded(a amount) bool {
	return l.Bytes > 0 && a.bytes > l.Bytes || l.Values > 0 && a.values > l.Values ||
		l.Objects > 0 && a.objects > l.Objects || l.Event > 0 && a.event > l.Event
}

// Meter adds up what is being read. The zero value has no limits; it is safe for concurrent use.
type Meter struct {
	limits                 Limits
	bytes, values, objects atomic.Int64
	event                  atomic.Int64 // the largest
}

// NewMeter returns a Meter with limits.
func NewMeter(limits Limits) *Meter { return &Meter{limits: limits} }

// add counts, and reports whether the sum is within the limits.
func (m *Meter) add(a amount) bool {
	for largest := m.event.Load(); a.event > largest && !m.event.CompareAndSwap(largest, a.event); {
		largest = m.event.Load()
	}
	return !m.limits.exceeded(
		amount{m.bytes.Add(a.bytes), m.values.Add(a.values), m.objects.Add(a.objects), m.event.Load()})
}

// Reset begins anew.
func (m *Meter) Reset() {
	m.bytes.Store(0)
	m.values.Store(0)
	m.objects.Store(0)
}

// Oversized reports whether one event was larger than the limits allow. Reset does not change that.
func (m *Meter) Oversized() bool { return m.limits.exceeded(amount{event: m.event.Load()}) }

// Body returns the body of a response to req such that what is read of it is counted. A Read that
// passes the limits returns what it read together with ErrTooLarge, as each one after it.
func (m *Meter) Body(req *http.Request, resp *http.Response) io.ReadCloser {
	return &measured{ReadCloser: resp.Body, text: textOf(req, resp), within: m.add}
}

// call returns the same for one call: it has limits of its own, and what it read is subtracted once
// it is done with.
func (m *Meter) call(req *http.Request, resp *http.Response, limits Limits) io.ReadCloser {
	b := &measured{ReadCloser: resp.Body, text: textOf(req, resp)}
	b.within = func(a amount) bool { return m.add(a) && !limits.exceeded(b.sum) }
	b.done = sync.OnceFunc(func() { m.add(amount{-b.sum.bytes, -b.sum.values, -b.sum.objects, 0}) })
	return b
}

// measured is a body that is counted while it is read.
type measured struct {
	io.ReadCloser

	text   *text // nil where it is no JSON
	sum    amount
	within func(amount) bool // counts what was read now
	done   func()            // may be nil
}

func (b *measured) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	now := amount{bytes: int64(n)}
	if b.text != nil {
		now.values, now.objects = b.text.count(p[:n])
		now.event = b.text.longest
	}
	b.sum = amount{b.sum.bytes + now.bytes, b.sum.values + now.values, b.sum.objects + now.objects, now.event}
	if n > 0 && !b.within(now) {
		return n, ErrTooLarge
	}
	return n, err
}

func (b *measured) Close() error {
	if b.done != nil {
		b.done()
	}
	return b.ReadCloser.Close()
}

// text goes over JSON piece by piece.
type text struct {
	depth             int // of lists and objects
	objects           int // the depth at which those that count begin
	inString, escaped bool
	length, longest   int64 // of one object that counts, in bytes
}

// textOf returns where a body begins, nil where it is no JSON: each event of a watch is a text of
// its own, and the items of a list are in a list that is in an object.
func textOf(req *http.Request, resp *http.Response) *text {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case err == nil && kind == "application/vnd.kubernetes.protobuf":
		return nil
	case IsWatch(req):
		return &text{}
	default:
		return &text{objects: 2}
	}
}

// count counts the beginnings of values in the next piece, that of each object and list and what
// follows each comma, and those of objects that count.
func (t *text) count(piece []byte) (values, objects int64) {
	for _, c := range piece {
		t.length++
		t.longest = max(t.longest, t.length)
		switch {
		case t.escaped:
			t.escaped = false
		case t.inString:
			t.escaped, t.inString = c == '\\', c != '"'
		case c == '"':
			t.inString = true
		case c == '{', c == '[':
			if c == '{' && t.depth == t.objects {
				objects++
			}
			values++
			t.depth++
		case c == '}', c == ']':
			if t.depth--; t.depth <= t.objects {
				t.length = 0
			}
		case c == ',':
			values++
		}
	}
	return values, objects
}
