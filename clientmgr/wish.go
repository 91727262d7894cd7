package clientmgr

import (
	"bytes"
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// wish is what the supervisor says about one cluster: its KubevirtConfig and Secret, reduced to
// what matters here.
type wish struct {
	configUID types.UID
	// kubeconfig is the Secret's contents, nil where problem says why there is none.
	kubeconfig []byte
	problem    string
	// rememberedUID is the identity that status or annotation hold, acceptedUID the one that a person
	// consented to.
	rememberedUID, acceptedUID string
	// formerUIDs are the identities that the KubevirtConfig stood for earlier, sorted.
	formerUIDs []string
	// disconnectedSince is what status holds, from before this process.
	disconnectedSince time.Time
}

// urgent reports whether what is under way for the former wish is in vain.
func (w wish) urgent(former wish) bool {
	return w.configUID != former.configUID || w.problem != former.problem || w.acceptedUID != former.acceptedUID ||
		!bytes.Equal(w.kubeconfig, former.kubeconfig)
}

// mailbox hands a cluster's goroutine the latest wish. A wish that was not taken is replaced: what
// lies between does not matter.
type mailbox struct {
	signal chan struct{} // room for one

	locked struct {
		sync.Mutex
		wish      wish
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
func (m *mailbox) put(w wish) {
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
	wish           wish
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
