package v1alpha1

// Reasons of a KubevirtConfig's other conditions.
const (
	// ReasonRightsSufficient: every right is there.
	ReasonRightsSufficient = "RightsSufficient"
	// ReasonRightsMissing: some right is not there.
	ReasonRightsMissing = "RightsMissing"
	// ReasonKubeVirtReady: KubeVirt works.
	ReasonKubeVirtReady = "KubeVirtReady"
	// ReasonKubeVirtMissing: KubeVirt is not installed.
	ReasonKubeVirtMissing = "KubeVirtMissing"
	// ReasonKubeVirtNotReady: KubeVirt is installed and does not work.
	ReasonKubeVirtNotReady = "KubeVirtNotReady"
	// ReasonSchemaCompatible: what the operator writes is admitted and kept.
	ReasonSchemaCompatible = "SchemaCompatible"
	// ReasonSchemaIncompatible: some of it is refused or dropped.
	ReasonSchemaIncompatible = "SchemaIncompatible"
	// ReasonNoOrphans: every VirtualMachine has its Machine.
	ReasonNoOrphans = "NoOrphans"
	// ReasonOrphansFound: some VirtualMachine has not.
	ReasonOrphansFound = "OrphansFound"
	// ReasonNotShared: no other KubevirtConfig leads to the cluster.
	ReasonNotShared = "NotShared"
	// ReasonShared: another KubevirtConfig leads to the same cluster.
	ReasonShared = "Shared"
	// ReasonReleasable: no Machine is placed in the cluster, and nothing is owed to it.
	ReasonReleasable = "Releasable"
	// ReasonMachinesPlaced: Machines are placed in the cluster.
	ReasonMachinesPlaced = "MachinesPlaced"
	// ReasonDebtsOwed: VirtualMachines of Machines that are gone are still to be deleted in the
	// cluster.
	ReasonDebtsOwed = "DebtsOwed"
	// ReasonNotChecked: there was no chance to look yet.
	ReasonNotChecked = "NotChecked"
)

// configReasons say what the reasons above mean.
var configReasons = []ReasonInfo{
	{Reason: ReasonRightsSufficient, Good: true, ConfigConditions: []string{ConditionRightsSufficient}},
	{
		Reason: ReasonRightsMissing, Acts: ActorPerson,
		ConfigConditions: []string{ConditionRightsSufficient},
		Help:             "give the kubeconfig's user the rights that the message names",
	},
	{Reason: ReasonKubeVirtReady, Good: true, ConfigConditions: []string{ConditionKubeVirtReady}},
	{
		Reason: ReasonKubeVirtMissing, Acts: ActorPerson,
		ConfigConditions: []string{ConditionKubeVirtReady},
		Help:             "install KubeVirt in the cluster",
	},
	{
		Reason: ReasonKubeVirtNotReady, Acts: ActorPerson,
		ConfigConditions: []string{ConditionKubeVirtReady},
		Help:             "look at the KubeVirt object of the cluster",
	},
	{Reason: ReasonSchemaCompatible, Good: true, ConfigConditions: []string{ConditionSchemaCompatible}},
	{
		Reason: ReasonSchemaIncompatible, Acts: ActorPerson,
		ConfigConditions: []string{ConditionSchemaCompatible},
		Help:             "update KubeVirt or CDI in the cluster: the message names the fields",
	},
	{Reason: ReasonNoOrphans, Good: true, ConfigConditions: []string{ConditionNoOrphans}},
	{
		Reason: ReasonOrphansFound, Acts: ActorPerson,
		ConfigConditions: []string{ConditionNoOrphans},
		Help:             "look at them with operator orphans, and delete them by UID",
	},
	{Reason: ReasonNotShared, Good: true, ConfigConditions: []string{ConditionNotShared}},
	{
		Reason: ReasonShared, Acts: ActorPerson,
		ConfigConditions: []string{ConditionNotShared},
		Help:             "keep one KubevirtConfig for each cluster: the message names the others",
	},
	{Reason: ReasonReleasable, Good: true, ConfigConditions: []string{ConditionReleasable}},
	{
		Reason: ReasonMachinesPlaced, Acts: ActorPerson,
		ConfigConditions: []string{ConditionReleasable},
		Help:             "delete or release the Machines that the message names",
	},
	{
		Reason: ReasonDebtsOwed, Acts: ActorCluster,
		ConfigConditions: []string{ConditionReleasable},
		Help:             "let the cluster answer, or take the debts that the message names out of the ConfigMap",
	},
	{
		Reason: ReasonNotChecked, Acts: ActorTime,
		ConfigConditions: []string{
			ConditionIdentityVerified, ConditionRightsSufficient, ConditionKubeVirtReady,
			ConditionSchemaCompatible, ConditionNoOrphans,
		},
		Help: "it ends when the cluster could be asked",
	},
}
