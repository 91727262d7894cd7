package kubevirt

import (
	"errors"
	"sync"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/internal/process"
)

// restartDelay is how long a program that ended by itself stays down, as a container would.
const restartDelay = time.Second

// program keeps one of KubeVirt's programs running: they end themselves, and expect to be started
// again, where they cannot reach their API server for long.
type program struct {
	spec process.Spec
	quit chan struct{}
	done chan struct{}

	mu      sync.Mutex
	current *process.Process
	ended   error // how the one before ended, if there was one
	quitted bool
}

// startProgram starts a program and keeps it running until end.
func startProgram(spec process.Spec) (*program, error) {
	first, err := process.Start(spec)
	if err != nil {
		return nil, err
	}
	p := &program{spec: spec, quit: make(chan struct{}), done: make(chan struct{}), current: first}
	go p.keep(first)
	return p, nil
}

// keep starts the program again whenever it ended.
func (p *program) keep(current *process.Process) {
	defer close(p.done)
	for {
		<-current.Done()
		next, err := p.restart()
		if errors.Is(err, errQuit) {
			return
		}
		if err == nil {
			current = next
		}
	}
}

// errQuit is why a program is not started again.
var errQuit = errors.New("the program is to stay down")

// restart starts the program after a while, or returns errQuit.
func (p *program) restart() (*process.Process, error) {
	select {
	case <-p.quit:
		return nil, errQuit
	case <-time.After(restartDelay):
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quitted {
		return nil, errQuit
	}
	if ended := p.current.Exited(); ended != nil {
		p.ended = ended
	}
	next, err := process.Start(p.spec)
	if err == nil {
		p.current = next
	}
	return next, err
}

// end kills the program for good. It can be called twice.
func (p *program) end() error {
	p.mu.Lock()
	if !p.quitted {
		p.quitted = true
		close(p.quit)
	}
	current := p.current
	p.mu.Unlock()
	err := current.Kill()
	<-p.done
	return err
}

// process returns the process that runs now, or ran last.
func (p *program) process() *process.Process {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current
}

// lastEnd returns how the program ended when it last did so, or nil if it has run ever since it was
// started. A program that ends again and again is up at times.
func (p *program) lastEnd() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ended := p.current.Exited(); ended != nil {
		return ended
	}
	return p.ended
}

// programs are all of a stack's.
type programs []*program

func (p programs) end() error {
	return p.each((*program).end)
}

func (p programs) each(do func(*program) error) error {
	var errs []error
	for _, one := range p {
		errs = append(errs, do(one))
	}
	return errors.Join(errs...)
}

// lastEnds returns how those of the programs ended that did.
func (p programs) lastEnds() error { return p.each((*program).lastEnd) }

func (p programs) pids() []int {
	var pids []int
	for _, one := range p {
		pids = append(pids, one.process().PID())
	}
	return pids
}
