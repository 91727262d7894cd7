package pod

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Container is a process in an unpacked image.
type Container struct {
	// Root is the folder with the unpacked image. Folders to mount on are made in it.
	Root string
	// User and Group are who the process is.
	User, Group int
	// Args are the program's path in the image, and its arguments.
	Args []string
	// Env is the whole environment.
	Env []string
	// Mounts are the volumes, in the order in which they are mounted.
	Mounts []Mount
}

// A Mount is a volume.
type Mount struct {
	// Target is the absolute path in the container.
	Target string
	// Source is a folder of the machine. "" is an empty folder in memory, which all users may write,
	// as the kernel mounts an emptyDir for a kubelet.
	Source string
	// Writable says whether it can be written.
	Writable bool
}

// marker is the variable by which a process knows that it has to become a container.
const marker = "DEPLOY_POD_CONTAINER"

// Command returns the container as a process that is not started yet: this program, which becomes
// the container in Main.
func (c Container) Command(ctx context.Context) (*exec.Cmd, error) {
	if os.Getuid() != 0 {
		return nil, errors.New("mounting a root file system needs root: run the tests of deploy as root")
	}
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	itself, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, itself)
	command.Env = []string{marker + "=" + string(text)}
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	return command, nil
}

// Main returns at once where the process is no container. Where Command started it, it becomes the
// container and never returns.
func Main() {
	text, found := os.LookupEnv(marker)
	if !found {
		return
	}
	var c Container
	err := json.Unmarshal([]byte(text), &c)
	if err == nil {
		err = c.become()
	}
	fmt.Fprintln(os.Stderr, "the container cannot be started:", err)
	os.Exit(125)
}

func (c Container) become() error {
	runtime.LockOSThread() // some of what follows belongs to a thread, and Exec keeps this one
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("keeping mounts to itself: %w", err)
	}
	if err := unix.Mount(c.Root, c.Root, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mounting the root: %w", err)
	}
	mounts := append([]Mount{{Target: "/dev", Source: "/dev"}}, c.Mounts...)
	for _, mount := range mounts {
		if err := c.mount(mount); err != nil {
			return fmt.Errorf("mounting %s: %w", mount.Target, err)
		}
	}
	if err := c.mountProc(); err != nil {
		return err
	}
	const locked = unix.MS_REMOUNT | unix.MS_BIND | unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV
	if err := unix.Mount("", c.Root, "", locked, ""); err != nil {
		return fmt.Errorf("making the root read-only: %w", err)
	}
	if err := errors.Join(unix.Chroot(c.Root), unix.Chdir("/")); err != nil {
		return fmt.Errorf("entering the root: %w", err)
	}
	if err := c.confine(); err != nil {
		return err
	}
	return fmt.Errorf("running %s: %w", c.Args[0], unix.Exec(c.Args[0], c.Args, c.Env))
}

func (c Container) mount(mount Mount) error {
	target := filepath.Join(c.Root, mount.Target)
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if mount.Source == "" {
		return unix.Mount("tmpfs", target, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "size=16m,mode=0777")
	}
	if err := unix.Mount(mount.Source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	if mount.Writable {
		return nil
	}
	return unix.Mount("", target, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "")
}

func (c Container) mountProc() error {
	target := filepath.Join(c.Root, "proc")
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("proc", target, "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	return nil
}

// confine gives up root, for ever. The kernel ends the process with the one that started it.
func (c Container) confine() error {
	for capability := uintptr(0); capability <= unix.CAP_LAST_CAP; capability++ {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0)
		if err != nil && !errors.Is(err, unix.EINVAL) { // a kernel may know fewer
			return fmt.Errorf("dropping capability %d: %w", capability, err)
		}
	}
	if err := errors.Join(syscall.Setgroups([]int{c.Group}), syscall.Setgid(c.Group), syscall.Setuid(c.User)); err != nil {
		return fmt.Errorf("becoming user %d: %w", c.User, err)
	}
	return errors.Join(
		unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
		unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0),
	)
}
