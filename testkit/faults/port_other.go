//go:build !linux

package faults

import (
	"io"
	"net"
)

// reserve holds nothing: elsewhere a bound socket keeps listeners off its port. While refusing, the
// port is free for others.
func reserve(addr *net.TCPAddr) (*net.TCPAddr, io.Closer, error) { return addr, io.NopCloser(nil), nil }
