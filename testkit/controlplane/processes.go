package controlplane

import (
	"errors"
	"slices"
	"sync"

	"github.com/vitistack/kubevirt-multicluster/testkit/internal/process"
)

// lockedProcesses are the servers of a cluster that were started, in that order. The lock is not
// held while one is waited for.
type lockedProcesses struct {
	mu  sync.Mutex
	all []*process.Process
}

func (l *lockedProcesses) add(p *process.Process) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, p)
}

func (l *lockedProcesses) list() []*process.Process {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

// exited returns the error of the first process that has ended by itself.
func (l *lockedProcesses) exited() error {
	return l.each((*process.Process).Exited)
}

func (l *lockedProcesses) each(do func(*process.Process) error) error {
	for _, p := range l.list() {
		if err := do(p); err != nil {
			return err
		}
	}
	return nil
}

// drain takes the processes out and ends them, the last one first.
func (l *lockedProcesses) drain(end func(*process.Process) error) error {
	l.mu.Lock()
	all := l.all
	l.all = nil
	l.mu.Unlock()
	var errs []error
	for _, p := range slices.Backward(all) {
		errs = append(errs, end(p))
	}
	return errors.Join(errs...)
}

func (l *lockedProcesses) pids() []int {
	var pids []int
	for _, p := range l.list() {
		pids = append(pids, p.PID())
	}
	return pids
}
