package imports

import (
	"io"
	"math"
	"sync/atomic"
	"syscall"
)

// Room is how many bytes there is room for in each disk of a cluster, beside what its claim allows.
// Its methods are safe for concurrent use.
type Room struct{ left atomic.Int64 }

// NewRoom returns room without bounds.
func NewRoom() *Room {
	r := &Room{}
	r.Set(-1)
	return r
}

// Set sets the room; a negative number means that there are no bounds.
func (r *Room) Set(bytes int64) {
	if bytes < 0 {
		bytes = math.MaxInt64
	}
	r.left.Store(bytes)
}

// writer writes to a disk until it is full.
type writer struct {
	to       io.Writer
	room     *Room
	capacity int64
	written  int64
}

func (w *writer) Write(p []byte) (int, error) {
	if w.written+int64(len(p)) > min(w.capacity, w.room.left.Load()) {
		return 0, syscall.ENOSPC
	}
	n, err := w.to.Write(p)
	w.written += int64(n)
	return n, err
}
