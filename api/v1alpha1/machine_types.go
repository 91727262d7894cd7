package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Machine is a virtual machine that somebody wants, and what is known about it. It lives in the
// supervisor cluster; the VirtualMachine made from it lives in the remote cluster that
// status.kubevirtConfigRef names.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=machines,scope=Namespaced,shortName=m
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Cluster",type=string,JSONPath=`.status.kubevirtConfigRef.name`
// +kubebuilder:printcolumn:name="Public IPs",type=string,JSONPath=`.status.publicIPAddresses`
// +kubebuilder:printcolumn:name="Provider",type=string,JSONPath=`.spec.provider`
// +kubebuilder:printcolumn:name="Machine Class",type=string,JSONPath=`.spec['machineClass','instanceType']`
// +kubebuilder:printcolumn:name="Instance Type",type=string,JSONPath=`.spec.instanceType`,priority=1
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,priority=1
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,priority=1
// +kubebuilder:printcolumn:name="VM",type=string,JSONPath=`.status.vmName`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Machine struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the wish. Every field is optional.
	// +optional
	Spec MachineSpec `json:"spec,omitzero"`

	// status is what was last observed. Only controllers write it.
	// +optional
	Status MachineStatus `json:"status,omitzero"`
}

// MachineSpec says what virtual machine is wanted.
//
// +kubebuilder:validation:XValidation:rule="!has(self.instanceType) || !has(self.machineClass) || self.instanceType == self.machineClass",message="instanceType and machineClass are two names for one setting: set one of them, or both to the same value"
type MachineSpec struct {
	// name is informative. Everything made for this Machine is named after metadata.name.
	// +optional
	// +kubebuilder:validation:MinLength=1
	Name string `json:"name,omitempty"`

	// machineClass names the MachineClass that gives the size. small, medium and large have built-in
	// sizes where no MachineClass of that name exists. Same meaning as instanceType.
	// +optional
	// +kubebuilder:validation:MinLength=1
	MachineClass string `json:"machineClass,omitempty"`

	// instanceType is the older name of machineClass. If both are set they must be equal.
	// +optional
	// +kubebuilder:validation:MinLength=1
	InstanceType string `json:"instanceType,omitempty"`

	// machineType is kept for other providers and has no effect here.
	// +optional
	MachineType string `json:"machineType,omitempty"`

	// kubevirtConfigRef asks for a remote cluster. It counts until the Machine is placed, and means
	// the same as the annotation vitistack.io/kubevirt-config, with which it must agree.
	// +optional
	KubevirtConfigRef *KubevirtConfigReference `json:"kubevirtConfigRef,omitempty"`

	// runStrategy says when the virtual machine runs. Unset, it is started once and then left to
	// people and tools.
	// +optional
	RunStrategy RunStrategy `json:"runStrategy,omitempty"`

	// cpu overrides the processor of the class, field by field.
	// +optional
	CPU MachineCPU `json:"cpu,omitzero"`

	// memory overrides the memory of the class, in bytes. 0 means the class decides.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Memory int64 `json:"memory,omitempty"`

	// disks are the disks in order. Without any there is one root disk of 10 GiB.
	// +optional
	Disks []MachineSpecDisk `json:"disks,omitempty"`

	// network says where the virtual machine is attached.
	// +optional
	Network MachineNetwork `json:"network,omitzero"`

	// os describes what is installed on the boot disk.
	// +optional
	OS MachineOS `json:"os,omitzero"`

	// provider says which operator the Machine is for: kubevirt, or nothing, is this one.
	// +optional
	Provider string `json:"provider,omitempty"`

	// providerConfig holds settings of the provider. Its name is the older place of provider.
	// +optional
	ProviderConfig CloudProviderConfig `json:"providerConfig,omitzero"`

	// cloudInit is handed to the guest at its first boot. Unset, there is no cloud-init disk.
	// +optional
	CloudInit *MachineCloudInit `json:"cloudInit,omitempty"`

	// sshKeys are added to the guest's cloud-init, which they ask for by themselves. Beside user data
	// that is no cloud-config, or has ssh_authorized_keys of its own, they are refused.
	// +optional
	SSHKeys []string `json:"sshKeys,omitempty"`

	// userData is kept for other providers and has no effect here: see cloudInit.
	// +optional
	UserData string `json:"userData,omitempty"`

	// tags is kept for other controllers and has no effect here.
	// +optional
	Tags map[string]string `json:"tags,omitempty"`

	// securityGroups is kept for other providers and has no effect here.
	// +optional
	SecurityGroups []string `json:"securityGroups,omitempty"`

	// monitoring is kept for other controllers and has no effect here.
	// +optional
	Monitoring bool `json:"monitoring,omitempty"`

	// backup is kept for other controllers and has no effect here.
	// +optional
	Backup MachineBackup `json:"backup,omitzero"`
}

