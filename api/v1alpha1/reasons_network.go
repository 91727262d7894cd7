package v1alpha1

// Reasons of a Machine's NetworkReady.
const (
	// ReasonNetworkConfigured: interfaces and addresses are there.
	ReasonNetworkConfigured = "NetworkConfigured"
	// ReasonWaitingForAddresses: static addresses are not given out yet.
	ReasonWaitingForAddresses = "WaitingForAddresses"
	// ReasonNetworkNamespaceNotFound: the NetworkNamespace that is asked for does not exist.
	ReasonNetworkNamespaceNotFound = "NetworkNamespaceNotFound"
	// ReasonNetworkNamespaceAmbiguous: none is asked for and there are several.
	ReasonNetworkNamespaceAmbiguous = "NetworkNamespaceAmbiguous"
	// ReasonNetworkNamespaceNotReady: the NetworkNamespace has no VLAN yet.
	ReasonNetworkNamespaceNotReady = "NetworkNamespaceNotReady"
	// ReasonNetworkConfigurationConflict: a NetworkConfiguration of the Machine's name is somebody
	// else's.
	ReasonNetworkConfigurationConflict = "NetworkConfigurationConflict"
	// ReasonNamespaceMissing: the remote namespace does not exist and may not be created.
	ReasonNamespaceMissing = "NamespaceMissing"
	// ReasonNetworkKindMissing: the remote cluster has no NetworkAttachmentDefinitions: Multus is
	// not installed there.
	ReasonNetworkKindMissing = "NetworkKindMissing"
	// ReasonNetworkChanged: a NetworkNamespace now says something else than what the virtual
	// machine was made with. It stays as it is.
	ReasonNetworkChanged = "NetworkChanged"
	// ReasonNetworkConfigurationFailed: the operator that gives addresses reports an error.
	ReasonNetworkConfigurationFailed = "NetworkConfigurationFailed"
)

// networkReasons say what the reasons above mean.
var networkReasons = []ReasonInfo{
	{Reason: ReasonNetworkConfigured, Condition: ConditionNetworkReady, Good: true},
	{
		Reason: ReasonWaitingForAddresses, Condition: ConditionNetworkReady, Acts: ActorCluster,
		Help: "it ends when the operator of addresses, or the guest, reports them",
	},
	{
		Reason: ReasonNetworkNamespaceNotFound, Condition: ConditionNetworkReady,
		Acts: ActorPerson,
		Help: "create the NetworkNamespace, or correct spec.network.networkNamespaceName",
	},
	{
		Reason: ReasonNetworkNamespaceAmbiguous, Condition: ConditionNetworkReady,
		Acts: ActorPerson, FailsUnplaced: true,
		Help: "name one in spec.network.networkNamespaceName",
	},
	{
		Reason: ReasonNetworkNamespaceNotReady, Condition: ConditionNetworkReady,
		Acts: ActorCluster,
		Help: "it ends when the operator of the NetworkNamespace has given it a VLAN",
	},
	{
		Reason: ReasonNetworkConfigurationConflict, Condition: ConditionNetworkReady,
		Acts: ActorPerson, FailsUnplaced: true,
		Help: "rename or delete the NetworkConfiguration that the message names",
	},
	{
		Reason: ReasonNamespaceMissing, Condition: ConditionNetworkReady, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "create the namespace in the remote cluster, or let the kubeconfig's user create it",
	},
	{
		Reason: ReasonNetworkKindMissing, Condition: ConditionNetworkReady, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "install Multus in the remote cluster",
	},
	{
		Reason: ReasonNetworkChanged, Condition: ConditionNetworkReady, Acts: ActorPerson,
		Harmless: true,
		Help:     "set the NetworkNamespace back, or make the Machine anew: a virtual machine that exists is not rewired",
	},
	{
		Reason: ReasonNetworkConfigurationFailed, Condition: ConditionNetworkReady,
		Acts: ActorPerson,
		Help: "mend what the operator of addresses reports on the NetworkConfiguration",
	},
}
