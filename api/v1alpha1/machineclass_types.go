package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MachineClass is a size that Machines choose by name, in spec.machineClass or spec.instanceType.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=machineclasses,scope=Cluster,shortName=mc
// +kubebuilder:printcolumn:name="Display Name",type=string,JSONPath=`.spec.displayName`
// +kubebuilder:printcolumn:name="Category",type=string,JSONPath=`.spec.category`
// +kubebuilder:printcolumn:name="Default",type=string,JSONPath=`.spec.default`
// +kubebuilder:printcolumn:name="Cpu Cores",type=string,JSONPath=`.spec.cpu.cores`
// +kubebuilder:printcolumn:name="Cpu Sockets",type=string,JSONPath=`.spec.cpu.sockets`
// +kubebuilder:printcolumn:name="Cpu Threads",type=string,JSONPath=`.spec.cpu.threads`
// +kubebuilder:printcolumn:name="Gpu Cores",type=string,JSONPath=`.spec.gpu.cores`
// +kubebuilder:printcolumn:name="Memory",type=string,JSONPath=`.spec.memory.quantity`
// +kubebuilder:printcolumn:name="Enabled",type=string,JSONPath=`.spec.enabled`
// +kubebuilder:printcolumn:name="Machines",type=integer,JSONPath=`.status.machines`
// +kubebuilder:printcolumn:name="Outdated",type=integer,JSONPath=`.status.outdated`
// +kubebuilder:printcolumn:name="Created",type=string,JSONPath=`.status.created`,description="Creation Timestamp"
type MachineClass struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the size.
	// +optional
	Spec MachineClassSpec `json:"spec,omitzero"`

	// status belongs to whoever manages classes; the operator writes machines and outdated alone.
	// +optional
	Status MachineClassStatus `json:"status,omitzero"`
}

// MachineClassSpec is a size.
type MachineClassSpec struct {
	// enabled says whether Machines may use the class. Unset means true.
	// +optional
	// +kubebuilder:default=true
	Enabled *bool `json:"enabled,omitempty"`

	// default makes it the class of new Machines that name none. Of several the newest counts.
	// +optional
	// +kubebuilder:default=false
	Default bool `json:"default,omitempty"`

	// category is a word for people to group classes by.
	// +optional
	// +kubebuilder:default=Standard
	Category string `json:"category,omitempty"`

	// memory of a virtual machine of this class.
	// +required
	Memory MachineClassMemorySpec `json:"memory"`

	// cpu is the processor of a virtual machine of this class.
	// +required
	CPU MachineClassCPUSpec `json:"cpu"`

	// machineProviders lists the providers that the class is meant for. Empty means all; it counts
	// where NAME_MACHINE_PROVIDER is set.
	// +optional
	MachineProviders []string `json:"machineProviders,omitempty"`

	// gpu is kept for other providers and has no effect here.
	// +optional
	GPU *MachineClassGPUSpec `json:"gpu,omitempty"`

	// description is a sentence for people.
	// +optional
	Description string `json:"description,omitempty"`

	// displayName is a name for people.
	// +optional
	DisplayName string `json:"displayName,omitempty"`
}

// MachineClassMemorySpec is the memory of a class.
type MachineClassMemorySpec struct {
	// quantity of memory, for example 4Gi.
	// +required
	Quantity resource.Quantity `json:"quantity"`

	// minQuantity is kept for other controllers and has no effect here.
	// +optional
	MinQuantity *resource.Quantity `json:"minQuantity,omitempty"`

	// maxQuantity is kept for other controllers and has no effect here.
	// +optional
	MaxQuantity *resource.Quantity `json:"maxQuantity,omitempty"`
}

// MachineClassCPUSpec is the processor of a class.
type MachineClassCPUSpec struct {
	// cores a socket.
	// +required
	// +kubebuilder:validation:Minimum=0
	Cores int64 `json:"cores"`

	// sockets is the number of sockets. Unset or 0 means one.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Sockets int64 `json:"sockets,omitempty"`

	// threads a core. Unset or 0 means one.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Threads int64 `json:"threads,omitempty"`
}

// MachineClassGPUSpec is the graphics processor of a class.
type MachineClassGPUSpec struct {
	// cores is the number of graphics cores.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Cores int64 `json:"cores,omitempty"`

	// manufacturer of the graphics processor.
	// +optional
	Manufacturer string `json:"manufacturer,omitempty"`
}

// MachineClassStatus is what a manager of classes reports, and who uses the class.
type MachineClassStatus struct {
	// name of the class.
	// +optional
	Name string `json:"name,omitempty"`

	// phase of the class.
	// +optional
	Phase string `json:"phase,omitempty"`

	// status of the class.
	// +optional
	Status string `json:"status,omitempty"`

	// message is a sentence for people.
	// +optional
	Message string `json:"message,omitempty"`

	// created is when the class was created, as text.
	// +optional
	Created string `json:"created,omitempty"`

	// machines is how many Machines have their size from this class. The operator writes it.
	// +optional
	Machines *int32 `json:"machines,omitempty"`

	// outdated is how many of them are of another size than the class gives now. They stay so until a
	// person resizes them, for example with a MachineRollout. The operator writes it.
	// +optional
	Outdated *int32 `json:"outdated,omitempty"`
}

// IsEnabled reports whether Machines may use the class.
func (c *MachineClass) IsEnabled() bool {
	return c.Spec.Enabled == nil || *c.Spec.Enabled
}

// MachineClassList is a list of MachineClasses.
//
// +kubebuilder:object:root=true
type MachineClassList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the MachineClasses.
	Items []MachineClass `json:"items"`
}
