package v1alpha1

// Reasons of a Machine's Ready that are no other condition's. Else Ready repeats the reason of
// the condition that decides it.
const (
	// ReasonReady: every other condition is True.
	ReasonReady = "Ready"
	// ReasonPaused: the annotation vitistack.io/paused is set, or the KubevirtConfig takes no new
	// Machines.
	ReasonPaused = "Paused"
	// ReasonReferenceChanged: the Machine is placed and now asks for another cluster. It stays
	// where it is.
	ReasonReferenceChanged = "ReferenceChanged"
	// ReasonLedgerConflict: ledger and status name different places, so neither is trusted.
	ReasonLedgerConflict = "LedgerConflict"
	// ReasonLedgerInvalid: the annotation vitistack.io/placement cannot be read.
	ReasonLedgerInvalid = "LedgerInvalid"
	// ReasonRestartRequired: a change waits for the guest's next start.
	ReasonRestartRequired = "RestartRequired"
	// ReasonDeleting: the Machine is being deleted and what was made for it is going.
	ReasonDeleting = "Deleting"
	// ReasonSupervisorRefused: the supervisor's API server refuses a write that the Machine needs,
	// for example by a policy or a quota.
	ReasonSupervisorRefused = "SupervisorRefused"
	// ReasonRetrying: a call failed for a reason that may pass by itself, and is tried again.
	ReasonRetrying = "Retrying"
	// ReasonApplying: a change of the Machine has not reached its virtual machine yet.
	ReasonApplying = "Applying"
	// ReasonMoving: the Machine is being moved to another cluster, or back. Its MachineMove says how far
	// that is.
	ReasonMoving = "Moving"
	// ReasonRestarting: the guest is being restarted, as the annotation vitistack.io/restart asks.
	ReasonRestarting = "Restarting"
	// ReasonRestartRefused: KubeVirt does not restart the guest.
	ReasonRestartRefused = "RestartRefused"
	// ReasonPauseRefused: KubeVirt does not pause the guest, or does not resume it.
	ReasonPauseRefused = "PauseRefused"
	// ReasonGuestRightMissing: the cluster's kubeconfig lacks a right to restart, pause or resume guests.
	ReasonGuestRightMissing = "GuestRightMissing"
	// ReasonGuestRecordInvalid: the operator's record of a restart or a pause cannot be read.
	ReasonGuestRecordInvalid = "GuestRecordInvalid"
)

// readyReasons say what the reasons above mean.
var readyReasons = []ReasonInfo{
	{Reason: ReasonReady, Condition: ConditionReady, Good: true},
	{
		Reason: ReasonPaused, Condition: ConditionReady, Acts: ActorPerson, Ordinary: true,
		ConfigConditions: []string{ConditionConnected},
		Help:             "take the annotation vitistack.io/paused off, or set the KubevirtConfig's spec.paused to false",
	},
	{
		Reason: ReasonReferenceChanged, Condition: ConditionReady, Acts: ActorPerson,
		Help: "name the cluster again in which the Machine is placed: it is not moved",
	},
	{
		Reason: ReasonLedgerConflict, Condition: ConditionReady, Acts: ActorPerson,
		FailsUnplaced: true, DoubtsLedger: true,
		Help: "let the annotation vitistack.io/placement and the status name the same place again",
	},
	{
		Reason: ReasonLedgerInvalid, Condition: ConditionReady, Acts: ActorPerson,
		FailsUnplaced: true, DoubtsLedger: true,
		Help: "restore the annotation vitistack.io/placement, or take it off where no virtual machine was ever made",
	},
	{
		Reason: ReasonRestartRequired, Condition: ConditionReady, Acts: ActorPerson,
		Ordinary: true, Harmless: true,
		Help: "restart the guest when it suits: kubectl machine restart NAME",
	},
	{
		Reason: ReasonDeleting, Condition: ConditionReady, Acts: ActorCluster,
		Help: "it ends when the virtual machine and its disks are gone; the message names what holds them",
	},
	{
		Reason: ReasonApplying, Condition: ConditionReady, Acts: ActorTime, Ordinary: true,
		Help: "it ends when the change has reached the virtual machine",
	},
	{
		Reason: ReasonMoving, Condition: ConditionReady, Acts: ActorTime, Ordinary: true,
		Help: "look at the MachineMove that the message names; its spec.abort gives the move up",
	},
	{
		Reason: ReasonRestarting, Condition: ConditionReady, Acts: ActorCluster, Ordinary: true,
		Help: "it ends when another instance of the guest runs",
	},
	{
		Reason: ReasonRestartRefused, Condition: ConditionReady, Acts: ActorPerson,
		Help: "do what KubeVirt's message asks for, or take the annotation vitistack.io/restart off",
	},
	{
		Reason: ReasonPauseRefused, Condition: ConditionReady, Acts: ActorPerson,
		Help: "do what KubeVirt's message asks for, or take the annotation vitistack.io/pause-guest off",
	},
	{
		Reason: ReasonGuestRightMissing, Condition: ConditionReady, Acts: ActorPerson,
		Help: "give the right that the message names, in the remote cluster: kubectl apply -k deploy/remote/guest",
	},
	{
		Reason: ReasonGuestRecordInvalid, Condition: ConditionReady, Acts: ActorPerson,
		Help: "take the annotation off that the message names",
	},
	{
		Reason: ReasonSupervisorRefused, Condition: ConditionReady, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "change the policy, quota or right that the message names, in the supervisor cluster",
	},
	{
		Reason: ReasonRetrying, Condition: ConditionReady, Acts: ActorTime,
		Help: "it is tried again by itself, less and less often; where it stays, mend what the message names",
	},
}
