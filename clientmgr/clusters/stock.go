package clusters

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
)

// valueSize is about how many bytes of a body stand for one value in it, in objects of Kubernetes.
// What has less would become far larger in memory than it is on the wire.
const valueSize = 32

// maxEvent is how large one event of a watch, or one item of a list, may be, in bytes. API servers
// keep no object of 3 MiB.
const maxEvent = 4 << 20

// stock is how much a cluster has sent into its cache. Once that is more than the cache may hold,
// what it does hold is counted: most of what comes replaces something. It is safe for concurrent
// use.
type stock struct {
	limit  Fill
	clock  clock.WithDelayedExecution
	meter  *transport.Meter
	wake   func()
	over   atomic.Bool // the cluster sent too much
	filled func() bool // every kind has synced
	stores func() []toolscache.Store
}

func newStock(
	limit Fill, clock clock.WithDelayedExecution, filled func() bool, stores func() []toolscache.Store, wake func(),
) *stock {
	return &stock{
		limit: limit, clock: clock, filled: filled, stores: stores, wake: wake,
		meter: transport.NewMeter(transport.Limits{
			Bytes: limit.MaxBytes, Values: limit.MaxBytes / valueSize, Objects: int64(limit.MaxObjects), Event: maxEvent,
		}),
	}
}

// body returns the body of an answer that fills the cache. late is called where it is a watch that
// begins with all objects and does not come to their end in time.
func (s *stock) body(req *http.Request, resp *http.Response, late func()) io.ReadCloser {
	b := &stockedBody{ReadCloser: s.meter.Body(req, resp), stock: s}
	if transport.IsWatch(req) && req.URL.Query().Get("sendInitialEvents") == "true" {
		b.initial = true
		b.timer = s.clock.AfterFunc(s.limit.Timeout, func() {
			late()
			_ = b.ReadCloser.Close() // its reader sees the end
		})
	}
	return b
}

// initialEnd is in the bookmark that ends the first part of a watch.
var initialEnd = []byte(metav1.InitialEventsAnnotationKey)

// stockedBody is such a body.
type stockedBody struct {
	io.ReadCloser

	stock   *stock
	initial bool // all objects have not come yet
	tail    []byte
	timer   clock.Timer // nil where nothing is waited for
}

func (b *stockedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.initial {
		b.look(p[:n])
	}
	if !errors.Is(err, transport.ErrTooLarge) {
		return n, err
	}
	if b.stock.settle() {
		return n, nil
	}
	return 0, err
}

// look looks for the end of the first part.
func (b *stockedBody) look(piece []byte) {
	seen := append(b.tail, piece...)
	if bytes.Contains(seen, initialEnd) {
		b.initial, b.tail = false, nil
		b.timer.Stop()
		return
	}
	b.tail = append([]byte(nil), seen[max(0, len(seen)-len(initialEnd)):]...)
}

func (b *stockedBody) Close() error {
	if b.timer != nil {
		b.timer.Stop()
	}
	return b.ReadCloser.Close()
}

// settle counts what the cache holds, and lets the cluster go on where that is within the limits.
func (s *stock) settle() (within bool) {
	if s.over.Load() {
		return false
	}
	if !s.meter.Oversized() && s.filled() && s.held() {
		s.meter.Reset()
		return true
	}
	s.over.Store(true)
	s.wake()
	return false
}

// held reports whether what the cache holds is within the limits.
func (s *stock) held() bool {
	objects, size := 0, int64(0)
	for _, store := range s.stores() {
		all := store.List()
		objects += len(all)
		for _, object := range all {
			data, err := json.Marshal(whole(object))
			if err != nil {
				continue
			}
			if size += int64(len(data)); size > s.limit.MaxBytes || objects > s.limit.MaxObjects {
				return false
			}
		}
	}
	return true
}

// flooded is the failure of a cluster that sent too much.
func (s *stock) flooded() failure {
	return unreachable(fmt.Sprintf("the server sends more than is kept of a cluster: %d MiB, or %d objects",
		s.limit.MaxBytes>>20, s.limit.MaxObjects))
}
