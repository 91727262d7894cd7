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
	{
		Reason: ReasonNotChecked, Acts: ActorTime,
		ConfigConditions: []string{
			ConditionIdentityVerified, ConditionRightsSufficient, ConditionKubeVirtReady,
			ConditionSchemaCompatible, ConditionNoOrphans,
		},
		Help: "it ends when the cluster could be asked",
	},
}
