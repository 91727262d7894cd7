package desired

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net"

	"k8s.io/apimachinery/pkg/types"
)

// MAC is the MAC address of an interface of a Machine: always the same for the same UID, interface
// and set, unicast, and locally administered. It begins with 02; set, two hexadecimal digits, is
// the next octet (Options.MACSet), and everything after comes out of a hash. A [*Refusal] of reason
// InvalidSpec says that set is something else.
func MAC(machineUID types.UID, interfaceName, set string) (string, error) {
	octet, err := hex.DecodeString(set)
	if err != nil || len(octet) > 1 {
		return "", invalid("the set of MAC addresses must be two hexadecimal digits, not %q", set)
	}
	for salt := byte(0); ; salt++ {
		sum := sha256.Sum256([]byte(string(machineUID) + "/" + interfaceName + "/" + string(rune(salt))))
		mac := net.HardwareAddr(append([]byte{0x02}, append(bytes.Clone(octet), sum[:5-len(octet)]...)...))
		// KubeVirt keeps this one for itself.
		if !bytes.Equal(mac, []byte{0x02, 0, 0, 0, 0, 0}) {
			return mac.String(), nil
		}
	}
}

// ParseMAC returns the usual form of a MAC address, with colons and in lower case, and whether it
// is one that an interface can have: six octets, not all zero, not multicast.
func ParseMAC(address string) (mac string, ok bool) {
	parsed, err := net.ParseMAC(address)
	if err != nil || len(parsed) != 6 || parsed[0]&1 != 0 || bytes.Equal(parsed, make([]byte, 6)) {
		return "", false
	}
	return parsed.String(), true
}
