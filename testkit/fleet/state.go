package fleet

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
)

// State says whether a cluster runs.
type State string

// The states of a cluster.
const (
	Starting State = "starting"
	Running  State = "running"
	Frozen   State = "frozen" // connections stay open and nothing answers
	Killed   State = "killed" // nothing listens; the data is kept
	// a server of the control plane has ended by itself; its log says why, and Kill and Launch bring
	// it back
	Broken  State = "broken"
	Stopped State = "stopped" // the fleet has ended
)

// lockedState is a State that can be read while a change is under way.
type lockedState struct {
	mu  sync.Mutex
	now State
}

func (l *lockedState) get() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

func (l *lockedState) set(state State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = state
}

// State returns whether the cluster runs. It does not wait for a change that is under way.
func (c *Cluster) State() State {
	state := c.state.get()
	if state == Running && slices.ContainsFunc(c.ControlPlane.PIDs(), ended) {
		return Broken
	}
	return state
}

func ended(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH)
	}
	// After the name, which is in brackets and may hold anything, comes the state; Z waits for a
	// parent that may never ask.
	_, after, found := bytes.Cut(stat[bytes.LastIndexByte(stat, ')'):], []byte(") "))
	return found && bytes.HasPrefix(after, []byte("Z"))
}
