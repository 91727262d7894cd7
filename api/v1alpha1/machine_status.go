package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MachineStatus is what was last observed of a Machine. Times apart, it is a function of the
// conditions and of what the remote cluster last said; an unreachable cluster leaves phase, state
// and addresses as they were.
type MachineStatus struct {
	// observedGeneration is the metadata.generation that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// phase sums the conditions up in one word.
	// +optional
	Phase MachinePhase `json:"phase,omitempty"`

	// state is the state of the VirtualMachine in KubeVirt's words.
	// +optional
	State string `json:"state,omitempty"`

	// message is the message of the condition Ready, for people.
	// +optional
	Message string `json:"message,omitempty"`

	// kubevirtConfigRef is the remote cluster that the Machine is placed in. Unset before.
	// +optional
	KubevirtConfigRef *KubevirtConfigReferenceStatus `json:"kubevirtConfigRef,omitempty"`

	// vmName is the name of the VirtualMachine. Its namespace is called like the Machine's.
	// +optional
	VMName string `json:"vmName,omitempty"`

	// nodeName is the node of the remote cluster on which the virtual machine runs.
	// +optional
	NodeName string `json:"nodeName,omitempty"`

	// conditions are the latest observations: Ready, Placed, RemoteReachable, NetworkReady and
	// VirtualMachineReady. Conditions of other types belong to other controllers.
	// +optional
	Conditions []MachineCondition `json:"conditions,omitempty"`

	// provider is the operator that writes this status: kubevirt.
	// +optional
	Provider string `json:"provider,omitempty"`

	// providerID identifies the VirtualMachine over all remote clusters.
	// +optional
	ProviderID string `json:"providerID,omitempty"`

	// machineID is the UID of the VirtualMachine.
	// +optional
	MachineID string `json:"machineID,omitempty"`

	// region is where the remote cluster says it is.
	// +optional
	Region string `json:"region,omitempty"`

	// zone is where the node says it is.
	// +optional
	Zone string `json:"zone,omitempty"`

	// lastUpdated is when this status last changed.
	// +optional
	LastUpdated *metav1.Time `json:"lastUpdated,omitempty"`

	// ipAddresses are the IPv4 addresses.
	// +optional
	IPAddresses []string `json:"ipAddresses,omitempty"`

	// ipv6Addresses are the IPv6 addresses.
	// +optional
	IPv6Addresses []string `json:"ipv6Addresses,omitempty"`

	// publicIPAddresses are the addresses of interfaces that the Machine asked for, IPv4 first.
	// +optional
	PublicIPAddresses []string `json:"publicIPAddresses,omitempty"`

	// privateIPAddresses are the addresses of interfaces that only the guest knows, IPv4 first.
	// +optional
	PrivateIPAddresses []string `json:"privateIPAddresses,omitempty"`

	// hostname as the guest reports it.
	// +optional
	Hostname string `json:"hostname,omitempty"`

	// architecture of the virtual machine.
	// +optional
	Architecture string `json:"architecture,omitempty"`

	// operatingSystem as the guest reports it.
	// +optional
	OperatingSystem string `json:"operatingSystem,omitempty"`

	// operatingSystemVersion as the guest reports it.
	// +optional
	OperatingSystemVersion string `json:"operatingSystemVersion,omitempty"`

	// kernelVersion as the guest reports it.
	// +optional
	KernelVersion string `json:"kernelVersion,omitempty"`

	// cpus is the number of virtual processors: cores times sockets times threads.
	// +optional
	CPUs int `json:"cpus,omitempty"`

	// memory of the virtual machine in bytes.
	// +optional
	Memory int64 `json:"memory,omitempty"`

	// disks are the disks of the virtual machine.
	// +optional
	Disks []MachineStatusDisk `json:"disks,omitempty"`

	// networkInterfaces are the interfaces of the virtual machine.
	// +optional
	NetworkInterfaces []NetworkInterfaceStatus `json:"networkInterfaces,omitempty"`

	// bootTime is when the virtual machine last started to run.
	// +optional
	BootTime *metav1.Time `json:"bootTime,omitempty"`

	// creationTime is when the VirtualMachine was created.
	// +optional
	CreationTime *metav1.Time `json:"creationTime,omitempty"`

	// failureReason is the reason of the failure while phase is Failed, or Pending because no node can
	// take the virtual machine; else unset.
	// +optional
	FailureReason string `json:"failureReason,omitempty"`

	// failureMessage is the cause of that failure.
	// +optional
	FailureMessage string `json:"failureMessage,omitempty"`
}

// KubevirtConfigReferenceStatus is the remote cluster that a Machine is placed in.
type KubevirtConfigReferenceStatus struct {
	// name of the KubevirtConfig.
	// +optional
	Name string `json:"name,omitempty"`

	// clusterUID is the UID of the kube-system namespace of the cluster that the KubevirtConfig stood
	// for when the Machine was placed. Empty where it could not be read.
	// +optional
	ClusterUID string `json:"clusterUID,omitempty"`
}

// MachineStatusDisk is a disk of a virtual machine.
type MachineStatusDisk struct {
	// name of the disk.
	// +optional
	Name string `json:"name,omitempty"`

	// size in bytes.
	// +optional
	Size int64 `json:"size,omitempty"`

	// type is the bus of the disk.
	// +optional
	Type string `json:"type,omitempty"`

	// mountPoint as the guest reports it.
	// +optional
	MountPoint string `json:"mountPoint,omitempty"`

	// pvcName is the PersistentVolumeClaim behind the disk, in the remote cluster.
	// +optional
	PVCName string `json:"pvcName,omitempty"`

	// volumeMode of that claim: Block or Filesystem.
	// +optional
	VolumeMode string `json:"volumeMode,omitempty"`

	// accessModes of that claim.
	// +optional
	AccessModes []string `json:"accessModes,omitempty"`

	// filesystemType as the guest reports it.
	// +optional
	FilesystemType string `json:"filesystemType,omitempty"`

	// uuid of the file system.
	// +optional
	UUID string `json:"uuid,omitempty"`

	// label of the file system.
	// +optional
	Label string `json:"label,omitempty"`

	// serialNumber of the disk.
	// +optional
	SerialNumber string `json:"serialNumber,omitempty"`

	// device is the path of the disk in the guest, for example /dev/vda.
	// +optional
	Device string `json:"device,omitempty"`

	// usedBytes as the guest reports it.
	// +optional
	UsedBytes int64 `json:"usedBytes,omitempty"`

	// availableBytes as the guest reports it.
	// +optional
	AvailableBytes int64 `json:"availableBytes,omitempty"`

	// usagePercent as text, for example 75.5%.
	// +optional
	UsagePercent string `json:"usagePercent,omitempty"`
}

// NetworkInterfaceStatus is an interface of a virtual machine.
type NetworkInterfaceStatus struct {
	// name of the interface.
	// +optional
	Name string `json:"name,omitempty"`

	// macAddress of the interface.
	// +optional
	MACAddress string `json:"macAddress,omitempty"`

	// ipAddresses are all its addresses, IPv4 first.
	// +optional
	IPAddresses []string `json:"ipAddresses,omitempty"`

	// ipv6Addresses are its IPv6 addresses.
	// +optional
	IPv6Addresses []string `json:"ipv6Addresses,omitempty"`

	// state of the link.
	// +optional
	State string `json:"state,omitempty"`

	// mtu of the link.
	// +optional
	MTU int `json:"mtu,omitempty"`

	// type is where KubeVirt knows the interface from, word for word: domain, guest-agent,
	// multus-status, joined by commas.
	// +optional
	Type string `json:"type,omitempty"`
}
