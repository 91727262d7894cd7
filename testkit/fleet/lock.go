package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/util/wait"
)

// sweepTimeout is how long a killed fleet's janitor may hold the folder.
const sweepTimeout = 10 * time.Second

// acquire locks a folder, and says whether it made it. The lock belongs to the open lock file: the
// kernel gives it back when the last process that has that open ends or closes it. A lock that
// outlives its owner is waited for: a janitor has it.
func acquire(ctx context.Context, dir string) (lock *os.File, made bool, err error) {
	err = wait.PollUntilContextTimeout(ctx, pollInterval, sweepTimeout, true, func(context.Context) (bool, error) {
		_, err := os.Stat(dir)
		made = errors.Is(err, os.ErrNotExist)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return false, err
		}
		lock, err = tryLock(filepath.Join(dir, lockFile))
		return lock != nil, err
	})
	if err != nil && wait.Interrupted(err) && ctx.Err() == nil {
		err = fmt.Errorf("%s is still being cleared after %s", dir, sweepTimeout)
	}
	return lock, made, err
}

// tryLock returns nil if it makes sense to try again.
func tryLock(path string) (_ *os.File, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, os.ErrNotExist) { // the folder was removed since
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	err = unix.FcntlFlock(file.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
	if err == nil && isAt(file, path) {
		return file, nil
	}
	defer file.Close()
	switch owner := readPID(file); {
	case err == nil: // it was removed before it was locked
		return nil, nil
	case !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EACCES):
		return nil, fmt.Errorf("locking %s: %w", path, err)
	case owner == 0:
		return nil, fmt.Errorf("%s is in use by another fleet", filepath.Dir(path))
	case !ended(owner):
		return nil, fmt.Errorf("%s is in use by the fleet of process %d", filepath.Dir(path), owner)
	}
	return nil, nil
}

func isAt(file *os.File, path string) bool {
	opened, err := file.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(path)
	return err == nil && os.SameFile(opened, now)
}

// Owner returns the id of the process that holds the fleet in a folder, or 0 if there is none.
func Owner(dir string) (int, error) {
	file, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer file.Close()
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(file.Fd(), unix.F_OFD_GETLK, &lock); err != nil {
		return 0, fmt.Errorf("looking at the lock of %s: %w", dir, err)
	}
	if lock.Type == unix.F_UNLCK {
		return 0, nil
	}
	return readPID(file), nil
}

// marked says whether a process has held a fleet under this lock file before.
func marked(file *os.File) (bool, error) {
	info, err := file.Stat()
	return err == nil && info.Size() > 0, err
}

// mark notes this process as the one that holds the fleet.
func mark(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func readPID(file *os.File) int {
	content, _ := io.ReadAll(file)
	pid, _ := strconv.Atoi(strings.TrimSpace(string(content)))
	return pid
}
