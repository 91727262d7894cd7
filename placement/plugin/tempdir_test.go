package plugin

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// TestTempDirIsAbsolute holds that a relative folder works: a plugin, which has another working
// directory, gets its path.
func TestTempDirIsAbsolute(t *testing.T) {
	t.Chdir(t.TempDir())
	dir, err := newTempDir(".")
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(dir.path) {
		t.Errorf("the folder for sockets is %s, want an absolute path", dir.path)
	}
	if err := dir.remove(); err != nil {
		t.Error(err)
	}
}

// TestLeftoversAreNoLinks holds that another user cannot make the host open a file of its own: in a
// shared folder anybody can put a link where a killed host's lock would be. The file is locked by
// its owner, so that a host which opened it would leave the link.
func TestLeftoversAreNoLinks(t *testing.T) {
	cases := map[string]struct {
		reason string
		make   func(t *testing.T, path, victim string)
	}{
		"lock is a link": {
			reason: "the lock is opened without following a link",
			make: func(t *testing.T, path, victim string) {
				if err := os.Mkdir(path, 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(filepath.Join(victim, "lock"), filepath.Join(path, "lock")); err != nil {
					t.Fatal(err)
				}
			},
		},
		"folder is a link": {
			reason: "a link to a folder is no host's folder",
			make: func(t *testing.T, path, victim string) {
				if err := os.Symlink(victim, path); err != nil {
					t.Fatal(err)
				}
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			parent, victim := t.TempDir(), t.TempDir()
			if err := os.WriteFile(filepath.Join(victim, "lock"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(parent, hostDirPrefix+"1")
			tc.make(t, path, victim)
			removeLeftovers(parent)
			if _, err := os.Lstat(path); err != nil {
				t.Errorf("%s: it opened the file behind the link and removed the folder: %v", tc.reason, err)
			}
		})
	}
}

// TestLeftoversAreRemoved holds that the folder of a killed host of this user goes.
func TestLeftoversAreRemoved(t *testing.T) {
	parent := t.TempDir()
	path := filepath.Join(parent, hostDirPrefix+"1")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	removeLeftovers(parent)
	if _, err := os.Lstat(path); err == nil {
		t.Error("the folder of a killed host is still there")
	}
}

// TestSocketHasItsModeAtOnce looks at the socket as soon as it can be seen, under a umask that
// forbids nothing: nobody can connect before the mode is set.
func TestSocketHasItsModeAtOnce(t *testing.T) {
	former := syscall.Umask(0)
	defer syscall.Umask(former)
	dir, err := os.MkdirTemp("", "s-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "s")
	strategy := placement.NewFunc("s", placement.Needs{},
		func(context.Context, placement.Request) (placement.Decision, error) { return placement.Decision{}, nil })
	for range 50 {
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- ServeSocket(ctx, path, strategy, slog.New(slog.DiscardHandler)) }()
		for {
			info, err := os.Lstat(path)
			if err != nil {
				continue
			}
			if mode := info.Mode().Perm(); mode != socketMode {
				t.Errorf("the socket can be reached with mode %v, want %v", mode, os.FileMode(socketMode))
			}
			break
		}
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Fatalf("it leaves %v behind (%v)", left, err)
		}
		if t.Failed() {
			return
		}
	}
}
