package v1alpha1

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
	// ReasonSecretNotAllowed: the Secret that cloudInit names is a KubevirtConfig's or a service
	// account's.
	ReasonSecretNotAllowed = "SecretNotAllowed"
)

// virtualMachineReasons say what the reasons above mean.
var virtualMachineReasons = []ReasonInfo{
	{Reason: ReasonRunning, Condition: ConditionVirtualMachineReady, Good: true},
	{
		Reason: ReasonCreating, Condition: ConditionVirtualMachineReady, Acts: ActorCluster,
		Ordinary: true,
		Help:     "the virtual machine is being made",
	},
	{
		Reason: ReasonProvisioning, Condition: ConditionVirtualMachineReady, Acts: ActorCluster,
		Ordinary: true,
		Help:     "it ends when the disks are filled",
	},
	{
		Reason: ReasonStarting, Condition: ConditionVirtualMachineReady, Acts: ActorCluster,
		Ordinary: true,
		Help:     "it ends when the guest runs",
	},
	{
		Reason: ReasonStopping, Condition: ConditionVirtualMachineReady, Acts: ActorCluster,
		Ordinary: true,
		Help:     "it ends when the guest has shut down",
	},
	{Reason: ReasonStopped, Condition: ConditionVirtualMachineReady, Good: true},
	{
		Reason: ReasonGuestPaused, Condition: ConditionVirtualMachineReady, Acts: ActorPerson,
		Help: "let the guest go on with virtctl unpause vm",
	},
	{Reason: ReasonMigrating, Condition: ConditionVirtualMachineReady, Good: true},
	{
		Reason: ReasonUnschedulable, Condition: ConditionVirtualMachineReady, Acts: ActorCluster,
		Help: "it ends when a node has room; the message says what each one lacks",
	},
	{
		Reason: ReasonCrashLoop, Condition: ConditionVirtualMachineReady, Acts: ActorPerson,
		Help: "look at the log of the virt-launcher Pod in the remote cluster",
	},
	{
		Reason: ReasonImagePullFailed, Condition: ConditionVirtualMachineReady, Acts: ActorPerson,
		Help: "correct the image, or the remote cluster's way to its registry",
	},
	{
		Reason: ReasonDiskFailed, Condition: ConditionVirtualMachineReady, Acts: ActorPerson,
		Help: "mend what CDI reports: image address, storage class or quota",
	},
	{
		Reason: ReasonVanished, Condition: ConditionVirtualMachineReady, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "consent to a new, empty one with the annotation vitistack.io/recreate, or delete the Machine",
	},
	{
		Reason: ReasonDiskCollision, Condition: ConditionVirtualMachineReady, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "delete or rename the disk that the message names, in the remote cluster",
	},
	{
		Reason: ReasonStorageClassMissing, Condition: ConditionVirtualMachineReady,
		Acts: ActorPerson, FailsUnplaced: true,
		Help: "set STORAGE_CLASS_NAME, name a class in spec.disks[].type, or mark a default class in the remote cluster",
	},
	{
		Reason: ReasonUnknownClass, Condition: ConditionVirtualMachineReady, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "create the MachineClass, or name one that exists",
	},
	{
		Reason: ReasonClassDisabled, Condition: ConditionVirtualMachineReady, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "enable the MachineClass, or name another",
	},
	{
		Reason: ReasonClassesDiffer, Condition: ConditionVirtualMachineReady, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "set one of instanceType and machineClass",
	},
	{
		Reason: ReasonInvalidSpec, Condition: ConditionVirtualMachineReady, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "correct the field that the message names",
	},
	{
		Reason: ReasonCloudInitSourceMissing, Condition: ConditionVirtualMachineReady,
		Acts: ActorPerson,
		Help: "create the Secret or ConfigMap, with the key that spec.cloudInit names",
	},
	{
		Reason: ReasonRejected, Condition: ConditionVirtualMachineReady, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "change what the remote cluster's message names: the Machine, a policy, a quota or a right",
	},
	{
		Reason: ReasonSnapshotInProgress, Condition: ConditionVirtualMachineReady,
		Acts: ActorCluster, Ordinary: true,
		Help: "it ends with the snapshot or restore",
	},
	{
		Reason: ReasonGuestNotReady, Condition: ConditionVirtualMachineReady, Acts: ActorCluster,
		Help: "it ends when KubeVirt finds the guest ready again; its node may be lost",
	},
	{
		Reason: ReasonKindMissing, Condition: ConditionVirtualMachineReady, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "install KubeVirt and CDI in the remote cluster",
	},
	{
		Reason: ReasonUserDataTooLarge, Condition: ConditionVirtualMachineReady, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "make the cloud-init data smaller, or let the guest fetch the rest",
	},
	{
		Reason: ReasonSecretNotAllowed, Condition: ConditionVirtualMachineReady, Acts: ActorPerson,
		FailsUnplaced: true,
		Help:          "put the cloud-init data into a Secret of their own",
	},
}
