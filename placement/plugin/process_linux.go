package plugin

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// sysProcAttr puts the process into a group of its own and has the kernel kill it when the thread
// that started it dies, which even a stopped process cannot escape. The host starts processes on a
// thread that lives as long as the host.
func sysProcAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// command runs the file that is open, by a link in the folder: the kernel shows the link's name as
// that of the process. A script is opened once more by its interpreter, which therefore inherits
// the file.
func (e *executable) command(dir string, args []string) (*exec.Cmd, error) {
	cmd := exec.Command(e.path, args...)
	descriptor := int(e.file.Fd())
	if e.isScript() {
		cmd.ExtraFiles = []*os.File{e.file}
		descriptor = firstExtraFile
	}
	cmd.Path = filepath.Join(dir, filepath.Base(e.path))
	if err := os.Symlink(fmt.Sprintf("/proc/self/fd/%d", descriptor), cmd.Path); err != nil {
		return nil, fmt.Errorf("link to the executable: %w", err)
	}
	return cmd, nil
}

// firstExtraFile is the number that exec.Cmd gives the first of ExtraFiles.
const firstExtraFile = 3

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
