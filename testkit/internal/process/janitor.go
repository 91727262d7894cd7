package process

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// Janitor removes files and folders when the parent ends, however it ends. It is a shell that waits
// for the end of a pipe whose other end only the parent holds.
type Janitor struct {
	cmd  *exec.Cmd
	life io.WriteCloser
}

// sweep waits for the end of standard input. The children are dying at the same moment and may
// still write: it tries until all is away. The first argument is a folder that goes only if it is
// empty by then, or "".
const sweep = `cat >/dev/null; folder=$1; shift
for i in 1 2 3 4 5 6 7 8 9 10; do rm -rf -- "$@" && break; sleep 0.2; done
rm -rf -- "$@" || exit
[ -z "$folder" ] || rmdir -- "$folder" 2>/dev/null || :`

// Belongings are what a Janitor removes.
type Belongings struct {
	// Paths are removed with all that they hold. They are absolute and need not exist.
	Paths []string
	// Folder is removed after them unless something else is in it. "" means none.
	Folder string
	// Lock stays open until all is removed: a lock that belongs to the open file lasts until then,
	// even if the parent is killed. nil means none.
	Lock *os.File
}

// NewJanitor starts a janitor for paths, which are absolute and need not exist.
func NewJanitor(paths ...string) (*Janitor, error) { return Belongings{Paths: paths}.Janitor() }

// Janitor starts a janitor for the belongings.
func (b Belongings) Janitor() (*Janitor, error) {
	cmd := exec.Command("/bin/sh", append([]string{"-c", sweep, "janitor", b.Folder}, b.Paths...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Env = []string{"PATH=/usr/bin:/bin"}
	if b.Lock != nil {
		cmd.ExtraFiles = []*os.File{b.Lock}
	}
	life, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("janitor: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the janitor: %w", err)
	}
	return &Janitor{cmd: cmd, life: life}, nil
}

// Close removes the belongings now and waits until they are gone.
func (j *Janitor) Close() error {
	if err := j.life.Close(); err != nil {
		return fmt.Errorf("janitor: %w", err)
	}
	return j.cmd.Wait()
}

// TempDir makes a folder for one owner, with a janitor that removes it when Close is called or this
// process ends.
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
