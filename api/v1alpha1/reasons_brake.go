package v1alpha1

// Reasons of the brake, which holds what would end many guests at once.
const (
	// ReasonDeletionHeld: more Machines are deleted at once than the brake lets go. Nothing of this one
	// is deleted until a person says so.
	ReasonDeletionHeld = "DeletionHeld"
	// ReasonDeletionReleased: the deletion was held, and a person let it go.
	ReasonDeletionReleased = "DeletionReleased"
	// ReasonChangeHeld: more Machines ask at once for a change that stops their guests, or needs a
	// restart, than the brake lets go. The virtual machine stays as it is until a person says so.
	ReasonChangeHeld = "ChangeHeld"
)

// brakeReasons say what the reasons above mean.
var brakeReasons = []ReasonInfo{
	{
		Reason: ReasonDeletionHeld, Condition: ConditionDeletionHeld, Acts: ActorPerson,
		Help: "let it go with kubectl machine confirm, or keep the virtual machine with kubectl machine keep",
	},
	{
		Reason: ReasonDeletionReleased, Condition: ConditionDeletionHeld, Acts: ActorCluster, Ordinary: true,
		Help: "nothing has to be done: the deletion goes on",
	},
	{
		Reason: ReasonChangeHeld, Condition: ConditionVirtualMachineReady, Acts: ActorPerson,
		Help: "let it go with kubectl machine confirm --change, or take the change back",
	},
}
