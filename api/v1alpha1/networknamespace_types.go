package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NetworkNamespace is a network that Machines attach to, and how addresses are given out in it. The
// operator only reads it.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=networknamespaces,scope=Namespaced,shortName=nn
// +kubebuilder:printcolumn:name="DatacenterIdentifier",type=string,JSONPath=`.spec.datacenterIdentifier`
// +kubebuilder:printcolumn:name="VLANID",type=integer,JSONPath=`.status.vlanId`,priority=10
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.status`
// +kubebuilder:printcolumn:name="Created",type=string,JSONPath=`.status.created`,description="Creation Timestamp"
type NetworkNamespace struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the network that is wanted.
	// +optional
	Spec NetworkNamespaceSpec `json:"spec,omitzero"`

	// status is the network that exists.
	// +optional
	Status NetworkNamespaceStatus `json:"status,omitzero"`
}

// NetworkNamespaceSpec is a network that is wanted.
type NetworkNamespaceSpec struct {
	// datacenterIdentifier names the data centre.
	// +required
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_-]+$`
	DatacenterIdentifier string `json:"datacenterIdentifier"`

	// supervisorIdentifier names the supervisor cluster.
	// +required
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_-]+$`
	SupervisorIdentifier string `json:"supervisorIdentifier"`

	// clusterIdentifier is an older field and informative.
	// +optional
	ClusterIdentifier string `json:"clusterIdentifier,omitempty"`

	// provider is an older field and informative.
	// +optional
	Provider string `json:"provider,omitempty"`

	// environment is an older field and informative.
	// +optional
	Environment string `json:"environment,omitempty"`

	// ipAllocation says how addresses are given out. Unset means dhcp.
	// +optional
	IPAllocation *NetworkNamespaceIPAllocation `json:"ipAllocation,omitempty"`
}

// IPAllocationType is a way to give out addresses.
//
// +kubebuilder:validation:Enum=dhcp;static
type IPAllocationType string

// The ways to give out addresses.
const (
	// IPAllocationTypeDHCP gives addresses through a DHCP server.
	IPAllocationTypeDHCP IPAllocationType = "dhcp"
	// IPAllocationTypeStatic gives addresses out of a range; the guest gets them through cloud-init.
	IPAllocationTypeStatic IPAllocationType = "static"
)

// NetworkNamespaceIPAllocation says how addresses are given out.
type NetworkNamespaceIPAllocation struct {
	// type is the way.
	// +required
	Type IPAllocationType `json:"type"`

	// provider names the operator that gives the addresses. Empty means the one that is usual for the
	// type.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Provider string `json:"provider,omitempty"`

	// static is the range, for type static.
	// +optional
	Static *StaticIPAllocationConfig `json:"static,omitempty"`

	// dhcp are settings for type dhcp.
	// +optional
	DHCP *DHCPAllocationConfig `json:"dhcp,omitempty"`
}

// StaticIPAllocationConfig is a range of addresses.
type StaticIPAllocationConfig struct {
	// ipv4CIDR is the subnet, for example 10.0.1.0/24.
	// +required
	IPv4CIDR string `json:"ipv4CIDR"`

	// ipv4Gateway is the default route.
	// +required
	IPv4Gateway string `json:"ipv4Gateway"`

	// ipv4RangeStart is the first address that may be given.
	// +optional
	IPv4RangeStart string `json:"ipv4RangeStart,omitempty"`

	// ipv4RangeEnd is the last address that may be given.
	// +optional
	IPv4RangeEnd string `json:"ipv4RangeEnd,omitempty"`

	// vlanId of the subnet. 0 means none.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=4094
	VlanID int `json:"vlanId,omitempty"`

	// dns lists the addresses of name servers.
	// +optional
	DNS []string `json:"dns,omitempty"`

	// ttlSeconds is how long an address is kept, in seconds.
	// +optional
	// +kubebuilder:validation:Minimum=60
	// +kubebuilder:default=3600
	TTLSeconds int32 `json:"ttlSeconds,omitempty"`
}

// DHCPAllocationConfig are settings of DHCP.
type DHCPAllocationConfig struct {
	// requireClientClasses lists the client classes that a lease needs.
	// +optional
	RequireClientClasses []string `json:"requireClientClasses,omitempty"`
}

// NetworkNamespaceStatus is a network that exists.
type NetworkNamespaceStatus struct {
	// conditions of the operator of networks.
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// phase of the network.
	// +optional
	Phase string `json:"phase,omitempty"`

	// status of the network.
	// +optional
	Status string `json:"status,omitempty"`

	// message is a sentence for people.
	// +optional
	Message string `json:"message,omitempty"`

	// created is when the network was created.
	// +optional
	Created *metav1.Time `json:"created,omitempty"`

	// observedGeneration is the metadata.generation that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// retryCount is how often the operator of networks tried.
	// +optional
	RetryCount int `json:"retryCount,omitempty"`

	// datacenterIdentifier names the data centre.
	// +optional
	DatacenterIdentifier string `json:"datacenterIdentifier,omitempty"`

	// supervisorIdentifier names the supervisor cluster.
	// +optional
	SupervisorIdentifier string `json:"supervisorIdentifier,omitempty"`

	// clusterIdentifier is an older field and informative.
	// +optional
	ClusterIdentifier string `json:"clusterIdentifier,omitempty"`

	// namespaceId identifies the network to its manager.
	// +optional
	NamespaceID string `json:"namespaceId,omitempty"`

	// ipv4Prefix of the network in CIDR notation.
	// +optional
	IPv4Prefix string `json:"ipv4Prefix,omitempty"`

	// ipv6Prefix of the network in CIDR notation.
	// +optional
	IPv6Prefix string `json:"ipv6Prefix,omitempty"`

	// ipv4EgressIp is the IPv4 address that traffic leaves with.
	// +optional
	IPv4EgressIP string `json:"ipv4EgressIp,omitempty"`

	// ipv6EgressIp is the IPv6 address that traffic leaves with.
	// +optional
	IPv6EgressIP string `json:"ipv6EgressIp,omitempty"`

	// vlanId of the network. 0 means none, or not known yet.
	// +optional
	VlanID int `json:"vlanId,omitempty"`

	// associatedKubernetesClusterIds lists the clusters that use the network.
	// +optional
	AssociatedKubernetesClusterIDs []string `json:"associatedKubernetesClusterIds,omitempty"`

	// ipAllocationStatus is how addresses are given out.
	// +optional
	IPAllocationStatus *NetworkNamespaceIPAllocationStatus `json:"ipAllocationStatus,omitempty"`
}

// NetworkNamespaceIPAllocationStatus is how addresses are given out.
type NetworkNamespaceIPAllocationStatus struct {
	// type is the way.
	// +optional
	Type IPAllocationType `json:"type,omitempty"`

	// provider names the operator that gives the addresses.
	// +optional
	Provider string `json:"provider,omitempty"`

	// allocatedCount is the number of addresses that are given.
	// +optional
	AllocatedCount int32 `json:"allocatedCount,omitempty"`

	// availableCount is the number of addresses that are left.
	// +optional
	AvailableCount int32 `json:"availableCount,omitempty"`

	// totalCount is the number of addresses of the range.
	// +optional
	TotalCount int32 `json:"totalCount,omitempty"`

	// allocatedIPs lists the addresses that are given.
	// +optional
	AllocatedIPs []AllocatedIPEntry `json:"allocatedIPs,omitempty"`
}

// AllocatedIPEntry is an address that is given.
type AllocatedIPEntry struct {
	// ip is the address.
	// +optional
	IP string `json:"ip,omitempty"`

	// networkConfiguration is the name of the NetworkConfiguration that has it.
	// +optional
	NetworkConfiguration string `json:"networkConfiguration,omitempty"`
}

// NetworkNamespaceList is a list of NetworkNamespaces.
//
// +kubebuilder:object:root=true
type NetworkNamespaceList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the NetworkNamespaces.
	Items []NetworkNamespace `json:"items"`
}
