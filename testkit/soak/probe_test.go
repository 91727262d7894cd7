package soak

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// TestDescriptors counts those of a folder like that of a process, so that nothing else opens any.
func TestDescriptors(t *testing.T) {
	folder := t.TempDir()
	for name, target := range map[string]string{"0": "/dev/null", "1": "pipe:[7]", "2": "socket:[8]", "3": "socket:[9]"} {
		if err := os.Symlink(target, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	all, sockets, err := descriptors(folder)
	if err != nil || all != 4 || sockets != 2 {
		t.Errorf("%v descriptors, %v sockets, %v; want 4 and 2", all, sockets, err)
	}
}

// TestDescriptorsOfAProcess: the kernel's words for them are those that are counted.
func TestDescriptorsOfAProcess(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if all, sockets, err := descriptors("/proc/self/fd"); err != nil || sockets < 1 || all <= sockets {
		t.Errorf("%v descriptors, %v sockets, %v; want a socket and the standard files", all, sockets, err)
	}
}
