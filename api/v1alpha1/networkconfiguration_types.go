package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NetworkConfiguration tells the operators of addresses which interfaces a Machine has, and the
// Machine which addresses they got. It has the name and namespace of its Machine, which controls
// it. A Machine on several NetworkNamespaces has one for each: those of further ones are called
// <machine>-<NetworkNamespace>-<eight digits of the Machine's UID>.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=networkconfigurations,scope=Namespaced,shortName=nc
// +kubebuilder:printcolumn:name="Name",type=string,JSONPath=`.spec.name`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.status`
// +kubebuilder:printcolumn:name="Created",type=string,JSONPath=`.status.created`,description="Creation Timestamp"
// +kubebuilder:printcolumn:name="Interfaces",type=string,JSONPath=`.status.networkInterfaces[*].name`,description="Names of the interfaces"
type NetworkConfiguration struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the Machine needs.
	// +optional
	Spec NetworkConfigurationSpec `json:"spec,omitzero"`

	// status is what an operator of addresses has given.
	// +optional
	Status NetworkConfigurationStatus `json:"status,omitzero"`
}

// NetworkConfigurationSpec is what a Machine needs from its network.
type NetworkConfigurationSpec struct {
	// name is a short name of the Machine.
	// +required
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_-]+$`
	Name string `json:"name"`

	// description is a sentence for people.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Description string `json:"description,omitempty"`

	// networkNamespaceName names the NetworkNamespace that addresses come from, in the same namespace.
	// +optional
	NetworkNamespaceName string `json:"networkNamespaceName,omitempty"`

	// datacenterIdentifier is informative.
	// +optional
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_-]+$`
	DatacenterIdentifier string `json:"datacenterIdentifier,omitempty"`

	// supervisorIdentifier is informative.
	// +optional
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_-]+$`
	SupervisorIdentifier string `json:"supervisorIdentifier,omitempty"`

	// clusterIdentifier is informative.
	// +optional
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_-]+$`
	ClusterIdentifier string `json:"clusterIdentifier,omitempty"`

	// datacenterName is the older name of datacenterIdentifier.
	// +optional
	DatacenterName string `json:"datacenterName,omitempty"`

	// supervisorName is the older name of supervisorIdentifier.
	// +optional
	SupervisorName string `json:"supervisorName,omitempty"`

	// clusterName is the older name of clusterIdentifier.
	// +optional
	ClusterName string `json:"clusterName,omitempty"`

	// provider names the operator that gives the addresses. Empty means the one that fits the
	// NetworkNamespace.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_-]+$`
	Provider string `json:"provider,omitempty"`

	// networkInterfaces are the interfaces; here their name and macAddress count.
	// +optional
	NetworkInterfaces []NetworkConfigurationInterface `json:"networkInterfaces,omitempty"`
}

// NetworkConfigurationStatus is what an operator of addresses has given.
type NetworkConfigurationStatus struct {
	// conditions of that operator.
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// phase of that operator.
	// +optional
	Phase string `json:"phase,omitempty"`

	// status of that operator.
	// +optional
	Status string `json:"status,omitempty"`

	// message is a sentence for people.
	// +optional
	Message string `json:"message,omitempty"`

	// created is when the addresses were first given.
	// +optional
	Created *metav1.Time `json:"created,omitempty"`

	// networkInterfaces are the interfaces with the addresses they got.
	// +optional
	NetworkInterfaces []NetworkConfigurationInterface `json:"networkInterfaces,omitempty"`
}

// NetworkConfigurationInterface is an interface, wanted or given.
type NetworkConfigurationInterface struct {
	// name of the interface; interfaces of spec and status meet by it.
	// +optional
	Name string `json:"name,omitempty"`

	// macAddress of the interface, as six pairs of hexadecimal digits with colons.
	// +optional
	MacAddress string `json:"macAddress,omitempty"`

	// ipv4Addresses of the interface, without a prefix length.
	// +optional
	IPv4Addresses []string `json:"ipv4Addresses,omitempty"`

	// ipv6Addresses of the interface, without a prefix length.
	// +optional
	IPv6Addresses []string `json:"ipv6Addresses,omitempty"`

	// vlan that the interface is in, as text.
	// +optional
	Vlan string `json:"vlan,omitempty"`

	// ipv4Subnet in CIDR notation.
	// +optional
	IPv4Subnet string `json:"ipv4Subnet,omitempty"`

	// ipv6Subnet in CIDR notation.
	// +optional
	IPv6Subnet string `json:"ipv6Subnet,omitempty"`

	// ipv4Gateway is the IPv4 default route.
	// +optional
	IPv4Gateway string `json:"ipv4Gateway,omitempty"`

	// ipv6Gateway is the IPv6 default route.
	// +optional
	IPv6Gateway string `json:"ipv6Gateway,omitempty"`

	// dns lists the addresses of name servers.
	// +optional
	DNS []string `json:"dns,omitempty"`

	// dhcpReserved says that a DHCP server keeps the address for this interface.
	// +optional
	DHCPReserved bool `json:"dhcpReserved,omitempty"`

	// ipAllocated says that the interface has its address.
	// +optional
	IPAllocated bool `json:"ipAllocated,omitempty"`

	// allocationMethod says how it got the address.
	// +optional
	AllocationMethod IPAllocationType `json:"allocationMethod,omitempty"`

	// allocationExpiry is when the address goes back, as text.
	// +optional
	AllocationExpiry string `json:"allocationExpiry,omitempty"`
}

// NetworkConfigurationList is a list of NetworkConfigurations.
//
// +kubebuilder:object:root=true
type NetworkConfigurationList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the NetworkConfigurations.
	Items []NetworkConfiguration `json:"items"`
}
