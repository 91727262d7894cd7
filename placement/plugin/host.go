package plugin

import (
	"context"
	"errors"
	"sync"

	"github.com/hashicorp/go-multierror"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// A Host runs plugins and lets them be asked as strategies. All methods are safe for concurrent use.
type Host struct {
	options     Options
	supervisors []*supervisor

	mu     sync.Mutex
	locked lockedRun
}

// lockedRun is what a running host holds. It is guarded by Host.mu.
type lockedRun struct {
	started bool
	stop    context.CancelFunc // nil unless running
	running sync.WaitGroup
	dir     *tempDir
	spawner *spawner
}

// NewHost returns a host that does not run yet. It does no I/O.
func NewHost(options Options) *Host {
	options = options.withDefaults()
	h := &Host{options: options}
	for _, entry := range options.Entries {
		h.supervisors = append(h.supervisors, newSupervisor(entry, options))
	}
	return h
}

// Start brings all plugins up, side by side, and returns without waiting for them. Its error says that the options make
// no sense or that there is no room for sockets; a plugin that is missing or broken is no error here, but in its answers.
// The plugins end when ctx ends or with Close, which must be called in any case. A host starts once.
func (h *Host) Start(ctx context.Context) error {
	if err := h.options.validate(); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.locked.started {
		return errors.New("the plugin host was started before")
	}
	dir, err := newTempDir(h.options.TempDir)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	h.locked.started, h.locked.stop, h.locked.dir, h.locked.spawner = true, stop, dir, newSpawner()
	spawn := h.locked.spawner.spawn
	for i, s := range h.supervisors {
		s.set(Starting, "it is starting", nil)
		h.locked.running.Go(func() { s.run(ctx, dir.child(i), spawn) })
	}
	return nil
}

// WaitReady waits until each plugin is ready or has failed once. It returns nil if all are ready, else a multierror of
// [Unavailable] in the order of the entries. Nobody needs to wait: calls to a plugin that is starting wait for it.
func (h *Host) WaitReady(ctx context.Context) error {
	var all *multierror.Error
	for _, s := range h.supervisors {
		all = multierror.Append(all, s.settle(ctx))
	}
	return all.ErrorOrNil()
}

// Run is Start, then Close when ctx ends: what a controller-runtime manager wants of a Runnable.
func (h *Host) Run(ctx context.Context) error {
	if err := h.Start(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return h.Close()
}

// Close ends all plugins and leaves no process, file, socket or goroutine. It waits for them: a healthy plugin ends at
// once, one that hangs is killed. Calls in flight fail as [Unavailable]. Close may be called more than once.
func (h *Host) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.locked.stop == nil {
		return nil
	}
	h.locked.stop()
	h.locked.stop = nil
	h.locked.running.Wait()
	h.locked.spawner.close()
	return h.locked.dir.remove()
}

// Chain returns the plugins as a chain, in the order of the entries and with their error policies. It may be taken before
// Start and is good for the host's life.
func (h *Host) Chain() placement.Chain {
	chain := make(placement.Chain, len(h.supervisors))
	for i, s := range h.supervisors {
		chain[i] = placement.Link{Strategy: remote{s}, OnError: s.entry.OnError}
	}
	return chain
}

// Strategies returns the plugins one by one, in the order of the entries, for a chain of one's own.
func (h *Host) Strategies() []placement.Strategy {
	strategies := make([]placement.Strategy, len(h.supervisors))
	for i, s := range h.supervisors {
		strategies[i] = remote{s}
	}
	return strategies
}

// A Status is what a host knows of one plugin.
type Status struct {
	Name string `json:"name"`
	// State is where the plugin is, Reason why it is not Ready.
	State  State  `json:"state"`
	Reason string `json:"reason,omitempty"`
	// Version is the last one that the plugin gave.
	Version string `json:"version,omitempty"`
	// SHA256 is the pinned digest.
	SHA256 string `json:"sha256,omitempty"`
	// Restarts counts the starts after the first.
	Restarts int `json:"restarts"`
}

// Status returns the state of each plugin, in the order of the entries.
func (h *Host) Status() []Status {
	all := make([]Status, len(h.supervisors))
	for i, s := range h.supervisors {
		now := s.view()
		all[i] = Status{
			Name: s.entry.Name, State: now.state, Reason: now.reason,
			Version: now.version, SHA256: s.entry.SHA256, Restarts: now.restarts,
		}
	}
	return all
}
