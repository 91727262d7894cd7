package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// MachineRollout restarts or resizes many Machines, a few at a time: each one is healthy again before
// the next ones begin. It chooses among the Machines of its namespace that were there before it.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=machinerollouts,scope=Namespaced,shortName=mro
// +kubebuilder:printcolumn:name="Action",type=string,JSONPath=`.spec.action`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Total",type=integer,JSONPath=`.status.total`
// +kubebuilder:printcolumn:name="Updated",type=integer,JSONPath=`.status.updated`
// +kubebuilder:printcolumn:name="Unavailable",type=integer,JSONPath=`.status.unavailable`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type MachineRollout struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says what is done to which Machines, and how carefully.
	// +required
	Spec MachineRolloutSpec `json:"spec,omitzero"`

	// status is how far it is. Only the operator writes it.
	// +optional
	Status MachineRolloutStatus `json:"status,omitzero"`
}

// MachineRolloutSpec says what is done to which Machines, and how carefully.
//
// +kubebuilder:validation:XValidation:rule="self.action == oldSelf.action",message="action cannot be changed: make another MachineRollout"
// +kubebuilder:validation:XValidation:rule="has(self.resize) == has(oldSelf.resize) && (!has(self.resize) || self.resize == oldSelf.resize)",message="resize cannot be changed: make another MachineRollout"
// +kubebuilder:validation:XValidation:rule="!has(self.resize) || self.action == 'Resize'",message="resize goes with the action Resize"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.abort) || !oldSelf.abort || (has(self.abort) && self.abort)",message="abort cannot be taken back: make another MachineRollout"
type MachineRolloutSpec struct {
	// action is what is done to each Machine.
	// +required
	Action RolloutAction `json:"action"`

	// selector chooses Machines by their labels. Absent means all.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`

	// class chooses the Machines that ask for this MachineClass, by machineClass or instanceType.
	// Absent means all. A Machine must be chosen by both class and selector.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Class string `json:"class,omitempty"`

	// allNamespaces chooses among the Machines of all namespaces. It counts in the namespace of the
	// KubevirtConfigs, and is refused in any other.
	// +optional
	AllNamespaces bool `json:"allNamespaces,omitempty"`

	// which of the chosen Machines need it: All of them, or those Needed: with a change that waits for a
	// restart, or of another size than their class. Absent means All for Restart, and Needed for
	// Resize.
	// +optional
	Which RolloutWhich `json:"which,omitempty"`

	// resize says what the action Resize changes beyond taking the class's sizes anew.
	// +optional
	Resize *RolloutNewSize `json:"resize,omitempty"`

	// maxUnavailable is how many of the chosen Machines may be not healthy at once, whatever the cause,
	// as a number or a share of all (20%, rounded down, at least one). No further Machine begins before
	// fewer are. 0 lets none begin.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:Pattern=`^(100|[0-9]{1,2})%$`
	MaxUnavailable *intstr.IntOrString `json:"maxUnavailable,omitempty"`

	// order is which Machines go first.
	// +optional
	// +kubebuilder:default=OldestFirst
	Order RolloutOrder `json:"order,omitempty"`

	// pauseOnFailure begins no further Machine while one that was begun is not healthy again within the
	// deadline, or its change was taken back.
	// +optional
	// +kubebuilder:default=true
	PauseOnFailure *bool `json:"pauseOnFailure,omitempty"`

	// deadline is how long a Machine may take to be healthy again.
	// +optional
	// +kubebuilder:default="10m"
	Deadline *metav1.Duration `json:"deadline,omitempty"`

	// minReadySeconds is how long a Machine must have been healthy before it counts as done.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=86400
	MinReadySeconds int32 `json:"minReadySeconds,omitempty"`

	// healthy is what a healthy Machine has beside the condition Ready.
	// +optional
	Healthy *RolloutHealthy `json:"healthy,omitempty"`

	// paused begins no further Machine. Those under way go on.
	// +optional
	Paused bool `json:"paused,omitempty"`

	// abort begins no further Machine, ever. Those under way go on to their end.
	// +optional
	Abort bool `json:"abort,omitempty"`
}

// RolloutAction is what a rollout does to each Machine.
//
// +kubebuilder:validation:Enum=Restart;Resize
type RolloutAction string

// The actions.
const (
	// RolloutRestart restarts the guest.
	RolloutRestart RolloutAction = "Restart"
	// RolloutResize takes the class's processor and memory anew, and restarts the guest.
	RolloutResize RolloutAction = "Resize"
)

// RolloutWhich says which of the chosen Machines a rollout is for.
//
// +kubebuilder:validation:Enum=All;Needed
type RolloutWhich string

// The values of which.
const (
	RolloutAll    RolloutWhich = "All"
	RolloutNeeded RolloutWhich = "Needed"
)

// RolloutOrder is which Machines go first.
//
// +kubebuilder:validation:Enum=OldestFirst;NewestFirst;SmallestFirst;LargestFirst;Name
type RolloutOrder string

// The orders. Size is that of the memory.
const (
	RolloutOldestFirst   RolloutOrder = "OldestFirst"
	RolloutNewestFirst   RolloutOrder = "NewestFirst"
	RolloutSmallestFirst RolloutOrder = "SmallestFirst"
	RolloutLargestFirst  RolloutOrder = "LargestFirst"
	RolloutByName        RolloutOrder = "Name"
)