// ProviderKubevirt is the value of spec.provider (and of the older spec.providerConfig.name) that
// stands for this operator.
const ProviderKubevirt = "kubevirt"

// KubevirtConfigReference names a KubevirtConfig.
type KubevirtConfigReference struct {
	// name of the KubevirtConfig. Empty means no wish.
	// +optional
	Name string `json:"name,omitempty"`
}

// RunStrategy says when a virtual machine runs, in KubeVirt's words.
//
// +kubebuilder:validation:Enum=Always;RerunOnFailure;Manual;Halted;Once
type RunStrategy string

// The run strategies of KubeVirt that make sense for a Machine.
const (
	// RunStrategyAlways keeps the virtual machine running.
	RunStrategyAlways RunStrategy = "Always"
	// RunStrategyRerunOnFailure restarts it when it failed, not when it was shut down.
	RunStrategyRerunOnFailure RunStrategy = "RerunOnFailure"
	// RunStrategyManual leaves start and stop to people.
	RunStrategyManual RunStrategy = "Manual"
	// RunStrategyHalted keeps it stopped.
	RunStrategyHalted RunStrategy = "Halted"
	// RunStrategyOnce runs it to its end, once.
	RunStrategyOnce RunStrategy = "Once"
)

// MachineCPU is the processor of a Machine. 0 in a field means that the class decides.
type MachineCPU struct {
	// cores a socket.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=256
	Cores int `json:"cores,omitempty"`

	// threadsPerCore is the number of threads a core.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=8
	ThreadsPerCore int `json:"threadsPerCore,omitempty"`

	// sockets is the number of sockets.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=16
	Sockets int `json:"sockets,omitempty"`
}

// MachineSpecDisk is a disk that is wanted.
type MachineSpecDisk struct {
	// name of the disk. Unset, it is root for the first disk and disk<index> for the others.
	// +optional
	Name string `json:"name,omitempty"`

	// sizeGB is the size in GiB. It can grow later, and not shrink.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65536
	SizeGB int64 `json:"sizeGB,omitempty"`

	// type of the disk. sata and scsi choose that bus, anything else is virtio. The name of a storage
	// class of the remote cluster chooses that one.
	// +optional
	Type string `json:"type,omitempty"`

	// boot marks the disk to boot from.
	// +optional
	Boot bool `json:"boot,omitempty"`

	// device is kept for other providers and has no effect here.
	// +optional
	Device string `json:"device,omitempty"`

	// encrypted is kept for other providers and has no effect here.
	// +optional
	Encrypted bool `json:"encrypted,omitempty"`

	// iops is kept for other providers and has no effect here.
	// +optional
	// +kubebuilder:validation:Minimum=100
	// +kubebuilder:validation:Maximum=64000
	IOPS int `json:"iops,omitempty"`

	// throughput in MB/s is kept for other providers and has no effect here.
	// +optional
	// +kubebuilder:validation:Minimum=125
	// +kubebuilder:validation:Maximum=4000
	Throughput int `json:"throughput,omitempty"`
}

