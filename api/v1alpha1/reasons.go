package v1alpha1

// Reasons of a Machine's Ready that are no other condition's. Else Ready repeats the reason of the condition that decides it.
const (
	// ReasonReady: every other condition is True.
	ReasonReady = "Ready"
	// ReasonPaused: the annotation vitistack.io/paused is set, or the KubevirtConfig takes no new Machines.
	ReasonPaused = "Paused"
	// ReasonReferenceChanged: the Machine is placed and now asks for another cluster. It stays where it is.
	ReasonReferenceChanged = "ReferenceChanged"
	// ReasonLedgerConflict: ledger and status name different places, so neither is trusted.
	ReasonLedgerConflict = "LedgerConflict"
	// ReasonLedgerInvalid: the annotation vitistack.io/placement cannot be read.
	ReasonLedgerInvalid = "LedgerInvalid"
	// ReasonRestartRequired: a change waits for the guest's next start.
	ReasonRestartRequired = "RestartRequired"
	// ReasonDeleting: the Machine is being deleted and what was made for it is going.
	ReasonDeleting = "Deleting"
	// ReasonSupervisorRefused: the supervisor's API server refuses a write that the Machine needs, for example by a policy or a quota.
	ReasonSupervisorRefused = "SupervisorRefused"
	// ReasonRetrying: a call failed for a reason that may pass by itself, and is tried again.
	ReasonRetrying = "Retrying"
)

// Reasons of a Machine's Placed.
const (
	// ReasonPlaced: a cluster is chosen and recorded.
	ReasonPlaced = "Placed"
	// ReasonAdopted: an existing VirtualMachine was taken over, and the Machine is placed where it is.
	ReasonAdopted = "Adopted"
	// ReasonNoKubevirtConfigs: there is no KubevirtConfig to choose from.
	ReasonNoKubevirtConfigs = "NoKubevirtConfigs"
	// ReasonCannotDeterminePlacement: there are several KubevirtConfigs and no strategy has an opinion.
	ReasonCannotDeterminePlacement = "CannotDeterminePlacement"
	// ReasonConfigNotFound: the KubevirtConfig that is asked for, or that the ledger names, does not exist.
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
	// ReasonNameCollision: the chosen cluster has a VirtualMachine of the wanted name that is somebody else's.
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
	// ReasonUnknownCandidate: a strategy chose a cluster that is not among the candidates.
	ReasonUnknownCandidate = "UnknownCandidate"
	// ReasonClusterNotAllowed: the KubevirtConfig does not take Machines of this namespace.
	ReasonClusterNotAllowed = "ClusterNotAllowed"
	// ReasonRecordUnconfirmed: the Machine carries a placement record that nothing confirms, for example a copied or forged one.
	ReasonRecordUnconfirmed = "RecordUnconfirmed"
)

// Reasons of a Machine's RemoteReachable, and of a KubevirtConfig's Connected and IdentityVerified.
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
	// ReasonIdentityChanged: the kubeconfig leads to another cluster than before; consent is needed.
	ReasonIdentityChanged = "IdentityChanged"
)

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
	// ReasonNetworkConfigurationConflict: a NetworkConfiguration of the Machine's name is somebody else's.
	ReasonNetworkConfigurationConflict = "NetworkConfigurationConflict"
	// ReasonNamespaceMissing: the remote namespace does not exist and may not be created.
	ReasonNamespaceMissing = "NamespaceMissing"
	// ReasonNetworkKindMissing: the remote cluster has no NetworkAttachmentDefinitions: Multus is not installed there.
	ReasonNetworkKindMissing = "NetworkKindMissing"
	// ReasonNetworkChanged: a NetworkNamespace now says something else than what the virtual machine was made with. It stays as it is.
	ReasonNetworkChanged = "NetworkChanged"
	// ReasonNetworkConfigurationFailed: the operator that gives addresses reports an error.
	ReasonNetworkConfigurationFailed = "NetworkConfigurationFailed"
)

// Reasons of a Machine's VirtualMachineReady.
const (
	// ReasonRunning: the guest runs.
	ReasonRunning = "Running"
	// ReasonCreating: the VirtualMachine was not seen yet.
	ReasonCreating = "Creating"
	// ReasonProvisioning: its disks are being made.
	ReasonProvisioning = "Provisioning"
	// ReasonStarting: the guest is being started.
	ReasonStarting = "Starting"
	// ReasonStopping: the guest is shutting down.
	ReasonStopping = "Stopping"
	// ReasonStopped: the guest does not run.
	ReasonStopped = "Stopped"
	// ReasonGuestPaused: the guest is frozen.
	ReasonGuestPaused = "GuestPaused"
	// ReasonMigrating: the guest moves to another node.
	ReasonMigrating = "Migrating"
	// ReasonUnschedulable: no node can take the guest.
	ReasonUnschedulable = "Unschedulable"
	// ReasonCrashLoop: the guest fails again and again.
	ReasonCrashLoop = "CrashLoop"
	// ReasonImagePullFailed: an image of the guest cannot be fetched.
	ReasonImagePullFailed = "ImagePullFailed"
	// ReasonDiskFailed: a disk cannot be made or filled.
	ReasonDiskFailed = "DiskFailed"
	// ReasonVanished: the VirtualMachine was there and is gone; a new one needs consent.
	ReasonVanished = "Vanished"
	// ReasonDiskCollision: a disk of a wanted name exists that is not this Machine's.
	ReasonDiskCollision = "DiskCollision"
	// ReasonStorageClassMissing: no storage class is set, and the cluster has no default.
	ReasonStorageClassMissing = "StorageClassMissing"
	// ReasonUnknownClass: there is no MachineClass of that name, and no built-in size.
	ReasonUnknownClass = "UnknownClass"
	// ReasonClassDisabled: the MachineClass is not enabled.
	ReasonClassDisabled = "ClassDisabled"
	// ReasonClassesDiffer: instanceType and machineClass are both set and differ.
	ReasonClassesDiffer = "ClassesDiffer"
	// ReasonInvalidSpec: the spec asks for what cannot be, for example two disks of one name.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonCloudInitSourceMissing: a Secret, a ConfigMap or its key does not exist.
	ReasonCloudInitSourceMissing = "CloudInitSourceMissing"
	// ReasonRejected: the remote cluster does not admit the VirtualMachine.
	ReasonRejected = "Rejected"
	// ReasonSnapshotInProgress: a snapshot or restore is running, so a change waits.
	ReasonSnapshotInProgress = "SnapshotInProgress"
	// ReasonGuestNotReady: the instance runs, and KubeVirt says that it is not ready.
	ReasonGuestNotReady = "GuestNotReady"
	// ReasonKindMissing: the remote cluster does not serve a kind that the VirtualMachine needs.
	ReasonKindMissing = "KindMissing"
	// ReasonUserDataTooLarge: the cloud-init data does not fit into a Secret.
	ReasonUserDataTooLarge = "UserDataTooLarge"
	// ReasonSecretNotAllowed: the Secret that cloudInit names is a KubevirtConfig's or a service account's.
	ReasonSecretNotAllowed = "SecretNotAllowed"
)

// Reasons of a Machine's NoCopies.
const (
	// ReasonNoCopies: only the Machine's own VirtualMachine and disks carry its labels.
	ReasonNoCopies = "NoCopies"
	// ReasonCopiesFound: other objects carry the Machine's labels, for example clones or restored copies. They are a person's and stay.
	ReasonCopiesFound = "CopiesFound"
)

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
