package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
)

// TestStartRefuses is about what can be known before anything is started.
func TestStartRefuses(t *testing.T) {
	port := takenAfterFree(t, 3)
	occupied := filepath.Join(t.TempDir(), "occupied")
	if err := os.WriteFile(occupied, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		reason  string
		options Options
		is      error
		says    string
	}{
		"TooMany": {reason: "a typing error must not fill the machine", options: Options{Remotes: 17},
			says: "17 remotes: want 1 to 16"},
		"Negative": {reason: "as in -1", options: Options{Remotes: -1}, says: "-1 remotes: want 1 to 16"},
		"LowPort": {reason: "privileged ports are not for tests", options: Options{BasePort: 80},
			says: "base port 80: want ports from 1024"},
		"HighPort": {reason: "there are no ports beyond", options: Options{BasePort: 65534},
			says: "base port 65534: want ports from 1024 to 65535"},
		"PortInUse": {reason: "the first", options: Options{BasePort: port}, says: fmt.Sprintf("port %d is in use", port)},
		"ProxyInUse": {reason: "the last of a cluster that starts late", options: Options{BasePort: port - 3},
			says: fmt.Sprintf("port %d is in use", port)},
		"FullDisk": {reason: "etcd would end half-way", options: Options{MinFree: 1 << 60}, is: syscall.ENOSPC,
			says: "MiB free, a fleet with 1 remotes needs"},
		"DirIsAFile": {reason: "a typing error", options: Options{Dir: occupied}, is: syscall.ENOTDIR, says: occupied},
		"DirInAFile": {reason: "a typing error", options: Options{Dir: filepath.Join(occupied, "below")},
			is: syscall.ENOTDIR, says: occupied},
		"SameDir": {reason: "a second fleet would overwrite the first", options: Options{Dir: sharedLike(t)},
			says: fmt.Sprintf("is in use by the fleet of process %d", os.Getpid())},
		"ForeignFile": {reason: "the fleet's end would remove it", options: Options{Dir: withFile(t, "cluster-4.kubeconfig")},
			says: "cluster-4.kubeconfig is in the way"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.options.Dir == "" {
				tc.options.Dir = filepath.Join(t.TempDir(), "fleet")
			}
			before := entries(t, tc.options.Dir)
			var progress strings.Builder
			tc.options.Progress = &progress
			_, err := Start(t.Context(), tc.options)
			if err == nil || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("\n%s\nStart() = %v, want one line with %q", tc.reason, err, tc.says)
			}
			if tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("\n%s\nStart() = %v, want %v", tc.reason, err, tc.is)
			}
			if progress.Len() > 0 {
				t.Errorf("\n%s\nit started something: %s", tc.reason, progress.String())
			}
			if after := entries(t, tc.options.Dir); after != before {
				t.Errorf("\n%s\nthe folder held %q before and %q after", tc.reason, before, after)
			}
		})
	}
}

// takenAfterFree returns a port that somebody listens on, behind a number of ports that are free.
func takenAfterFree(t *testing.T, free int) int {
	t.Helper()
	for range 100 {
		taken, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { taken.Close() })
		port := taken.Addr().(*net.TCPAddr).Port
		if areFree(port-free, port) {
			return port
		}
	}
	t.Fatalf("no %d ports in a row are free", free)
	return 0
}

// areFree says whether nobody has the ports from first up to end.
func areFree(first, end int) bool {
	for number := first; number < end; number++ {
		port, err := controlplane.ReservePort(number)
		if err != nil {
			return false
		}
		defer port.Close()
	}
	return true
}

// sharedLike is a folder that this process holds.
func sharedLike(t *testing.T) string {
	f, err := openFolder(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.close(); err != nil {
			t.Error(err)
		}
	})
	return f.path
}

func withFile(t *testing.T, name string) string {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// entries lists what a folder holds; "absent" if there is none.
func entries(t *testing.T, dir string) string {
	t.Helper()
	found, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return "absent"
	}
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range found {
		names = append(names, entry.Name())
	}
	return strings.Join(names, " ")
}

// TestMissingBinary never skips: who has not run `make tools` must be told.
func TestMissingBinary(t *testing.T) {
	controlPlane, err := controlplane.FindBinaries()
	if err != nil {
		t.Fatal(err)
	}
	for name, lookFor := range map[string]string{"ControlPlane": "etcd", "KubeVirt": "missing in"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBEVIRT_MULTICLUSTER_CACHE", t.TempDir())
			t.Setenv("KUBEBUILDER_ASSETS", "")
			if name == "KubeVirt" {
				t.Setenv("KUBEBUILDER_ASSETS", filepath.Dir(controlPlane["etcd"]))
			}
			dir := filepath.Join(t.TempDir(), "fleet")
			_, err := Start(t.Context(), Options{Dir: dir})
			if err == nil || !strings.Contains(err.Error(), lookFor) || !strings.Contains(err.Error(), "run `make tools`") {
				t.Errorf("Start() = %v", err)
			}
			if after := entries(t, dir); after != "absent" {
				t.Errorf("it left %q", after)
			}
		})
	}
}

// TestFailedStart lets one program of the control planes end at once: nothing of the others may
// stay.
func TestFailedStart(t *testing.T) {
	found, err := controlplane.FindBinaries()
	if err != nil {
		t.Fatal(err)
	}
	assets := t.TempDir()
	for name, path := range found {
		if err := os.Symlink(path, filepath.Join(assets, name)); err != nil {
			t.Fatal(err)
		}
	}
	fake := filepath.Join(assets, "kube-apiserver")
	if err := os.Remove(fake); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(fake, []byte("#!/bin/sh\nsleep 0.2\necho 'no space left on device' >&2\nexit 1\n"),
		0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBEBUILDER_ASSETS", assets)
	nothingStays(t, func(dir string) {
		_, err := Start(t.Context(), Options{Remotes: 2, Dir: dir, KubeVirt: kubevirt.Light})
		if err == nil || !strings.Contains(err.Error(), "kube-apiserver ended (exit status 1): no space left on device") {
			t.Errorf("Start() = %v", err)
		}
	})
}

// TestInterruptedStart ends the start as soon as the first servers run.
func TestInterruptedStart(t *testing.T) {
	nothingStays(t, func(dir string) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			eventually.Eventually(t, patience, "servers run", func(context.Context) error {
				if running := processesIn(t, dir); len(running) < 4 {
					return fmt.Errorf("%d processes run", len(running))
				}
				return nil
			})
			cancel()
		}()
		if _, err := Start(ctx, Options{Remotes: 2, Dir: dir, KubeVirt: kubevirt.Light}); !errors.Is(err, context.Canceled) {
			t.Errorf("Start() = %v", err)
		}
	})
}

// nothingStays hands a folder to start, and looks for what is left of it.
func nothingStays(t *testing.T, start func(dir string)) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "fleet")
	start(dir)
	if left := processesIn(t, dir); len(left) > 0 {
		t.Errorf("processes are left: %q", left)
	}
	if after := entries(t, dir); after != "absent" {
		t.Errorf("the folder is left, with %q", after)
	}
}

// processesIn returns the command lines of all processes that work in a folder.
func processesIn(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, path := range paths {
		line, err := os.ReadFile(path) // fails when the process has just ended
		if err == nil && strings.Contains(string(line), dir) {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}
