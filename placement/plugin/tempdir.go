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

// A tempDir is a host's own folder. It is locked as long as the host lives. By the lock the next
// host tells the folder of a killed host, which it removes, from the folder of a host that runs
// beside it.
type tempDir struct {
	path string
	lock *os.File
}

// newTempDir makes the folder and removes the folders that killed hosts have left.
func newTempDir(parent string) (*tempDir, error) {
	if parent == "" {
		parent = os.TempDir()
	}
	parent, err := filepath.Abs(parent) // a plugin has another working directory
	if err != nil {
		return nil, fmt.Errorf("folder for sockets: %w", err)
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
	lock, err := os.OpenFile(filepath.Join(unlocked, "lock"), os.O_CREATE|os.O_EXCL|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	locked := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err := errors.Join(locked, os.Rename(unlocked, path)); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &tempDir{path: path, lock: lock}, nil
}

// removeLeftovers removes the folders that killed hosts of this user have left. In a folder such as
// /tmp other users can put links in their place, which lead to files that only this user may open.
func removeLeftovers(parent string) {
	leftovers, _ := filepath.Glob(filepath.Join(parent, hostDirPrefix+"*"))
	for _, path := range leftovers {
		if !isOwnFolder(path) {
			continue
		}
		lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
		if err != nil {
			continue // a link, or just being removed
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(path)
		}
		_ = lock.Close()
	}
}

// isOwnFolder reports whether the path is a folder of this user, and no link to one.
func isOwnFolder(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// child is the path of a folder for the i-th plugin. It is short: a socket's path has some 100
// bytes.
func (d *tempDir) child(i int) string { return filepath.Join(d.path, fmt.Sprint(i)) }

func (d *tempDir) remove() error { return errors.Join(os.RemoveAll(d.path), d.lock.Close()) }
