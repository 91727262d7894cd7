package plugin

import (
	"context"
	"errors"
	"sync"

	"github.com/hashicorp/go-multierror"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// A Host runs plugins and lets them be asked as strategies. All methods are safe for concurrent
// use.
type Host struct {
	options Options

	changing sync.Mutex // held while the host is started, updated or closed, which takes time
	mu       sync.Mutex
	locked   lockedRun
}

// lockedRun is what a running host holds. It is guarded by Host.mu.
type lockedRun struct {
	started bool
	current *configuration
	ctx     context.Context    //nolint:containedctx // the life of the plugins, which Update starts too
	stop    context.CancelFunc // nil unless running
	dir     *tempDir
	spawner *spawner
	begun   int // plugins so far
}

// NewHost returns a host that does not run yet. It does no I/O.
func NewHost(options Options) *Host {
	options = options.withDefaults()
	h := &Host{options: options}
	h.locked.current, _ = (&configuration{}).follow(options)
	return h
}

// Start brings all plugins up, side by side, and returns without waiting for them. Its error says
// that the options make no sense or that there is no room for sockets; a plugin that is missing or
// broken is no error here, but in its answers. The plugins end when ctx ends or with Close, which
// must be called in any case. A host starts once.
func (h *Host) Start(ctx context.Context) error {
	if err := h.options.Validate(); err != nil {
		return err
	}
	h.changing.Lock()
	defer h.changing.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.locked.started {
		return errors.New("the plugin host was started before")
	}
	dir, err := newTempDir(h.options.TempDir)
	if err != nil {
		return err
	}
	h.locked.ctx, h.locked.stop = context.WithCancel(ctx)
	h.locked.started, h.locked.dir, h.locked.spawner = true, dir, newSpawner()
	for _, m := range h.locked.current.members {
		h.locked.begin(m.keeper)
	}
	return nil
}

// begin starts a plugin in a folder that no other has had.
func (l *lockedRun) begin(s *keeper) {
	s.begin(l.ctx, l.dir.child(l.begun), l.spawner.spawn)
	l.begun++
}

// Update replaces the entries, as a whole or not at all. Plugins that are new or changed are
// started and configured first. Questions go to them only when all of them are ready. Plugins that
// are no longer wanted may then finish their answers (Limits.Drain) and end. A plugin whose entry
// is the same, apart from error policy and place, is not touched. One question gets all its answers
// from one configuration. A side-car that is in both configurations only checks the new one, and
// gets it when all else is ready: a refused Update has decided nothing.
//
// The error says why everything stays as it was: the entries make no sense, a plugin did not become
// ready (a multierror of [Unavailable]), or the host does not run.
func (h *Host) Update(ctx context.Context, entries []Entry) error {
	options := h.options
	options.Entries = entries
	options = options.withDefaults()
	if err := options.Validate(); err != nil {
		return err
	}
	h.changing.Lock()
	defer h.changing.Unlock()
	next, fresh, err := h.follow(options)
	if err != nil {
		return err
	}
	shared := h.now().shared(fresh)
	err = settleAll(ctx, fresh)
	if err == nil {
		err = shared.handOver(ctx, h.options.Limits)
	}
	if err != nil {
		end(fresh)
		shared.takeBack(ctx)
		return err
	}
	before := h.swap(next)
	shared.let()
	gone := before.without(next)
	for _, s := range gone {
		s.quiet(next.has(s.entry.Name))
	}
	for _, s := range fresh {
		s.quiet(false)
	}
	before.drain(h.options.Limits.Drain)
	end(gone)
	shared.confirm(ctx)
	return nil
}

// settleAll waits until each plugin is ready or has failed, and returns why some are not.
func settleAll(ctx context.Context, keepers []*keeper) error {
	var all *multierror.Error
	for _, s := range keepers {
		all = multierror.Append(all, s.settle(ctx))
	}
	return oneLine(all)
}

// follow starts the plugins that are new in the options.
func (h *Host) follow(options Options) (*configuration, []*keeper, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.locked.stop == nil {
		return nil, nil, errors.New("the plugin host does not run")
	}
	next, fresh := h.locked.current.follow(options)
	for _, each := range h.locked.current.shared(fresh) {
		each.next.claims(proposes)
	}
	for _, s := range fresh {
		s.quiet(true)
		h.locked.begin(s)
	}
	return next, fresh, nil
}

// swap makes the next configuration the current one and returns the one before.
func (h *Host) swap(next *configuration) *configuration {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.locked.current
	h.locked.current = next
	return before
}

// end stops plugins and waits until their processes, sockets and goroutines are gone.
func end(keepers []*keeper) {
	for _, s := range keepers {
		s.stop()
	}
	for _, s := range keepers {
		<-s.done
	}
}

// now is the current configuration.
func (h *Host) now() *configuration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.locked.current
}

// use is the current configuration for one question; release must be called after it.
func (h *Host) use() (current *configuration, release func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.locked.current.asked.Add(1)
	return h.locked.current, h.locked.current.asked.Done
}

// Place asks the chain of the entries that are current; see placement.Chain.Place. It waits for a
// plugin that is starting, and gathers what the very process needs that it then asks.
func (h *Host) Place(ctx context.Context, gather placement.Gather) (placement.Decision, placement.Trace, error) {
	current, release := h.use()
	defer release()
	return current.chain().Place(ctx, gather)
}

// Strategy is the plugin of that name alone, for a chain of one's own or for placementtest. It is
// whichever plugin has the name when it is asked, so that it follows an Update; a name that is not
// among the entries is [Unavailable]. An Update does not wait for its answers.
func (h *Host) Strategy(name string) placement.Starter { return named{host: h, name: name} }

// WaitReady waits until each plugin is ready or has failed once. It returns nil if all are ready,
// else a multierror of [Unavailable] in the order of the entries. No caller has to wait here,
// because a call to a plugin that is starting waits for it.
func (h *Host) WaitReady(ctx context.Context) error {
	var all *multierror.Error
	for _, m := range h.now().members {
		all = multierror.Append(all, m.settle(ctx))
	}
	return oneLine(all)
}

// Run is Start, and Close when ctx ends, as a controller-runtime manager calls a Runnable.
func (h *Host) Run(ctx context.Context) error {
	if err := h.Start(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return h.Close()
}

// Close ends all plugins and leaves no process, file, socket or goroutine. It waits for them: a
// healthy plugin ends at once, and a plugin that hangs is killed. Calls in flight fail as
// [Unavailable]. Close may be called more than once.
func (h *Host) Close() error {
	h.halt() // so that an Update that waits for a plugin gives up
	h.changing.Lock()
	defer h.changing.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.locked.stop == nil {
		return nil
	}
	h.locked.stop = nil
	for _, m := range h.locked.current.members {
		<-m.done
	}
	h.locked.spawner.close()
	return h.locked.dir.remove()
}

func (h *Host) halt() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.locked.stop != nil {
		h.locked.stop()
	}
}
