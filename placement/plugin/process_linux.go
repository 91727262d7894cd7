package plugin

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// sysProcAttr puts the process into a group of its own and has the kernel kill it when the thread
// that started it dies, which even a stopped process cannot escape. The host starts processes on a
// thread that lives as long as the host.
func sysProcAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// reap waits for the end of the process, ends its children and only then lets it go: until then the
// number of its group cannot be given to another.
func (p *process) reap() error {
	for errors.Is(unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	killGroup(p.pid)
	p.reaped = true
	return p.cmd.Wait()
}

// killGroup kills the process and all that it has started and that has not left its group.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
