package chaos

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/operator"
)

// keeper keeps an operator running, as a Deployment does: where it ends, it is started again. Its
// methods are safe for concurrent use.
type keeper struct {
	start         func() (*operator.Process, error)
	ending, ended chan struct{}
	frozen        atomic.Bool

	mu   sync.Mutex
	now  *operator.Process
	down time.Duration // how long it stays down the next time
	err  error
}

// shortest is how long an operator is down at least.
const shortest = 200 * time.Millisecond

// keep starts an operator and keeps it.
func keep(start func() (*operator.Process, error)) (*keeper, error) {
	k := &keeper{start: start, ending: make(chan struct{}), ended: make(chan struct{})}
	var err error
	if k.now, err = start(); err != nil {
		return nil, err
	}
	go k.run()
	return k, nil
}

func (k *keeper) run() {
	defer close(k.ended)
	for {
		select {
		case <-k.process().Done():
		case <-k.ending:
			return
		}
		timer := time.NewTimer(k.pause())
		select {
		case <-timer.C:
		case <-k.ending:
			timer.Stop()
			return
		}
		next, err := k.start()
		if err != nil {
			k.mu.Lock()
			k.err = err
			k.mu.Unlock()
			return
		}
		k.mu.Lock()
		k.now = next
		k.mu.Unlock()
	}
}

// pause is how long the operator stays down now.
func (k *keeper) pause() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	down := max(shortest, k.down)
	k.down = 0
	return down
}

// process is the one that runs, or that ran last.
func (k *keeper) process() *operator.Process {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}

// running reports whether there is an operator that can act.
func (k *keeper) running() bool {
	select {
	case <-k.process().Done():
		return false
	default:
		return !k.frozen.Load()
	}
}

// freeze stops the operator from running, and thaw lets it go on.
func (k *keeper) freeze() error {
	k.frozen.Store(true)
	return k.process().Freeze()
}

func (k *keeper) thaw() error {
	k.frozen.Store(false)
	return k.process().Thaw()
}

// kill ends the operator without a warning; it is started again after a time.
func (k *keeper) kill(down time.Duration) error {
	k.mu.Lock()
	k.down = down
	k.mu.Unlock()
	return k.process().Kill()
}

// end ends the operator for good, and returns why it could not be kept.
func (k *keeper) end() error {
	close(k.ending)
	<-k.ended
	now := k.process()
	return errors.Join(now.Kill(), k.err)
}
