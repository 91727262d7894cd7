package desired

import (
	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/types"
)

// FirmwareUUID is the system UUID that the guest sees: the Machine's UID, which is a UUID, else one
// derived from it. KubeVirt's own choice is a hash of the VirtualMachine's name, the same in every
// namespace and every cluster.
func FirmwareUUID(machineUID types.UID) types.UID {
	if parsed, err := uuid.Parse(string(machineUID)); err == nil {
		return types.UID(parsed.String())
	}
	return types.UID(uuid.NewSHA1(uuid.NameSpaceOID, []byte(machineUID)).String())
}
