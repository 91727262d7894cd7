package process

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// Janitor removes files and folders when the parent ends, however it ends. It is a shell that waits for the end of a pipe whose other
// end only the parent holds.
type Janitor struct {
	cmd  *exec.Cmd
	life io.WriteCloser
}

// sweep waits for the end of standard input. The children are dying at the same moment and may still write: it tries until all is away.
const sweep = `cat >/dev/null; for i in 1 2 3 4 5 6 7 8 9 10; do rm -rf -- "$@" && break; sleep 0.2; done`

// NewJanitor starts a janitor for paths, which are absolute and need not exist.
func NewJanitor(paths ...string) (*Janitor, error) {
	cmd := exec.Command("/bin/sh", append([]string{"-c", sweep, "janitor"}, paths...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Env = []string{"PATH=/usr/bin:/bin"}
	life, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("janitor: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the janitor: %w", err)
	}
	return &Janitor{cmd: cmd, life: life}, nil
}

// Close removes the paths now and waits until they are gone.
func (j *Janitor) Close() error {
	if err := j.life.Close(); err != nil {
		return fmt.Errorf("janitor: %w", err)
	}
	return j.cmd.Wait()
}

// TempDir makes a folder for one owner, with a janitor that removes it when Close is called or this process ends.
func TempDir(pattern string) (string, *Janitor, error) {
	dir, err := os.MkdirTemp("", pattern)
	if err != nil {
		return "", nil, err
	}
	j, err := NewJanitor(dir)
	if err != nil {
		_ = os.RemoveAll(dir)
		return "", nil, err
	}
	return dir, j, nil
}
