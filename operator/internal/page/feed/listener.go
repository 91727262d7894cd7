package feed

import (
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/view"
)

// Batch is what changed. Its contents are shared among listeners and must not be changed.
type Batch struct {
	Clusters     []view.Cluster
	GoneClusters []string
	Machines     []view.Machine
	GoneMachines []Key
	Changes      []view.Change
}

// Key names a Machine.
type Key struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

func (b *Batch) empty() bool {
	return len(b.Clusters)+len(b.GoneClusters)+len(b.Machines)+len(b.GoneMachines)+len(b.Changes) == 0
}

// Listener is somebody who listens.
type Listener struct {
	feed    *Feed
	first   Rows
	batches chan Batch
}

// First are the rows when the listener began to listen. The batches are what changed since.
func (l *Listener) First() Rows { return l.first }

// Batches is closed when the listener was too slow, or has closed.
func (l *Listener) Batches() <-chan Batch { return l.batches }

// Close ends listening. It can be called twice, and must be called by who listened.
func (l *Listener) Close() { l.feed.leave(l) }
