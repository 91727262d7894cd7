package kubevirt

import (
	"sync"

	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/agent"
)

// parts are what runs of a stack.
type parts struct {
	programs
	agent *agent.Agent
	log   *logFile
}

func (p parts) end() error {
	if p.agent != nil {
		p.agent.Stop()
		p.log.close()
	}
	return p.programs.end()
}

func (p parts) freeze() error {
	if p.agent != nil {
		p.agent.Freeze()
	}
	return p.each(func(one *program) error { return one.process().Freeze() })
}

func (p parts) thaw() error {
	err := p.each(func(one *program) error { return one.process().Thaw() })
	if p.agent != nil {
		p.agent.Thaw()
	}
	return err
}

// lockedParts hold the parts that run now. The lock is not held while one is waited for.
type lockedParts struct {
	mu  sync.Mutex
	now parts
}

func (l *lockedParts) get() parts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

// change changes the parts. What get returned before stays as it was.
func (l *lockedParts) change(change func(now *parts)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.now)
}

func (l *lockedParts) take() parts {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.now
	l.now = parts{}
	return p
}
