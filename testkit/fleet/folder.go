package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/vitistack/kubevirt-multicluster/testkit/internal/process"
)

// Files of a fleet's folder.
const (
	lockFile = "fleet.lock" // locked by, and with the id of, the process that holds the fleet
	// RecordFile says how to speak with a fleet that was started from the command line, LogFile is its
	// log once it runs detached.
	RecordFile = "fleet.json"
	LogFile    = "fleet.log"
)

// folder is where a fleet keeps everything. One fleet has it at a time. What the fleet may have put
// there goes when the fleet ends, however it ends; what is somebody else's stays.
type folder struct {
	path    string
	lock    *os.File
	janitor *process.Janitor
}

// openFolder takes path, which is made if absent; "" is a temporary folder.
func openFolder(ctx context.Context, path string) (*folder, error) {
	if path == "" {
		path, janitor, err := process.TempDir("fleet-")
		return &folder{path: path, janitor: janitor}, err
	}
	lock, made, err := acquire(ctx, path)
	if err != nil {
		return nil, err
	}
	f := &folder{path: path, lock: lock}
	if err := f.take(made); err != nil {
		return nil, errors.Join(err, f.giveUp(made))
	}
	return f, nil
}

// take makes the locked folder this fleet's: from then on a janitor watches over it.
func (f *folder) take(made bool) error {
	crashed, err := marked(f.lock)
	if err != nil {
		return err
	}
	if err := f.clear(crashed); err != nil {
		return err
	}
	belongings := process.Belongings{Paths: append(f.files(), f.file(lockFile)), Lock: f.lock}
	if made {
		belongings.Folder = f.path
	}
	if f.janitor, err = belongings.Janitor(); err != nil {
		return err
	}
	return mark(f.lock)
}

// clear removes what a fleet left here that ended together with its janitor, as in a power cut.
// Without one, nothing may be in the way.
func (f *folder) clear(crashed bool) error {
	for _, path := range f.files() {
		if crashed {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%s is in the way: a fleet keeps its own there, and removes it in the end", path)
		}
	}
	return nil
}

// giveUp gives back a folder that was locked and could not be taken.
func (f *folder) giveUp(made bool) error {
	if f.janitor != nil {
		return f.close()
	}
	err := errors.Join(os.Remove(f.file(lockFile)), f.lock.Close())
	if made {
		err = errors.Join(err, os.Remove(f.path))
	}
	return err
}

// files are the paths of all files and folders that a fleet of any size may put here, but for the
// lock.
func (f *folder) files() []string {
	paths := []string{f.file(RecordFile), f.file(LogFile), f.operatorKubeconfig(), f.clusters()}
	for _, name := range (Options{Remotes: maxRemotes}).names() {
		paths = append(paths, f.kubeconfig(name), f.auditLog(name))
	}
	return paths
}

// write replaces a file in one step, readable by the owner alone.
func (f *folder) write(path string, content []byte) error {
	next := filepath.Join(f.clusters(), filepath.Base(path))
	if err := os.MkdirAll(f.clusters(), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(next, content, 0o600); err != nil {
		return err
	}
	return os.Rename(next, path)
}

// free returns the room on the folder's disk, in bytes.
func (f *folder) free() (uint64, error) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(f.path, &disk); err != nil {
		return 0, fmt.Errorf("room in %s: %w", f.path, err)
	}
	return disk.Bavail * uint64(disk.Bsize), nil
}

func (f *folder) file(name string) string { return filepath.Join(f.path, name) }

func (f *folder) kubeconfig(cluster string) string { return f.file(cluster + ".kubeconfig") }

func (f *folder) operatorKubeconfig() string { return f.file("operator.kubeconfig") }

func (f *folder) auditLog(cluster string) string { return f.file(cluster + ".audit.log") }

// clusters is the folder with a folder for each cluster.
func (f *folder) clusters() string { return f.file("clusters") }

// close removes what the fleet put into the folder and gives it free. It can be called twice.
func (f *folder) close() error {
	var errs []error
	if f.janitor != nil {
		errs = append(errs, f.janitor.Close())
		f.janitor = nil
	}
	if f.lock != nil {
		errs = append(errs, f.lock.Close())
		f.lock = nil
	}
	return errors.Join(errs...)
}
