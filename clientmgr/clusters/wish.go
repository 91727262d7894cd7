package clusters

import (
	"bytes"
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Wish is what is asked for under a name: a kubeconfig, and what is remembered of the cluster that
// it should lead to.
type Wish struct {
	// UID is that of the object that asks. Another one under the same name is another wish, of which
	// nothing is remembered. It may stay "".
	UID types.UID
	// Kubeconfig is the file's contents. Where it is nil, Problem is a sentence that says why there is
	// none.
	Kubeconfig []byte
	Problem    string
	// RememberedUID is the identity that the cluster is known to have: the UID of its namespace
	// kube-system, as State.ClusterUID told it to somebody who kept it. "" where nobody knows.
	RememberedUID string
	// AcceptedUID is the identity that a person consented to, where the kubeconfig leads to another
	// cluster than RememberedUID. "" is none.
	AcceptedUID string
	// FormerUIDs are the identities that the name stood for earlier, sorted.
	FormerUIDs []string
	// DisconnectedSince is when the cluster was lost, where an earlier process told that.
	DisconnectedSince time.Time
	// OnDemand connects the cluster only while somebody asks for it: each look-up wakes it, and
	// Options.LetGo after the last one it is let go. Between, its reason is ReasonAsleep. It has no
	// metrics: whoever always is connected measures it.
	OnDemand bool
}

// urgent reports whether what is under way for the former wish is in vain.
func (w Wish) urgent(former Wish) bool {
	return w.UID != former.UID || w.Problem != former.Problem || w.AcceptedUID != former.AcceptedUID ||
		!bytes.Equal(w.Kubeconfig, former.Kubeconfig)
}

// mailbox hands a cluster's goroutine the latest wish. A wish that was not taken is replaced: what
// lies between does not matter.
type mailbox struct {
	signal chan struct{} // room for one

	locked struct {
		sync.Mutex
		wish      Wish
		rebuild   bool // the connection is to be dropped
		probe     bool // the cluster should be asked now
		interrupt context.CancelFunc
	}
}

func newMailbox() *mailbox { return &mailbox{signal: make(chan struct{}, 1)} }

func (m *mailbox) ring() {
	select {
	case m.signal <- struct{}{}:
	default:
	}
}

// put replaces the wish. It interrupts the step under way if that is in vain now.
func (m *mailbox) put(w Wish) {
	m.locked.Lock()
	if w.urgent(m.locked.wish) && m.locked.interrupt != nil {
		m.locked.interrupt()
	}
	m.locked.wish = w
	m.locked.Unlock()
	m.ring()
}

// rebuild asks for a new connection.
func (m *mailbox) rebuild() {
	m.locked.Lock()
	m.locked.rebuild = true
	if m.locked.interrupt != nil {
		m.locked.interrupt()
	}
	m.locked.Unlock()
	m.ring()
}

// probe asks for a probe before its time.
func (m *mailbox) probe() {
	m.locked.Lock()
	m.locked.probe = true
	m.locked.Unlock()
	m.ring()
}

// order is what take returns.
type order struct {
	wish           Wish
	rebuild, probe bool
}

// take returns the latest wish, and a context for the step that serves it: it ends when the step is
// in vain.
func (m *mailbox) take(ctx context.Context) (context.Context, context.CancelFunc, order) {
	step, cancel := context.WithCancel(ctx)
	m.locked.Lock()
	defer m.locked.Unlock()
	o := order{wish: m.locked.wish, rebuild: m.locked.rebuild, probe: m.locked.probe}
	m.locked.rebuild, m.locked.probe = false, false
	m.locked.interrupt = cancel
	return step, cancel, o
}
