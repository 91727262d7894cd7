package plugin

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// A State is where a plugin is in its life.
type State string

// The states of a plugin.
const (
	Stopped     State = "Stopped"     // the host does not run
	Starting    State = "Starting"    // being checked, started and configured; calls wait for it
	Ready       State = "Ready"       // answers
	Backoff     State = "Backoff"     // failed, will be started again
	Quarantined State = "Quarantined" // failed too often, waits for another file or a long time
)

// States are all of them, for metrics.
func States() []State { return []State{Stopped, Starting, Ready, Backoff, Quarantined} }

// A keeper keeps one plugin running: it starts the plugin, sees its end, waits and starts it again.
// Its goroutine runs from begin until stop.
type keeper struct {
	entry      Entry
	options    Options
	generation int64 // of the configuration that brought it
	log        *hostLog
	slots      chan struct{} // one a call in flight

	stop context.CancelFunc // set when it is started
	done chan struct{}      // closed when nothing of it is left

	mu     sync.Mutex
	locked lockedState
}

// lockedState is what a call sees of the plugin. It is guarded by keeper.mu.
type lockedState struct {
	state    State
	reason   string          // why the plugin is not Ready, stable
	settled  bool            // has been Ready or failed once
	instance *instance       // set while Ready
	needs    placement.Needs // the last known ones
	version  string          // the last known one
	restarts int
	quiet    bool          // another plugin of its name is the one to be observed
	claim    claim         // on its side-car, which another keeper may be asking as well
	changed  chan struct{} // closed with the next change
}

// A lapse says why a plugin is not running.
type lapse struct {
	cause string // for metrics: "exited", "hung" or "start"
	err   error
}

func newKeeper(entry Entry, options Options, generation int64) *keeper {
	return &keeper{
		entry:      entry,
		options:    options,
		generation: generation,
		log:        newHostLog(options.Logger.WithValues("strategy", entry.Name), options),
		slots:      make(chan struct{}, options.Limits.ConcurrentCall),
		stop:       func() {},
		done:       make(chan struct{}),
		locked:     lockedState{state: Stopped, reason: "the host is not running", changed: make(chan struct{})},
	}
}

// begin runs the plugin until stop is called or ctx ends.
func (k *keeper) begin(ctx context.Context, dir string, spawn func(func() error) error) {
	ctx, k.stop = context.WithCancel(ctx)
	k.set(Starting, "it is starting", nil)
	go func() {
		defer close(k.done)
		k.run(ctx, dir, spawn)
	}()
}

// run starts the plugin again and again until ctx ends, and leaves nothing of it.
func (k *keeper) run(ctx context.Context, dir string, spawn func(func() error) error) {
	defer func() { k.set(Stopped, "the host has stopped it", nil) }()
	past := history{limits: k.options.Limits}
	for {
		k.set(Starting, "it is starting", nil)
		file := filepath.Join(k.options.Dir, k.entry.Path)
		before := stampOf(file)
		lapse := k.live(ctx, &past, dir, spawn)
		if ctx.Err() != nil {
			return
		}
		if !k.rest(ctx, &past, lapse, file, before) {
			return
		}
		k.options.Observer.PluginRestart(k.entry.Name, lapse.cause)
	}
}

// bring returns a running instance; ran says whether a failure was the plugin's own.
func (k *keeper) bring(
	ctx context.Context, dir string, spawn func(func() error) error,
) (_ *instance, ran bool, _ error) {
	if k.entry.Socket != "" {
		running, err := dial{
			entry: k.entry, timeout: k.options.Limits.Start, generation: k.generation, claim: k.view().claim,
		}.run(ctx)
		return running, false, err // who runs a side-car has a back-off of his own
	}
	executable, err := verify(k.options, k.entry)
	if err != nil {
		return nil, false, err
	}
	defer executable.close()
	running, err := launch{
		entry: k.entry, executable: executable, dir: dir, timeout: k.options.Limits.Start, generation: k.generation,
		spawn: spawn, log: k.log,
	}.run(ctx)
	_, early := errors.AsType[notRun](err)
	return running, !early, err
}

// live starts the plugin once and returns why it ended.
func (k *keeper) live(ctx context.Context, past *history, dir string, spawn func(func() error) error) lapse {
	running, ran, err := k.bring(ctx, dir, spawn)
	if err != nil {
		past.ended(ran, k.options.Clock.Now())
		return lapse{cause: "start", err: err}
	}
	defer running.carrier.stop()
	since := k.options.Clock.Now()
	k.set(Ready, "", running)
	end := lapse{cause: "exited"}
	select {
	case <-ctx.Done():
		k.set(Stopped, "the host is stopping it", nil)
		return lapse{}
	case <-running.carrier.gone():
		end.err = running.carrier.end()
	case <-running.hung:
		end.cause, end.err = "hung", errors.New("it did not answer in time")
	}
	now := k.options.Clock.Now()
	past.ran(now.Sub(since))
	past.ended(ran, now)
	k.set(Backoff, reasonOf(end.err), nil)
	return end
}

func ended(status error) error {
	if status == nil {
		return errors.New("it ended by itself")
	}
	return fmt.Errorf("it ended: %w", status)
}

