package plugin

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// peerUID is the user who listens on the other end, by the kernel's word.
func peerUID(conn *net.UnixConn) (uid uint32, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("peer of the socket: %w", err)
	}
	var credentials *unix.Ucred
	failed := raw.Control(func(fd uintptr) {
		credentials, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if failed != nil {
		err = failed
	}
	if err != nil {
		return 0, fmt.Errorf("peer of the socket: %w", err)
	}
	return credentials.Uid, nil
}
