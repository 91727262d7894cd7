package faults

import (
	"io"
	"net"
	"os"
	"syscall"
)

// reserve binds a socket to addr that never listens. A listener (which Go, too, opens with
// SO_REUSEADDR) can join it on the port; the kernel gives the port to nobody who asks for any free
// one, neither to listen on nor to dial from.
func reserve(addr *net.TCPAddr) (*net.TCPAddr, io.Closer, error) {
	family, where := sockaddr(addr)
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socket", err)
	}
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		_ = syscall.Close(fd)
		return nil, nil, os.NewSyscallError("setsockopt", err)
	}
	if err := syscall.Bind(fd, where); err != nil {
		_ = syscall.Close(fd)
		return nil, nil, os.NewSyscallError("bind", err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		_ = syscall.Close(fd)
		return nil, nil, os.NewSyscallError("getsockname", err)
	}
	got := *addr
	switch b := bound.(type) {
	case *syscall.SockaddrInet4:
		got.Port = b.Port
	case *syscall.SockaddrInet6:
		got.Port = b.Port
	}
	return &got, heldSocket(fd), nil
}

func sockaddr(addr *net.TCPAddr) (family int, where syscall.Sockaddr) {
	if v4 := addr.IP.To4(); v4 != nil {
		return syscall.AF_INET, &syscall.SockaddrInet4{Port: addr.Port, Addr: [4]byte(v4)}
	}
	v6 := &syscall.SockaddrInet6{Port: addr.Port}
	copy(v6.Addr[:], addr.IP.To16())
	return syscall.AF_INET6, v6
}

// heldSocket is a bound socket's descriptor.
type heldSocket int

func (s heldSocket) Close() error { return os.NewSyscallError("close", syscall.Close(int(s))) }
