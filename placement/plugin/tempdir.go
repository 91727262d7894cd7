package plugin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// hostDirPrefix begins the names of hosts' folders for sockets.
const hostDirPrefix = "placement-host-"

// A tempDir is a host's own folder. It is locked as long as the host lives, so that the next one
// can tell the folder of a host that was killed from that of one that runs beside it.
type tempDir struct {
	path string
	lock *os.File
}

// newTempDir makes the folder and removes those that killed hosts have left.
func newTempDir(parent string) (*tempDir, error) {
	if parent == "" {
		parent = os.TempDir()
	}
	removeLeftovers(parent)
	unlocked, err := os.MkdirTemp(parent, "placement-new-")
	if err != nil {
		return nil, fmt.Errorf("folder for sockets: %w", err)
	}
	dir, err := lockedDir(
		unlocked, filepath.Join(parent, hostDirPrefix+strings.TrimPrefix(filepath.Base(unlocked), "placement-new-")),
	)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("folder for sockets: %w", err), os.RemoveAll(unlocked))
	}
	return dir, nil
}

// lockedDir locks a folder before it gets the name under which others look for leftovers.
func lockedDir(unlocked, path string) (*tempDir, error) {
	lock, err := os.OpenFile(filepath.Join(unlocked, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	locked := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err := errors.Join(locked, os.Rename(unlocked, path)); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &tempDir{path: path, lock: lock}, nil
}

func removeLeftovers(parent string) {
	leftovers, _ := filepath.Glob(filepath.Join(parent, hostDirPrefix+"*"))
	for _, path := range leftovers {
		lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_RDWR, 0)
		if err != nil {
			continue // somebody else's, or just being removed
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(path)
		}
		_ = lock.Close()
	}
}

// child is the path of a folder for the i-th plugin. It is short: a socket's path has some 100
// bytes.
func (d *tempDir) child(i int) string { return filepath.Join(d.path, fmt.Sprint(i)) }

func (d *tempDir) remove() error { return errors.Join(os.RemoveAll(d.path), d.lock.Close()) }