// reasonOf is the error on one line: go-plugin's have several, with advice for terminals.
func reasonOf(err error) string {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return clip(strings.TrimSpace(first))
}

// rest waits until the plugin may be started again; false means that ctx ended first.
func (k *keeper) rest(ctx context.Context, past *history, why lapse, file string, before stamp) bool {
	if past.hopeless() {
		return k.quarantine(ctx, past, why, file, before)
	}
	delay := past.delay(k.options.Jitter())
	k.log.host.Info("Placement plugin is down", "reason", reasonOf(why.err), "retryAfter", delay.String())
	k.set(Backoff, reasonOf(why.err), nil)
	select {
	case <-ctx.Done():
		return false
	case <-k.options.Clock.After(delay):
		return true
	}
}

// quarantine leaves the plugin alone until another file is in its place, or for a term, after which
// it gets one try. It returns what rest returns.
func (k *keeper) quarantine(ctx context.Context, past *history, why lapse, file string, before stamp) bool {
	term := past.term()
	k.log.host.Error(errors.New(reasonOf(why.err)), "Quarantined placement plugin", "retryAfter", term.String())
	k.set(Quarantined, fmt.Sprintf(
		"it failed too often, and is tried again after %s or with another file; the last time: %s",
		term, reasonOf(why.err)), nil)
	if k.awaitOtherFile(ctx, term, file, before) {
		past.forget()
	} else {
		past.probe()
	}
	return ctx.Err() == nil
}

// awaitOtherFile waits until another executable is in the plugin's place, for the term at most, and
// reports whether there is one. A file of which only the time changed is the same.
func (k *keeper) awaitOtherFile(ctx context.Context, term time.Duration, file string, known stamp) bool {
	digest, _ := Digest(file)
	if stampOf(file) != known { // replaced between the last start and now
		return true
	}
	for end := k.options.Clock.Now().Add(term); ; {
		left := end.Sub(k.options.Clock.Now())
		if left <= 0 {
			return false
		}
		select {
		case <-ctx.Done():
			return false
		case <-k.options.Clock.After(min(left, k.options.Limits.Recheck)):
		}
		stamp := stampOf(file)
		if stamp == known {
			continue
		}
		known = stamp
		if now, _ := Digest(file); now != digest {
			return true
		}
	}
}

// set changes what a call sees of the plugin.
func (k *keeper) set(state State, reason string, running *instance) {
	k.mu.Lock()
	defer k.mu.Unlock()
	before := k.locked.state
	k.locked.state, k.locked.reason, k.locked.instance = state, reason, running
	if running != nil {
		k.locked.needs, k.locked.version = running.needs, running.version
	}
	if state == Starting && k.locked.settled {
		k.locked.restarts++
	}
	if state != Starting {
		k.locked.settled = true
	}
	close(k.locked.changed)
	k.locked.changed = make(chan struct{})
	if state == before {
		return
	}
	if !k.locked.quiet {
		k.options.Observer.PluginState(k.entry.Name, state)
	}
	if state == Ready {
		k.log.host.Info("Placement plugin is ready", "version", running.version)
	}
}

// quiet keeps the plugin's states from the observer, or lets them through again, beginning with the
// one there is.
func (k *keeper) quiet(quiet bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.locked.quiet && !quiet {
		k.options.Observer.PluginState(k.entry.Name, k.locked.state)
	}
	k.locked.quiet = quiet
}

// view is a copy of what calls see.
func (k *keeper) view() lockedState {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.locked
}

// running returns the instance to ask. If the plugin is starting it waits for it until ctx ends.
func (k *keeper) running(ctx context.Context) (*instance, error) {
	for {
		now := k.view()
		if now.instance != nil {
			return now.instance, nil
		}
		if now.state != Starting {
			return nil, k.unavailable(now.reason, nil)
		}
		select {
		case <-now.changed:
		case <-ctx.Done():
			return nil, k.unavailable(now.reason, ctx.Err())
		}
	}
}

// settle waits until the plugin has been Ready or has failed once, and returns why it is not Ready.
func (k *keeper) settle(ctx context.Context) error {
	for {
		now := k.view()
		switch {
		case now.instance != nil:
			return nil
		case now.settled && now.state != Starting:
			return k.unavailable(now.reason, nil)
		}
		select {
		case <-now.changed:
		case <-ctx.Done():
			return k.unavailable(now.reason, context.Cause(ctx))
		}
	}
}

func (k *keeper) unavailable(reason string, cause error) error {
	return Unavailable{Name: k.entry.Name, Reason: reason, Cause: cause}
}

// overdue reports whether a call that ran out of time counts towards a hang. A call that spent its
// time waiting for a slot does not.
func (k *keeper) overdue(took time.Duration) bool { return took >= k.callTimeout()/2 }

// called tells the observer of a question that began at start.
func (k *keeper) called(result string, start time.Time) {
	k.options.Observer.PluginCall(k.entry.Name, result, k.options.Clock.Now().Sub(start))
}

// callTimeout bounds one question.
func (k *keeper) callTimeout() time.Duration {
	if k.entry.Timeout > 0 {
		return time.Duration(k.entry.Timeout)
	}
	return k.options.Limits.Call
}
