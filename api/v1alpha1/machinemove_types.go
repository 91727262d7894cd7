package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MachineMove is the wish to take one Machine's guest to another cluster, and the story of how that
// went. It stays when the move is over. What is decided stands in the Machine's own record.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=machinemoves,scope=Namespaced,shortName=mmv
// +kubebuilder:printcolumn:name="Machine",type=string,JSONPath=`.spec.machineName`
// +kubebuilder:printcolumn:name="From",type=string,JSONPath=`.status.from`
// +kubebuilder:printcolumn:name="To",type=string,JSONPath=`.status.to`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Copied",type=string,JSONPath=`.status.progress`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type MachineMove struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says which Machine goes where.
	// +required
	Spec MachineMoveSpec `json:"spec,omitzero"`

	// status is how far it is. Only the operator writes it.
	// +optional
	Status MachineMoveStatus `json:"status,omitzero"`
}

// MoveMode is how a guest goes from one cluster to another.
//
// +kubebuilder:validation:Enum=Cold
type MoveMode string

// MoveModeCold stops the guest, copies its disks, and starts it at the target.
const MoveModeCold MoveMode = "Cold"

// MachineMoveSpec says which Machine goes where.
//
// +kubebuilder:validation:XValidation:rule="self.machineName == oldSelf.machineName",message="machineName cannot be changed: make another MachineMove"
// +kubebuilder:validation:XValidation:rule="has(self.to) == has(oldSelf.to) && (!has(self.to) || self.to == oldSelf.to)",message="to cannot be changed: make another MachineMove"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.abort) || !oldSelf.abort || (has(self.abort) && self.abort)",message="abort cannot be taken back: make another MachineMove"
type MachineMoveSpec struct {
	// machineName is the Machine, in the namespace of the MachineMove.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	MachineName string `json:"machineName"`

	// to is the KubevirtConfig of the target. Empty lets the operator choose: the cluster that the
	// Machine fits best.
	// +optional
	To string `json:"to,omitempty"`

	// mode is how the guest goes.
	// +optional
	// +kubebuilder:default=Cold
	Mode MoveMode `json:"mode,omitempty"`

	// abort gives the move up. Before the Machine is at the target everything goes back to as it was;
	// after that it has no effect.
	// +optional
	Abort bool `json:"abort,omitempty"`

	// keep says which copy of the disks counts where the operator cannot tell, because somebody started
	// the source meanwhile or one side is gone. The other one is lost. It has no effect before the
	// MachineMove says that it is needed.
	// +optional
	Keep MoveSide `json:"keep,omitempty"`

	// timeouts bound the steps.
	// +optional
	Timeouts MoveTimeouts `json:"timeouts,omitzero"`
}

// MoveSide is one side of a move.
//
// +kubebuilder:validation:Enum=Source;Target
type MoveSide string

// The sides of a move.
const (
	MoveSideSource MoveSide = "Source"
	MoveSideTarget MoveSide = "Target"
)

// MoveTimeouts bound the steps of a move. A step before the commit that takes longer gives the move
// up, one after it is only told.
type MoveTimeouts struct {
	// stop is how long the guest may take to shut down. Default: 5m.
	// +optional
	Stop *metav1.Duration `json:"stop,omitempty"`

	// export is how long the source cluster may take to offer the disks. Default: 5m.
	// +optional
	Export *metav1.Duration `json:"export,omitempty"`

	// copy is how long no disk may make progress. Default: 15m.
	// +optional
	Copy *metav1.Duration `json:"copy,omitempty"`

	// start is how long the guest may take to run at the target. Default: 10m.
	// +optional
	Start *metav1.Duration `json:"start,omitempty"`
}

// MovePhase sums a move up in one word.
type MovePhase string

// The phases of a move.
const (
	// MovePhasePending: nothing is done yet.
	MovePhasePending MovePhase = "Pending"
	// MovePhaseStopping: the guest shuts down in the source cluster.
	MovePhaseStopping MovePhase = "Stopping"
	// MovePhaseCopying: the disks are copied.
	MovePhaseCopying MovePhase = "Copying"
	// MovePhaseStarting: the Machine is at the target, where the guest starts.
	MovePhaseStarting MovePhase = "Starting"
	// MovePhaseCleaning: what is left in the source cluster is deleted.
	MovePhaseCleaning MovePhase = "Cleaning"
	// MovePhaseAborting: everything goes back to as it was.
	MovePhaseAborting MovePhase = "Aborting"
	// MovePhaseSucceeded: it is over, and the Machine is at the target.
	MovePhaseSucceeded MovePhase = "Succeeded"
	// MovePhaseFailed: it is over, and the Machine is where it was.
	MovePhaseFailed MovePhase = "Failed"
)

// Over says whether a move in this phase is over.
func (p MovePhase) Over() bool { return p == MovePhaseSucceeded || p == MovePhaseFailed }

// MachineMoveStatus is how far a move is.
type MachineMoveStatus struct {
	// observedGeneration is the metadata.generation that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// phase sums it up in one word.
	// +optional
	Phase MovePhase `json:"phase,omitempty"`

	// from is the KubevirtConfig that the Machine leaves.
	// +optional
	From string `json:"from,omitempty"`

	// to is the KubevirtConfig that it goes to.
	// +optional
	To string `json:"to,omitempty"`

	// steps are the phases that were begun, in their order, with their times.
	// +optional
	// +listType=map
	// +listMapKey=phase
	Steps []MoveStep `json:"steps,omitempty"`

	// disks are the disks that are copied.
	// +optional
	// +listType=map
	// +listMapKey=name
	Disks []MoveDisk `json:"disks,omitempty"`

	// bytes is the size of all disks.
	// +optional
	Bytes int64 `json:"bytes,omitempty"`

	// copied is how much of it is at the target.
	// +optional
	Copied int64 `json:"copied,omitempty"`

	// progress is the same for people, for example 12.5 of 20 GiB.
	// +optional
	Progress string `json:"progress,omitempty"`

	// conditions are Ready (True when the Machine is at the target and nothing is left of the move),
	// and Stalled (True when a person must act, or when it has failed).
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// MoveStep is a phase of a move that was begun.
type MoveStep struct {
	// phase that was begun.
	// +required
	Phase MovePhase `json:"phase"`
	// startedAt is when it began.
	// +required
	StartedAt metav1.Time `json:"startedAt"`
	// endedAt is when the next one began. Unset means that it goes on.
	// +optional
	EndedAt *metav1.Time `json:"endedAt,omitempty"`
}

// MoveDisk is a disk that is copied.
type MoveDisk struct {
	// name of its volume in the VirtualMachine.
	// +required
	Name string `json:"name"`
	// claim is its PersistentVolumeClaim, in both clusters.
	// +required
	Claim string `json:"claim"`
	// bytes is its size.
	// +required
	Bytes int64 `json:"bytes"`
	// copied is how much of it is at the target.
	// +optional
	Copied int64 `json:"copied,omitempty"`
	// phase is that of its DataVolume at the target.
	// +optional
	Phase string `json:"phase,omitempty"`
}

// GetConditions returns the conditions. The slice is shared with the MachineMove.
func (m *MachineMove) GetConditions() []metav1.Condition { return m.Status.Conditions }

// SetConditions replaces all conditions. The slice is shared with the caller afterwards.
func (m *MachineMove) SetConditions(conditions []metav1.Condition) { m.Status.Conditions = conditions }

// MachineMoveList is a list of MachineMoves.
//
// +kubebuilder:object:root=true
type MachineMoveList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the MachineMoves.
	Items []MachineMove `json:"items"`
}
