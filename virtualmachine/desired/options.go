package desired

import (
	corev1 "k8s.io/api/core/v1"
)

// Options are the operator's settings. The zero value works, but for SupervisorUID, without which
// nothing that is made can be told to be ours.
type Options struct {
	// SupervisorUID is the identity of the supervisor (--supervisor-id; by default the UID of its
	// namespace kube-system).
	SupervisorUID string
	// ManagedBy is the value of the label of that name (MANAGED_BY). "" means kubevirt-operator.
	ManagedBy string
	// CPUModel of virtual machines (CPU_MODEL). "" means host-model, and host-passthrough for
	// Machines of architecture arm64.
	CPUModel string
	// StorageClassName of disks (STORAGE_CLASS_NAME). "" means the remote cluster's default.
	StorageClassName string
	// VolumeMode of disks (PVC_VOLUME_MODE). "" leaves it to the StorageProfile of the storage
	// class.
	VolumeMode corev1.PersistentVolumeMode
	// AccessMode of disks (PVC_ACCESS_MODE). "" leaves it to the StorageProfile of the storage
	// class.
	AccessMode corev1.PersistentVolumeAccessMode
	// CNIVersion of NetworkAttachmentDefinitions (NETWORK_ATTACHMENT_DEFINITION_CNI_VERSION). ""
	// means 1.0.0.
	CNIVersion string
	// MACSet is the second octet of MAC addresses, two hexadecimal digits (MAC_SET). "" leaves
	// eight more bits to the hash.
	MACSet string
	// VLANFromSpec trusts the VLAN that the spec of a static NetworkNamespace asks for. Unset, only
	// its status counts: a wish in a tenant's namespace is none, because with it a tenant could
	// join every network.
	VLANFromSpec bool
	// MachineProviders are the names under which MachineClasses list this operator. Empty means
	// that their lists have no effect.
	MachineProviders []string
}

const (
	defaultManagedBy  = "kubevirt-operator"
	defaultCNIVersion = "1.0.0"
)

func (o Options) managedBy() string { return or(o.ManagedBy, defaultManagedBy) }

func (o Options) cniVersion() string { return or(o.CNIVersion, defaultCNIVersion) }

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}
