package agent

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"

	"k8s.io/apimachinery/pkg/types"
)

// podNetwork holds the IPv4 addresses of Pods.
var podNetwork = netip.MustParsePrefix("10.128.0.0/9")

// podAddresses claims the addresses of a Pod, IPv4 first. They follow from the cluster's name and
// the Pod's UID where they are free.
func podAddresses(claims *lockedClaims, cluster string, uid types.UID) []netip.Addr {
	sum := sha256.Sum256([]byte(cluster + "/" + string(uid)))
	v4 := netip.AddrFrom4([4]byte{10, 128 | sum[0]&0x7f, sum[1], sum[2]})
	for !podNetwork.Contains(v4) || v4.As4()[3] == 0 || claims.claim(v4.String(), uid) != uid {
		if v4 = v4.Next(); !podNetwork.Contains(v4) {
			v4 = podNetwork.Addr().Next()
		}
	}
	v6 := netip.MustParseAddr("fd10::").As16()
	copy(v6[8:], sum[8:16])
	return []netip.Addr{v4, netip.AddrFrom16(v6)}
}

// generatedMAC is the address of an interface for which the VirtualMachineInstance asks for none,
// in the range that QEMU uses.
func generatedMAC(uid types.UID, network string) string {
	sum := sha256.Sum256([]byte(string(uid) + "/" + network))
	n := binary.BigEndian.Uint32(sum[:4])
	return fmt.Sprintf("52:54:00:%02x:%02x:%02x", byte(n>>16), byte(n>>8), byte(n))
}
