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
	Quarantined State = "Quarantined" // failed too often, waits for another file
)

// States are all of them, for metrics.
func States() []State { return []State{Stopped, Starting, Ready, Backoff, Quarantined} }

// A supervisor keeps one plugin running.
type supervisor struct {
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

// lockedState is what calls see. It is guarded by supervisor.mu.
type lockedState struct {
	state    State
	reason   string          // why the plugin is not Ready, stable
	settled  bool            // has been Ready or failed once
	instance *instance       // set while Ready
	needs    placement.Needs // the last known ones
	version  string          // the last known one
	restarts int
	quiet    bool          // another plugin of its name is the one to be observed
	changed  chan struct{} // closed with the next change
}

// A lapse is why a plugin is not running.
type lapse struct {
	cause string // for metrics: "exited", "hung" or "start"
	err   error
}

func newSupervisor(entry Entry, options Options, generation int64) *supervisor {
	return &supervisor{
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
func (s *supervisor) begin(ctx context.Context, dir string, spawn func(func() error) error) {
	ctx, s.stop = context.WithCancel(ctx)
	s.set(Starting, "it is starting", nil)
	go func() {
		defer close(s.done)
		s.run(ctx, dir, spawn)
	}()
}

// run starts the plugin again and again until ctx ends, and leaves nothing of it.
func (s *supervisor) run(ctx context.Context, dir string, spawn func(func() error) error) {
	defer func() { s.set(Stopped, "the host has stopped it", nil) }()
	past := history{limits: s.options.Limits}
	for {
		s.set(Starting, "it is starting", nil)
		file := filepath.Join(s.options.Dir, s.entry.Path)
		before := stampOf(file)
		lapse := s.live(ctx, &past, dir, spawn)
		if ctx.Err() != nil {
			return
		}
		if !s.rest(ctx, &past, lapse, file, before) {
			return
		}
		s.options.Observer.PluginRestart(s.entry.Name, lapse.cause)
	}
}

// bring returns a running instance; ran says whether a failure was the plugin's own.
func (s *supervisor) bring(
	ctx context.Context, dir string, spawn func(func() error) error,
) (_ *instance, ran bool, _ error) {
	if s.entry.Socket != "" {
		running, err := dial{entry: s.entry, timeout: s.options.Limits.Start, generation: s.generation}.run(ctx)
		return running, false, err // who runs a side-car has a back-off of his own
	}
	executable, err := verify(s.options, s.entry)
	if err != nil {
		return nil, false, err
	}
	running, err := launch{
		entry: s.entry, executable: executable, dir: dir, timeout: s.options.Limits.Start, generation: s.generation,
		spawn: spawn, log: s.log,
	}.run(ctx)
	return running, true, err
}

// live is one life of the plugin; it returns why that ended.
func (s *supervisor) live(ctx context.Context, past *history, dir string, spawn func(func() error) error) lapse {
	running, ran, err := s.bring(ctx, dir, spawn)
	if err != nil {
		past.ended(ran, s.options.Clock.Now())
		return lapse{cause: "start", err: err}
	}
	defer running.carrier.stop()
	since := s.options.Clock.Now()
	s.set(Ready, "", running)
	end := lapse{cause: "exited"}
	select {
	case <-ctx.Done():
		s.set(Stopped, "the host is stopping it", nil)
		return lapse{}
	case <-running.carrier.gone():
		end.err = running.carrier.end()
	case <-running.hung:
		end.cause, end.err = "hung", errors.New("it did not answer in time")
	}
	now := s.options.Clock.Now()
	past.ran(now.Sub(since))
	past.ended(ran, now)
	s.set(Backoff, reasonOf(end.err), nil)
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

// verify returns the executable to run, if it is where and what it must be.
func verify(options Options, entry Entry) (string, error) {
	if entry.SHA256 == "" && !options.AllowUnpinned {
		return "", fmt.Errorf("no sha256 is given for executable %s", entry.Path)
	}
	executable, err := resolve(options.Dir, entry.Path)
	if err != nil {
		return "", err
	}
	secure, err := pinned(entry.SHA256)
	if err != nil || secure == nil {
		return executable, err
	}
	if same, err := secure.Check(executable); err != nil {
		return "", fmt.Errorf("reading %s: %w", entry.Path, err)
	} else if !same {
		return "", fmt.Errorf("executable %s is not the one with the pinned sha256", entry.Path)
	}
	return executable, nil
}

// rest waits until the plugin may be started again; false means that ctx ended first.
func (s *supervisor) rest(ctx context.Context, past *history, why lapse, file string, before stamp) bool {
	if past.hopeless() {
		s.set(Quarantined, "it failed too often; the last time: "+reasonOf(why.err), nil)
		s.log.host.Error(why.err, "Quarantined placement plugin")
		defer past.forget()
		return s.awaitOtherFile(ctx, file, before)
	}
	delay := past.delay(s.options.Jitter())
	s.set(Backoff, reasonOf(why.err), nil)
	s.log.host.Info("Placement plugin is down", "reason", reasonOf(why.err), "retryAfter", delay.String())
	select {
	case <-ctx.Done():
		return false
	case <-s.options.Clock.After(delay):
		return true
	}
}

// awaitOtherFile returns when another executable stands in the plugin's place. A file that was only
// touched is the same.
func (s *supervisor) awaitOtherFile(ctx context.Context, file string, known stamp) bool {
	digest, _ := Digest(file)
	if stampOf(file) != known { // replaced between the last start and now
		return ctx.Err() == nil
	}
	for {
		select {
		case <-ctx.Done():
			return false
		case <-s.options.Clock.After(s.options.Limits.Recheck):
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

// set changes what calls see.
func (s *supervisor) set(state State, reason string, running *instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.locked.state
	s.locked.state, s.locked.reason, s.locked.instance = state, reason, running
	if running != nil {
		s.locked.needs, s.locked.version = running.needs, running.version
	}
	if state == Starting && s.locked.settled {
		s.locked.restarts++
	}
	if state != Starting {
		s.locked.settled = true
	}
	close(s.locked.changed)
	s.locked.changed = make(chan struct{})
	if state == before {
		return
	}
	if !s.locked.quiet {
		s.options.Observer.PluginState(s.entry.Name, state)
	}
	if state == Ready {
		s.log.host.Info("Placement plugin is ready", "version", running.version)
	}
}

// quiet keeps the plugin's states from the observer, or lets them through again, beginning with the
// one there is.
func (s *supervisor) quiet(quiet bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locked.quiet && !quiet {
		s.options.Observer.PluginState(s.entry.Name, s.locked.state)
	}
	s.locked.quiet = quiet
}

// view is a copy of what calls see.
func (s *supervisor) view() lockedState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.locked
}

// running returns the instance to ask. It waits for one that is starting, until ctx ends.
func (s *supervisor) running(ctx context.Context) (*instance, error) {
	for {
		now := s.view()
		if now.instance != nil {
			return now.instance, nil
		}
		if now.state != Starting {
			return nil, s.unavailable(now.reason, nil)
		}
		select {
		case <-now.changed:
		case <-ctx.Done():
			return nil, s.unavailable(now.reason, ctx.Err())
		}
	}
}

// settle waits until the plugin has been Ready or has failed once, and returns why it is not Ready.
func (s *supervisor) settle(ctx context.Context) error {
	for {
		now := s.view()
		switch {
		case now.instance != nil:
			return nil
		case now.settled && now.state != Starting:
			return s.unavailable(now.reason, nil)
		}
		select {
		case <-now.changed:
		case <-ctx.Done():
			return s.unavailable(now.reason, context.Cause(ctx))
		}
	}
}

func (s *supervisor) unavailable(reason string, cause error) error {
	return Unavailable{Name: s.entry.Name, Reason: reason, Cause: cause}
}

// overdue is when a call counts towards a hang: not when it spent its time waiting for a slot.
func (s *supervisor) overdue(took time.Duration) bool { return took >= s.callTimeout()/2 }

// callTimeout bounds one question.
func (s *supervisor) callTimeout() time.Duration {
	if s.entry.Timeout > 0 {
		return s.entry.Timeout
	}
	return s.options.Limits.Call
}
