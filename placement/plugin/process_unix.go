//go:build unix && !linux

package plugin

import "syscall"

// sysProcAttr puts the process into a group of its own. Elsewhere than on Linux only the life-line
// ends a plugin whose host was killed.
func sysProcAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// reap waits for the end of the process. There is no portable way to end its children before its
// number is free.
func (p *process) reap() error {
	err := p.cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaped = true
	return err
}

// killGroup kills the process and all that it has started and that has not left its group.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
