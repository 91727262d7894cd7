package v1alpha1

// Reasons of a Machine's Placed.
const (
	// ReasonPlaced: a cluster is chosen and recorded.
	ReasonPlaced = "Placed"
	// ReasonAdopted: an existing VirtualMachine was taken over, and the Machine is placed where it
	// is.
	ReasonAdopted = "Adopted"
	// ReasonNoKubevirtConfigs: there is no KubevirtConfig to choose from.
	ReasonNoKubevirtConfigs = "NoKubevirtConfigs"
	// ReasonCannotDeterminePlacement: there are several KubevirtConfigs and no strategy has an
	// opinion.
	ReasonCannotDeterminePlacement = "CannotDeterminePlacement"
	// ReasonConfigNotFound: the KubevirtConfig that is asked for, or that the ledger names, does
	// not exist.
	ReasonConfigNotFound = "ConfigNotFound"
	// ReasonConfigTerminating: that KubevirtConfig is being deleted.
	ReasonConfigTerminating = "ConfigTerminating"
	// ReasonReferencesDiffer: field and annotation ask for different clusters.
	ReasonReferencesDiffer = "ReferencesDiffer"
	// ReasonAlreadyPlaced: the Machine asks for one cluster and its VirtualMachine is in another.
	ReasonAlreadyPlaced = "AlreadyPlaced"
	// ReasonClustersUnanswered: the choice needs an answer from clusters that do not give one now.
	ReasonClustersUnanswered = "ClustersUnanswered"
	// ReasonIdentityUnverified: the chosen cluster does not let its identity be read.
	ReasonIdentityUnverified = "IdentityUnverified"
	// ReasonNameCollision: the chosen cluster has a VirtualMachine of the wanted name that is
	// somebody else's.
	ReasonNameCollision = "NameCollision"
	// ReasonDuplicateVM: more than one VirtualMachine of this Machine exists.
	ReasonDuplicateVM = "DuplicateVM"
	// ReasonAdoptionRefused: the VirtualMachine that consent was given for may not be adopted.
	ReasonAdoptionRefused = "AdoptionRefused"
	// ReasonNameTooLong: no valid name for the VirtualMachine can be made from the Machine's.
	ReasonNameTooLong = "NameTooLong"
	// ReasonPluginUnavailable: a strategy of the chain cannot be asked, or gave no usable answer.
	ReasonPluginUnavailable = "PluginUnavailable"
	// ReasonStrategyRefused: a strategy refused the Machine without a reason of its own.
	ReasonStrategyRefused = "StrategyRefused"
	// ReasonStrategyHeld: a strategy asked to wait without a reason of its own.
	ReasonStrategyHeld = "StrategyHeld"
	// ReasonClusterNotAllowed: the KubevirtConfig does not take Machines of this namespace.
	ReasonClusterNotAllowed = "ClusterNotAllowed"
	// ReasonRecordUnconfirmed: the Machine carries a placement record that nothing confirms, for
	// example a copied or forged one.
	ReasonRecordUnconfirmed = "RecordUnconfirmed"
)

// placedReasons say what the reasons above mean.
var placedReasons = []ReasonInfo{
	{Reason: ReasonPlaced, Condition: ConditionPlaced, Good: true},
	{Reason: ReasonAdopted, Condition: ConditionPlaced, Good: true},
	{
		Reason: ReasonNoKubevirtConfigs, Condition: ConditionPlaced, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "create a KubevirtConfig for a cluster",
	},
	{
		Reason: ReasonCannotDeterminePlacement, Condition: ConditionPlaced, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "name a cluster in the annotation vitistack.io/kubevirt-config, or configure a default",
	},
	{
		Reason: ReasonConfigNotFound, Condition: ConditionPlaced, Acts: ActorPerson,
		FailsUnplaced: true, LosesContact: true,
		Help: "create that KubevirtConfig, or correct the reference of a Machine that has no place yet",
	},
	{
		Reason: ReasonConfigTerminating, Condition: ConditionPlaced, Acts: ActorPerson, LosesContact: true,
		Help: "name another cluster; a Machine that is placed keeps the KubevirtConfig",
	},
	{
		Reason: ReasonReferencesDiffer, Condition: ConditionPlaced, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "let spec.kubevirtConfigRef and vitistack.io/kubevirt-config name the same cluster",
	},
	{
		Reason: ReasonAlreadyPlaced, Condition: ConditionPlaced, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "ask for the cluster where the virtual machine is",
	},
	{
		Reason: ReasonClustersUnanswered, Condition: ConditionPlaced, Acts: ActorCluster,
		Help: "it ends when the clusters that the message names answer",
	},
	{
		Reason: ReasonIdentityUnverified, Condition: ConditionPlaced, Acts: ActorPerson,
		MayPass: true, LosesContact: true,
		ConfigConditions: []string{ConditionConnected, ConditionIdentityVerified},
		Help:             "let the kubeconfig read kube-system, or start with --allow-unverified-identity",
	},
	{
		Reason: ReasonNameCollision, Condition: ConditionPlaced, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "rename the Machine, delete the virtual machine in the way, or consent with vitistack.io/adopt",
	},
	{
		Reason: ReasonDuplicateVM, Condition: ConditionPlaced, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "decide which virtual machine is the right one, and delete the other or take its labels off",
	},
	{
		Reason: ReasonAdoptionRefused, Condition: ConditionPlaced, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "correct or take off the annotation vitistack.io/adopt",
	},
	{
		Reason: ReasonNameTooLong, Condition: ConditionPlaced, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "create a Machine with a name that is valid",
	},
	{
		Reason: ReasonPluginUnavailable, Condition: ConditionPlaced, Acts: ActorTime,
		Help: "it ends when the plugin is up again; its log says why it is not",
	},
	{
		Reason: ReasonStrategyRefused, Condition: ConditionPlaced, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "change the Machine, or the configuration of the strategies",
	},
	{
		Reason: ReasonStrategyHeld, Condition: ConditionPlaced, Acts: ActorTime,
		Help: "the strategy is asked again",
	},
	{
		Reason: ReasonClusterNotAllowed, Condition: ConditionPlaced, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "name another cluster, or change spec.allowedNamespaces of the KubevirtConfig",
	},
	{
		Reason: ReasonRecordUnconfirmed, Condition: ConditionPlaced, Acts: ActorPerson,
		FailsUnplaced: true, DoubtsLedger: true,
		Help: "take the annotation vitistack.io/placement off a copied Machine",
	},
}
