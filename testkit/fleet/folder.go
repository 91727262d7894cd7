package fleet

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/vitistack/kubevirt-multicluster/testkit/internal/process"
)

// Files of a fleet's folder.
const (
	lockFile = "fleet.lock" // locked by, and with the id of, the process that holds the fleet
	// RecordFile says how to speak with a fleet that was started from the command line, LogFile is its log once it runs detached.
	RecordFile = "fleet.json"
	LogFile    = "fleet.log"
)

// folder is where a fleet keeps everything. One fleet has it at a time. What the fleet may have put there goes when the fleet ends, however
// it ends; what was there before stays.
type folder struct {
	path    string
	lock    *os.File
	janitor *process.Janitor
}

// openFolder takes path, which is made if absent; "" is a temporary folder.
func openFolder(path string, clusters []string) (_ *folder, err error) {
	if path == "" {
		path, janitor, err := process.TempDir("fleet-")
		return &folder{path: path, janitor: janitor}, err
	}
	_, err = os.Stat(path)
	made := errors.Is(err, os.ErrNotExist)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	f := &folder{path: path}
	if f.lock, err = lock(f.file(lockFile)); err != nil {
		return nil, err
	}
	paths := []string{f.file(lockFile), f.file(RecordFile), f.file(LogFile), f.operatorKubeconfig(), f.clusters()}
	for _, name := range clusters {
		paths = append(paths, f.kubeconfig(name), f.auditLog(name))
	}
	if made {
		paths = []string{path}
	}
	if f.janitor, err = process.NewJanitor(paths...); err != nil {
		return nil, errors.Join(err, f.lock.Close())
	}
	return f, nil
}

// lock takes the lock file of a folder for this process. The kernel gives it back when the process ends.
func lock(path string) (_ *os.File, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, fmt.Errorf("%s is in use by the fleet of process %d", filepath.Dir(path), readPID(file))
	}
	if err := file.Truncate(0); err != nil {
		return nil, err
	}
	_, err = fmt.Fprintln(file, os.Getpid())
	return file, err
}

// Owner returns the id of the process that holds the fleet in a folder, or 0 if there is none.
func Owner(dir string) (int, error) {
	file, err := os.Open(filepath.Join(dir, lockFile))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer file.Close()
	if syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == nil {
		return 0, nil
	}
	return readPID(file), nil
}

func readPID(file *os.File) int {
	content, _ := io.ReadAll(file)
	pid, _ := strconv.Atoi(strings.TrimSpace(string(content)))
	return pid
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
