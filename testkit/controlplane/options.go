package controlplane

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// Options say how a cluster is started. The zero value works.
type Options struct {
	// Name stands in errors. Default: "cluster".
	Name string
	// Dir is the folder for data, certificates and logs; it must not exist yet. Default: a temporary
	// folder, removed with the cluster.
	Dir string
	// Port is the API server's on 127.0.0.1. Default: a free one.
	Port int
	// AuditLog is the file to which the API server writes a line of JSON for each stage of each
	// request, without bodies (level Metadata). Default: none.
	AuditLog string
	// Binaries are the programs to run. Default: those of FindBinaries.
	Binaries Binaries
}

// minFree is the room on disk, in bytes, below which a cluster is not started: etcd preallocates 64
// MiB for its log and takes as much again for the next one.
const minFree = 512 << 20

// complete fills in the defaults and refuses what cannot work, before anything is started.
func (o *Options) complete() error {
	if o.Name == "" {
		o.Name = "cluster"
	}
	if o.Binaries == nil {
		found, err := FindBinaries()
		if err != nil {
			return err
		}
		o.Binaries = found
	}
	parent := os.TempDir()
	if o.Dir != "" {
		if _, err := os.Stat(o.Dir); err == nil {
			return fmt.Errorf("%s: %w", o.Dir, os.ErrExist)
		}
		parent = filepath.Dir(o.Dir)
	}
	if free, err := freeBytes(parent); err == nil && free < minFree {
		return fmt.Errorf("%s has %d MiB free, a cluster needs %d: %w", parent, free>>20, minFree>>20, syscall.ENOSPC)
	}
	return nil
}

func freeBytes(dir string) (uint64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, err
	}
	return fs.Bavail * uint64(fs.Bsize), nil
}

// FreePort returns a TCP port of the loopback address that nobody listens on at this moment. A
// server that starts later, or may start again, should have a port from ReservePort.
func FreePort() (int, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return 0, fmt.Errorf("looking for a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
