package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Evacuation empties a cluster: it moves the Machines that are placed there to others, a few at a
// time. It stands in the namespace of the KubevirtConfigs.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=evacuations,scope=Namespaced,shortName=evac
// +kubebuilder:printcolumn:name="Config",type=string,JSONPath=`.spec.config`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Total",type=integer,JSONPath=`.status.total`
// +kubebuilder:printcolumn:name="Moved",type=integer,JSONPath=`.status.moved`
// +kubebuilder:printcolumn:name="Moving",type=integer,JSONPath=`.status.moving`
// +kubebuilder:printcolumn:name="Left",type=integer,JSONPath=`.status.left`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Evacuation struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says which cluster is emptied, and how.
	// +required
	Spec EvacuationSpec `json:"spec,omitzero"`

	// status is how far it is. Only the operator writes it.
	// +optional
	Status EvacuationStatus `json:"status,omitzero"`
}

// EvacuationSpec says which cluster is emptied, and how.
//
// +kubebuilder:validation:XValidation:rule="self.config == oldSelf.config",message="config cannot be changed: make another Evacuation"
type EvacuationSpec struct {
	// config is the KubevirtConfig whose cluster is emptied. No move goes there meanwhile; its own
	// spec.paused keeps new Machines away.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Config string `json:"config"`

	// selector chooses Machines by their labels. Absent means all.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`

	// mode is how the guests go.
	// +optional
	// +kubebuilder:default=Cold
	Mode MoveMode `json:"mode,omitempty"`

	// maxInFlight is how many moves are under way at once.
	// +optional
	// +kubebuilder:default=4
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=64
	MaxInFlight int32 `json:"maxInFlight,omitempty"`

	// maxUnavailable is how many of the Machines may be not Ready at once, whatever the cause, as a
	// number or a share of all (20%). No further move begins before fewer are. Absent means that only
	// maxInFlight limits.
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:Pattern=`^(100|[0-9]{1,2})%$`
	MaxUnavailable *intstr.IntOrString `json:"maxUnavailable,omitempty"`

	// order is which Machines go first.
	// +optional
	// +kubebuilder:default=SmallestFirst
	Order EvacuationOrder `json:"order,omitempty"`

	// pauseOnFailure begins no further move once one has failed, until that MachineMove is deleted.
	// +optional
	// +kubebuilder:default=true
	PauseOnFailure *bool `json:"pauseOnFailure,omitempty"`

	// paused begins no further move. Those under way go on.
	// +optional
	Paused bool `json:"paused,omitempty"`
}

// EvacuationOrder is which Machines go first.
//
// +kubebuilder:validation:Enum=SmallestFirst;LargestFirst;OldestFirst;Name
type EvacuationOrder string

// The orders. Size is that of the disks.
const (
	EvacuateSmallestFirst EvacuationOrder = "SmallestFirst"
	EvacuateLargestFirst  EvacuationOrder = "LargestFirst"
	EvacuateOldestFirst   EvacuationOrder = "OldestFirst"
	EvacuateByName        EvacuationOrder = "Name"
)

// EvacuationPhase sums an evacuation up in one word.
type EvacuationPhase string

// The phases of an evacuation.
const (
	// EvacuationMoving: Machines go.
	EvacuationMoving EvacuationPhase = "Moving"
	// EvacuationPaused: no further move begins until a person acts.
	EvacuationPaused EvacuationPhase = "Paused"
	// EvacuationSucceeded: none of the chosen Machines is left.
	EvacuationSucceeded EvacuationPhase = "Succeeded"
	// EvacuationIncomplete: those that are left cannot be moved. It goes on by itself when that
	// changes.
	EvacuationIncomplete EvacuationPhase = "Incomplete"
)

// EvacuationStatus is how far an evacuation is.
type EvacuationStatus struct {
	// observedGeneration is the metadata.generation that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// phase sums it up in one word.
	// +optional
	Phase EvacuationPhase `json:"phase,omitempty"`

	// total is how many Machines were or are to be moved.
	// +optional
	Total int32 `json:"total"`

	// moved is how many of them are at their target.
	// +optional
	Moved int32 `json:"moved"`

	// moving is how many are on their way.
	// +optional
	Moving int32 `json:"moving"`

	// left is how many are still in the cluster, those on their way included.
	// +optional
	Left int32 `json:"left"`

	// stays are Machines that cannot be moved now, and why, at most 50.
	// +optional
	// +listType=atomic
	Stays []EvacuationLeft `json:"stays,omitempty"`

	// conditions are Ready (True when none of the Machines is left) and Stalled (True when a person
	// must act).
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// EvacuationLeft is a Machine that stays.
type EvacuationLeft struct {
	// machine is its namespace/name.
	// +required
	Machine string `json:"machine"`
	// reason is a word.
	// +required
	Reason string `json:"reason"`
	// message is a sentence with what to do.
	// +optional
	Message string `json:"message,omitempty"`
}

// GetConditions returns the conditions. The slice is shared with the Evacuation.
func (e *Evacuation) GetConditions() []metav1.Condition { return e.Status.Conditions }

// SetConditions replaces all conditions. The slice is shared with the caller afterwards.
func (e *Evacuation) SetConditions(conditions []metav1.Condition) { e.Status.Conditions = conditions }

// EvacuationList is a list of Evacuations.
//
// +kubebuilder:object:root=true
type EvacuationList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the Evacuations.
	Items []Evacuation `json:"items"`
}
