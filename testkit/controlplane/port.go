package controlplane

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Port is a TCP port of the loopback address that is kept for a server: from Reserve to Close the
// kernel gives it to nobody who asks for any free port, neither to listen nor to dial from. The
// server can listen on it, end, and listen again.
type Port struct {
	// Number is the port's.
	Number int

	socket *os.File
}

// ReservePort keeps a port; 0 means any that is free. It fails if somebody listens on it. A socket
// that is bound and never listens does the keeping: servers, which set SO_REUSEADDR as all in Go
// do, can join it.
func ReservePort(number int) (_ *Port, err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("reserving a port: %w", os.NewSyscallError("socket", err))
	}
	p := &Port{socket: os.NewFile(uintptr(fd), "port")}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return nil, fmt.Errorf("reserving a port: %w", os.NewSyscallError("setsockopt", err))
	}
	err = unix.Bind(fd, &unix.SockaddrInet4{Port: number, Addr: [4]byte{127, 0, 0, 1}})
	if errors.Is(err, unix.EADDRINUSE) && number != 0 {
		return nil, fmt.Errorf("port %d is in use", number)
	}
	if err != nil {
		return nil, fmt.Errorf("reserving port %d: %w", number, os.NewSyscallError("bind", err))
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		return nil, fmt.Errorf("reserving a port: %w", os.NewSyscallError("getsockname", err))
	}
	p.Number = bound.(*unix.SockaddrInet4).Port
	return p, nil
}

// Close lets the port go. It can be called twice, and on nil.
func (p *Port) Close() error {
	if p == nil {
		return nil
	}
	if err := p.socket.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}
