package plugin

import (
	"context"
	"errors"
	"time"
)

// A claim says what a keeper may do with its side-car.
type claim int

const (
	owns     claim = iota // configures it and asks it
	proposes              // has it check a configuration that may be used later
	yields                // leaves it to the keeper of another configuration
)

var errYields = errors.New("its side-car has been given another configuration")

// sharedSidecars are the side-cars that two configurations ask, under different entries. One
// process has one configuration at a time, so that it must pass from the one to the other at one
// moment: not before all else is ready, and not while a question is being answered.
type sharedSidecars []*sharedSidecar

// A sharedSidecar has a keeper in each of the two configurations.
type sharedSidecar struct {
	before, next *keeper
	held         int  // slots of before that are taken, so that no question is on its way
	given        bool // it was told to use the next configuration
	away         bool // before was not connected then, and may have configured it after
}

// shared are the side-cars that the configuration has in common with others.
func (c *configuration) shared(others []*keeper) sharedSidecars {
	var all sharedSidecars
	for _, m := range c.members {
		for _, o := range others {
			if o.entry.Socket != "" && o.entry.Socket == m.entry.Socket {
				all = append(all, &sharedSidecar{before: m.keeper, next: o})
			}
		}
	}
	return all
}

// handOver has the side-cars use the next configuration. Questions of the current one wait
// meanwhile. After an error takeBack must be called, else let.
func (all sharedSidecars) handOver(ctx context.Context, limits Limits) error {
	for _, s := range all {
		if err := s.handOver(ctx, limits); err != nil {
			return err
		}
	}
	return nil
}

func (s *sharedSidecar) handOver(ctx context.Context, limits Limits) error {
	s.hold(ctx, limits.Drain)
	s.before.claims(yields)
	s.next.claims(owns)
	s.given, s.away = true, s.before.view().instance == nil
	return s.next.configure(ctx)
}

// takeBack has the side-cars use the current configuration again. The keepers of the next one have
// ended.
func (all sharedSidecars) takeBack(ctx context.Context) {
	ctx = context.WithoutCancel(ctx) // an Update that was given up must leave all as it was
	for _, s := range all {
		s.before.claims(owns)
		if s.given {
			s.before.configureOrReconnect(ctx)
		}
		s.release()
	}
}

// let ends the wait of questions. Those of the configuration before are too late for their answer.
func (all sharedSidecars) let() {
	for _, s := range all {
		s.release()
	}
}

// confirm configures side-cars again that the keeper before may have configured as its last act.
func (all sharedSidecars) confirm(ctx context.Context) {
	for _, s := range all {
		if s.away {
			s.next.configureOrReconnect(ctx)
		}
	}
}

// hold takes the slots of the keeper before, so that its questions wait. A question that takes
// longer than the limit is not waited for.
func (s *sharedSidecar) hold(ctx context.Context, limit time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for range cap(s.before.slots) {
		select {
		case s.before.slots <- struct{}{}:
			s.held++
		case <-ctx.Done():
			return
		}
	}
}

func (s *sharedSidecar) release() {
	for ; s.held > 0; s.held-- {
		<-s.before.slots
	}
}

func (k *keeper) claims(c claim) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.locked.claim = c
}

// configure hands the entry's configuration over once more. Its error is [Unavailable].
func (k *keeper) configure(ctx context.Context) error {
	now := k.view()
	if now.instance == nil {
		return k.unavailable(now.reason, nil)
	}
	ctx, cancel := context.WithTimeout(ctx, k.options.Limits.Start)
	defer cancel()
	if err := now.instance.configure(ctx, k.entry, k.generation); err != nil {
		return k.unavailable(reasonOf(err), err)
	}
	return nil
}

// configureOrReconnect also has the side-car connected anew where it cannot be configured, so that
// the keeper tries again.
func (k *keeper) configureOrReconnect(ctx context.Context) {
	running := k.view().instance
	if running != nil && k.configure(ctx) != nil {
		running.carrier.stop()
	}
}