// MachineNetwork says where a Machine is attached.
type MachineNetwork struct {
	// networkNamespaceName names a NetworkNamespace in the Machine's namespace.
	// +optional
	NetworkNamespaceName string `json:"networkNamespaceName,omitempty"`

	// vpc is kept for other providers and has no effect here.
	// +optional
	VPC string `json:"vpc,omitempty"`

	// subnet is kept for other providers and has no effect here.
	// +optional
	Subnet string `json:"subnet,omitempty"`

	// assignPublicIP is kept for other providers and has no effect here.
	// +optional
	AssignPublicIP bool `json:"assignPublicIP,omitempty"`

	// privateIP is kept for other providers and has no effect here.
	// +optional
	PrivateIP string `json:"privateIP,omitempty"`

	// publicIP is kept for other providers and has no effect here.
	// +optional
	PublicIP string `json:"publicIP,omitempty"`

	// interfaces of the virtual machine. Without any there is one, on the Machine's own
	// NetworkNamespace. Each has the addresses of its own network; the primary one alone has default
	// routes.
	// +optional
	Interfaces []NetworkInterface `json:"interfaces,omitempty"`
}

// NetworkInterface is an interface of a Machine.
type NetworkInterface struct {
	// name of the interface. The first one's is that of its network, and so is another's that has
	// none.
	// +optional
	Name string `json:"name,omitempty"`

	// subnet names a NetworkNamespace in the Machine's namespace. Empty means the Machine's own.
	// +optional
	Subnet string `json:"subnet,omitempty"`

	// securityGroups is kept for other providers and has no effect here.
	// +optional
	SecurityGroups []string `json:"securityGroups,omitempty"`

	// primary marks the interface with the default route. Without a mark it is the first.
	// +optional
	Primary bool `json:"primary,omitempty"`
}

// MachineOS describes what is installed on the boot disk.
type MachineOS struct {
	// family, for example linux; informative.
	// +optional
	Family string `json:"family,omitempty"`

	// distribution, for example ubuntu; informative.
	// +optional
	Distribution string `json:"distribution,omitempty"`

	// version of the distribution; informative.
	// +optional
	Version string `json:"version,omitempty"`

	// architecture of the guest.
	// +optional
	// +kubebuilder:validation:Enum=amd64;arm64;x86_64
	Architecture string `json:"architecture,omitempty"`

	// imageID is the image to boot from, or to install from if it ends in .iso: a URL, or what the
	// annotation kubevirt.io/boot-source-type says. It counts with the annotation
	// kubevirt.io/boot-source.
	// +optional
	ImageID string `json:"imageID,omitempty"`

	// isoUri is the URL of an image to install from. It counts with the annotation
	// kubevirt.io/boot-source.
	// +optional
	ISOUri string `json:"isoUri,omitempty"`

	// imageFamily is kept for other providers and has no effect here.
	// +optional
	ImageFamily string `json:"imageFamily,omitempty"`
}

// CloudProviderConfig holds settings of the provider.
type CloudProviderConfig struct {
	// name of the provider, where spec.provider did not exist yet.
	// +optional
	Name string `json:"name,omitempty"`

	// region is kept for other providers and has no effect here.
	// +optional
	Region string `json:"region,omitempty"`

	// zone is kept for other providers and has no effect here.
	// +optional
	Zone string `json:"zone,omitempty"`

	// config is kept for other providers and has no effect here.
	// +optional
	Config map[string]string `json:"config,omitempty"`

	// credentialsRef is kept for other providers and has no effect here.
	// +optional
	CredentialsRef *CredentialsReference `json:"credentialsRef,omitempty"`
}

// CredentialsReference names a Secret with credentials of another provider.
type CredentialsReference struct {
	// secretName is the name of the Secret.
	// +optional
	SecretName string `json:"secretName,omitempty"`

	// namespace of the Secret. Empty means the Machine's.
	// +optional
	Namespace string `json:"namespace,omitempty"`
}

// MachineBackup is kept for other controllers and has no effect here.
type MachineBackup struct {
	// enabled switches backups on.
	// +optional
	Enabled bool `json:"enabled,omitempty"`

	// schedule in cron format.
	// +optional
	Schedule string `json:"schedule,omitempty"`

	// retentionDays is how long a backup is kept, in days.
	// +optional
	RetentionDays int `json:"retentionDays,omitempty"`
}

// MachineList is a list of Machines.
//
// +kubebuilder:object:root=true
type MachineList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the Machines.
	Items []Machine `json:"items"`
}
