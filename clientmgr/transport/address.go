package transport

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// ErrAddress is in the chain of the error of a call to an address that is refused.
var ErrAddress = errors.New("the server's address is refused")

// NoLinkLocal refuses link-local addresses (169.254.0.0/16, fe80::/10): the metadata services of
// clouds are there, and no API server.
func NoLinkLocal(address netip.AddrPort) error {
	if ip := address.Addr().Unmap(); ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() {
		return fmt.Errorf("%w: it is link-local", ErrAddress)
	}
	return nil
}

// NoLoopback refuses what NoLinkLocal refuses, and this machine.
func NoLoopback(address netip.AddrPort) error {
	if ip := address.Addr().Unmap(); ip.IsLoopback() || ip.IsUnspecified() {
		return fmt.Errorf("%w: it is this machine's own", ErrAddress)
	}
	return NoLinkLocal(address)
}

// Except returns a check that refuses what check refuses, and the addresses in some prefixes, as
// the supervisor's own.
func Except(check func(netip.AddrPort) error, prefixes ...netip.Prefix) func(netip.AddrPort) error {
	return func(address netip.AddrPort) error {
		for _, prefix := range prefixes {
			if prefix.Contains(address.Addr().Unmap()) {
				return fmt.Errorf("%w: it is in %s", ErrAddress, prefix)
			}
		}
		return check(address)
	}
}

// control is a net.Dialer.Control. It sees the address that a name was resolved to, so that a name
// which resolves otherwise a moment later gets nowhere.
func control(check func(netip.AddrPort) error) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		parsed, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%w: it cannot be read", ErrAddress)
		}
		return check(parsed)
	}
}
