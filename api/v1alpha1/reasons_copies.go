package v1alpha1

// Reasons of a Machine's NoCopies.
const (
	// ReasonNoCopies: only the Machine's own VirtualMachine and disks carry its labels.
	ReasonNoCopies = "NoCopies"
	// ReasonCopiesFound: other objects carry the Machine's labels, for example clones or restored
	// copies. They are a person's and stay.
	ReasonCopiesFound = "CopiesFound"
)

// copiesReasons say what the reasons above mean.
var copiesReasons = []ReasonInfo{
	{Reason: ReasonNoCopies, Condition: ConditionNoCopies, Good: true},
	{
		Reason: ReasonCopiesFound, Condition: ConditionNoCopies, Acts: ActorPerson, Harmless: true,
		Help: "nothing has to be done; take the label vitistack.io/machine-uid off the copies to end it",
	},
}
