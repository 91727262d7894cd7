//go:build unix && !linux

package plugin

import (
	"os/exec"
	"syscall"
)

// sysProcAttr puts the process into a group of its own. Elsewhere than on Linux only the life-line
// ends a plugin whose host was killed.
func sysProcAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// command runs the file by its path. There is no portable way to run a file that is open: only the
// owners that were checked can have replaced it.
func (e *executable) command(_ string, args []string) (*exec.Cmd, error) {
	return exec.Command(e.path, args...), nil
}

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