// RolloutNewSize says what the action Resize changes.
type RolloutNewSize struct {
	// class is the MachineClass that the Machines ask for from now on. It is written into the field that
	// they use, machineClass or instanceType. A Machine that another controller owns is refused: that
	// controller would write its own class again. Absent leaves the Machines' classes as they are.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Class string `json:"class,omitempty"`
}

// RolloutHealthy is what a healthy Machine has beside the condition Ready. Other controllers write it,
// for example one that knows when the Machine's node is Ready again.
type RolloutHealthy struct {
	// annotation is one that a healthy Machine has.
	// +optional
	Annotation *RolloutAnnotation `json:"annotation,omitempty"`

	// conditionType is a condition of the Machine that is True while it is healthy.
	// +optional
	// +kubebuilder:validation:MaxLength=316
	ConditionType string `json:"conditionType,omitempty"`
}

// RolloutAnnotation is an annotation of a healthy Machine.
type RolloutAnnotation struct {
	// name of the annotation.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=316
	Name string `json:"name"`
	// value that it has on a healthy Machine.
	// +required
	// +kubebuilder:validation:MaxLength=1024
	Value string `json:"value"`
}

// RolloutPhase sums a rollout up in one word.
type RolloutPhase string

// The phases of a rollout.
const (
	// RolloutProgressing: Machines are under way, or wait for their turn.
	RolloutProgressing RolloutPhase = "Progressing"
	// RolloutPaused: no further Machine begins until a person acts, or the one that failed is healthy.
	RolloutPaused RolloutPhase = "Paused"
	// RolloutSucceeded: all Machines are done. It is over for good.
	RolloutSucceeded RolloutPhase = "Succeeded"
	// RolloutIncomplete: those that are left cannot be done. It goes on by itself when that changes.
	RolloutIncomplete RolloutPhase = "Incomplete"
	// RolloutAborted: it was given up, and nothing of it is under way. It is over for good.
	RolloutAborted RolloutPhase = "Aborted"
)

// Over reports whether the rollout does nothing more, whatever changes.
func (p RolloutPhase) Over() bool { return p == RolloutSucceeded || p == RolloutAborted }

// MachineRolloutStatus is how far a rollout is.
type MachineRolloutStatus struct {
	// observedGeneration is the metadata.generation that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// phase sums it up in one word.
	// +optional
	Phase RolloutPhase `json:"phase,omitempty"`

	// total is how many Machines the rollout is for, those that are done included.
	// +optional
	Total int32 `json:"total"`

	// updated is how many of them are done.
	// +optional
	Updated int32 `json:"updated"`

	// unavailable is how many of the chosen Machines are not healthy, those under way included.
	// +optional
	Unavailable int32 `json:"unavailable"`

	// inFlight are the Machines that are under way. It is the record by which the operator knows what it
	// has begun: a Machine stands here before anything is done to it.
	// +optional
	// +listType=atomic
	InFlight []RolloutInFlight `json:"inFlight,omitempty"`

	// failed are Machines that the rollout gave up, because what it asked of them was refused or taken
	// back. It pauses at 50 of them.
	// +optional
	// +listType=atomic
	Failed []RolloutFailed `json:"failed,omitempty"`

	// stays are Machines that are not begun or not healthy, and why, at most 50.
	// +optional
	// +listType=atomic
	Stays []RolloutLeft `json:"stays,omitempty"`

	// conditions are Ready (True when all Machines are done) and Stalled (True when a person must act).
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// RolloutInFlight is a Machine that is under way.
type RolloutInFlight struct {
	// machine is its namespace/name.
	// +required
	Machine string `json:"machine"`
	// uid is the Machine's. Another Machine of its name is another Machine.
	// +required
	UID types.UID `json:"uid"`
	// since is when it was begun.
	// +required
	Since metav1.Time `json:"since"`
	// asked says that the Machine was seen with what the rollout asks of it.
	// +optional
	Asked bool `json:"asked,omitempty"`
	// healthySince is since when it is done and healthy, where spec.minReadySeconds asks for it.
	// +optional
	HealthySince *metav1.Time `json:"healthySince,omitempty"`
}

// RolloutFailed is a Machine that a rollout gave up.
type RolloutFailed struct {
	// machine is its namespace/name.
	// +required
	Machine string `json:"machine"`
	// uid is the Machine's.
	// +required
	UID types.UID `json:"uid"`
	// reason is a word.
	// +required
	Reason string `json:"reason"`
	// message is a sentence with what to do.
	// +optional
	Message string `json:"message,omitempty"`
}

// RolloutLeft is a Machine that is not begun or not healthy.
type RolloutLeft struct {
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

// GetConditions returns the conditions. The slice is shared with the MachineRollout.
func (r *MachineRollout) GetConditions() []metav1.Condition { return r.Status.Conditions }

// SetConditions replaces all conditions. The slice is shared with the caller afterwards.
func (r *MachineRollout) SetConditions(conditions []metav1.Condition) {
	r.Status.Conditions = conditions
}

// Token is what the annotations vitistack.io/restart and vitistack.io/resize of a Machine have while
// this rollout is at work.
func (r *MachineRollout) Token() string { return RolloutTokenPrefix + string(r.UID) }

// RolloutTokenPrefix begins the tokens of rollouts. Another one is a person's.
const RolloutTokenPrefix = "rollout/"

// MachineRolloutList is a list of MachineRollouts.
//
// +kubebuilder:object:root=true
type MachineRolloutList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the MachineRollouts.
	Items []MachineRollout `json:"items"`
}
