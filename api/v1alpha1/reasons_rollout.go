package v1alpha1

// Reasons of the conditions of a MachineRollout, and of the Machines in its status.
const (
	// ReasonRolledOut: all Machines of the rollout are done.
	ReasonRolledOut = "RolledOut"
	// ReasonRollingOut: Machines are under way.
	ReasonRollingOut = "RollingOut"
	// ReasonMachinesNotHealthy: as many of the chosen Machines are not healthy as may be. No further one
	// begins before fewer are.
	ReasonMachinesNotHealthy = "MachinesNotHealthy"
	// ReasonRolloutUnderWay: an older rollout is for the same Machines. This one begins them when that is
	// over.
	ReasonRolloutUnderWay = "RolloutUnderWay"
	// ReasonRolloutPaused: spec.paused is set, or spec.maxUnavailable lets no Machine begin.
	ReasonRolloutPaused = "RolloutPaused"
	// ReasonRolloutAborting: the rollout was given up, and Machines are still under way.
	ReasonRolloutAborting = "RolloutAborting"
	// ReasonRolloutAborted: the rollout was given up, and nothing of it is under way.
	ReasonRolloutAborted = "RolloutAborted"
	// ReasonRolloutInvalid: what the rollout asks for cannot be done as it stands.
	ReasonRolloutInvalid = "RolloutInvalid"
	// ReasonNotHealthyInTime: a Machine was begun and is not healthy again within spec.deadline.
	ReasonNotHealthyInTime = "NotHealthyInTime"
	// ReasonChangeReverted: somebody took from a Machine what the rollout asked of it.
	ReasonChangeReverted = "ChangeReverted"
	// ReasonOwnedByController: another controller writes what the rollout would change.
	ReasonOwnedByController = "OwnedByController"
	// ReasonMachinesLeft: Machines cannot be begun.
	ReasonMachinesLeft = "MachinesLeft"
)

// rolloutReasons say what the reasons above mean.
var rolloutReasons = []ReasonInfo{
	{Reason: ReasonRolledOut, RolloutConditions: rolloutConditions, Good: true},
	{
		Reason: ReasonRollingOut, RolloutConditions: rolloutConditions, Acts: ActorCluster,
		Help: "it ends by itself",
	},
	{
		Reason: ReasonMachinesNotHealthy, RolloutConditions: rolloutConditions, Acts: ActorCluster,
		Help: "status.stays says which are not healthy; mend them, or raise spec.maxUnavailable",
	},
	{
		Reason: ReasonRolloutUnderWay, RolloutConditions: rolloutConditions, Acts: ActorTime,
		Help: "it goes on when the MachineRollout that the message names is over; abort the one that is not wanted",
	},
	{
		Reason: ReasonRolloutPaused, RolloutConditions: rolloutConditions, Acts: ActorPerson,
		Help: "set spec.paused to false, and spec.maxUnavailable to 1 or more",
	},
	{
		Reason: ReasonRolloutAborting, RolloutConditions: rolloutConditions, Acts: ActorCluster,
		Help: "it ends when the Machines under way are healthy, or with spec.deadline",
	},
	{
		Reason: ReasonRolloutAborted, RolloutConditions: rolloutConditions, Acts: ActorPerson,
		Help: "make a new MachineRollout where it is still wanted",
	},
	{
		Reason: ReasonRolloutInvalid, RolloutConditions: rolloutConditions, Acts: ActorPerson,
		Help: "change what the message names, or make another MachineRollout",
	},
	{
		Reason: ReasonNotHealthyInTime, RolloutConditions: rolloutConditions, Acts: ActorPerson,
		Help: "mend the Machine that the message names: the rollout goes on when it is healthy; " +
			"spec.pauseOnFailure: false goes on without it",
	},
	{
		Reason: ReasonChangeReverted, RolloutConditions: rolloutConditions, Acts: ActorPerson,
		Help: "let whom the message names leave the annotation alone, and make a new MachineRollout",
	},
	{
		Reason: ReasonOwnedByController, RolloutConditions: rolloutConditions, Acts: ActorPerson,
		Help: "change it at the owner that the message names, which writes it into its Machines",
	},
	{
		Reason: ReasonMachinesLeft, RolloutConditions: rolloutConditions, Acts: ActorPerson,
		Help: "status.stays says which, why, and what to do",
	},
}

var rolloutConditions = []string{ConditionReady, ConditionStalled}
