package v1alpha1

// Reasons of a Machine's RemoteReachable, and of a KubevirtConfig's Connected and
// IdentityVerified.
const (
	// ReasonConnected: the cluster answers.
	ReasonConnected = "Connected"
	// ReasonConnecting: contact is being made for the first time, so there is no verdict yet.
	ReasonConnecting = "Connecting"
	// ReasonNotSynced: the cluster answers, and not every watch is up to date yet.
	ReasonNotSynced = "NotSynced"
	// ReasonUnreachable: the cluster does not answer.
	ReasonUnreachable = "Unreachable"
	// ReasonUnauthorized: the cluster does not accept the credential (401).
	ReasonUnauthorized = "Unauthorized"
	// ReasonForbidden: the cluster does not allow what is needed (403).
	ReasonForbidden = "Forbidden"
	// ReasonCredentialMissing: the Secret, or its key kubeconfig, does not exist.
	ReasonCredentialMissing = "CredentialMissing"
	// ReasonBadKubeconfig: the kubeconfig cannot be read, or holds what is not allowed.
	ReasonBadKubeconfig = "BadKubeconfig"
	// ReasonIdentityVerified: the cluster is the one it was.
	ReasonIdentityVerified = "IdentityVerified"
	// ReasonIdentityChanged: the kubeconfig leads to another cluster than before; consent is
	// needed.
	ReasonIdentityChanged = "IdentityChanged"
	// ReasonKindNotServed: the cluster lacks a kind that is watched there.
	ReasonKindNotServed = "KindNotServed"
	// ReasonWatchStalled: a watch is silent for too long, or could not be opened again yet.
	ReasonWatchStalled = "WatchStalled"
	// ReasonRestored: the data of the cluster went back in time, so everything is read again.
	ReasonRestored = "Restored"
	// ReasonCandidateRefused: the new content of the Secret does not work. The former one is in
	// use.
	ReasonCandidateRefused = "CandidateRefused"
)

// contactReasons say what the reasons above mean.
var contactReasons = []ReasonInfo{
	{
		Reason: ReasonConnected, Condition: ConditionRemoteReachable, Good: true,
		ConfigConditions: []string{ConditionConnected},
	},
	{
		Reason: ReasonConnecting, Condition: ConditionRemoteReachable, Acts: ActorTime,
		Ordinary: true, NoVerdict: true,
		ConfigConditions: []string{ConditionConnected},
		Help:             "contact is being made",
	},
	{
		Reason: ReasonNotSynced, Condition: ConditionRemoteReachable, Acts: ActorTime,
		Ordinary:         true,
		ConfigConditions: []string{ConditionConnected},
		Help:             "it ends when every watch is up to date",
	},
	{
		Reason: ReasonUnreachable, Condition: ConditionRemoteReachable, Acts: ActorTime,
		ConfigConditions: []string{ConditionConnected},
		Help:             "it ends when the cluster answers again; the message says what fails",
	},
	{
		Reason: ReasonUnauthorized, Condition: ConditionRemoteReachable, Acts: ActorPerson, MayPass: true,
		ConfigConditions: []string{ConditionConnected},
		Help:             "put a kubeconfig with a valid credential into the Secret",
	},
	{
		Reason: ReasonForbidden, Condition: ConditionRemoteReachable, Acts: ActorPerson, MayPass: true,
		ConfigConditions: []string{ConditionConnected},
		Help:             "give the kubeconfig's user the rights of api/rbac",
	},
	{
		Reason: ReasonCredentialMissing, Condition: ConditionRemoteReachable, Acts: ActorPerson,
		FailsUnplaced:    true,
		ConfigConditions: []string{ConditionConnected},
		Help:             "create the Secret with the key kubeconfig",
	},
	{
		Reason: ReasonBadKubeconfig, Condition: ConditionRemoteReachable, Acts: ActorPerson,
		FailsUnplaced:    true,
		ConfigConditions: []string{ConditionConnected},
		Help:             "correct the kubeconfig in the Secret: the message names the field",
	},
	{Reason: ReasonIdentityVerified, Good: true, ConfigConditions: []string{ConditionIdentityVerified}},
	{
		Reason: ReasonIdentityChanged, Condition: ConditionRemoteReachable, Acts: ActorPerson,
		FailsUnplaced:    true,
		ConfigConditions: []string{ConditionConnected, ConditionIdentityVerified},
		Help:             "correct the kubeconfig, or consent on the KubevirtConfig with vitistack.io/accept-cluster-uid",
	},
	{
		Reason: ReasonKindNotServed, Condition: ConditionRemoteReachable, Acts: ActorPerson,
		ConfigConditions: []string{ConditionConnected},
		Help:             "install KubeVirt and CDI in the cluster",
	},
	{
		Reason: ReasonWatchStalled, Condition: ConditionRemoteReachable, Acts: ActorTime,
		ConfigConditions: []string{ConditionConnected},
		Help:             "the watch is opened again",
	},
	{
		Reason: ReasonRestored, Condition: ConditionRemoteReachable, Acts: ActorTime,
		ConfigConditions: []string{ConditionConnected},
		Help:             "it ends when everything was read again",
	},
	{
		Reason: ReasonCandidateRefused, Acts: ActorPerson,
		ConfigConditions: []string{ConditionConnected},
		Help:             "correct the kubeconfig in the Secret",
	},
}
