package v1alpha1

import "strings"

// Annotations of a Machine that people set.
const (
	// AnnotationKubevirtConfig asks for a remote cluster by the name of its KubevirtConfig, as
	// spec.kubevirtConfigRef does. It is a request until the Machine is placed; the operator writes it
	// when it chose the cluster itself.
	AnnotationKubevirtConfig = "vitistack.io/kubevirt-config"

	// AnnotationPaused with the value true makes the operator leave the object alone, deletion
	// included.
	AnnotationPaused = "vitistack.io/paused"

	// AnnotationRecreate consents, once, to a new and empty VirtualMachine in place of the one that
	// vanished, whose UID is the value.
	AnnotationRecreate = "vitistack.io/recreate"

	// AnnotationForceRelease lets a Machine go whose remote cluster gives no answer. The value is the
	// name of the KubevirtConfig (what is left there is abandoned), or that name and
	// ForceReleaseDeleteLater (it is deleted when the cluster answers again).
	AnnotationForceRelease = "vitistack.io/force-release"

	// AnnotationAdopt consents to the adoption of one VirtualMachine: <KubevirtConfig>/<UID of the
	// VirtualMachine>.
	AnnotationAdopt = "vitistack.io/adopt"

	// AnnotationConfirmDeletion lets deletions go that the brake would hold. On a Machine it is true, or
	// a time (RFC 3339) until which it counts; on a Namespace or a KubevirtConfig it is such a time, for
	// all Machines there.
	AnnotationConfirmDeletion = "vitistack.io/confirm-deletion"

	// AnnotationConfirmChange does the same for changes that stop guests or wait for a restart.
	AnnotationConfirmChange = "vitistack.io/confirm-change"

	// AnnotationKeepVM with the value true on a Machine that is being deleted lets that go, and leaves
	// its VirtualMachine as it is: the next Machine of that name inherits it. It has no effect once the
	// VirtualMachine's own deletion has begun.
	AnnotationKeepVM = "vitistack.io/keep-vm"

	// AnnotationPrefixPlacement begins the names of the annotations that strategies are shown.
	AnnotationPrefixPlacement = "placement.vitistack.io/"

	// AnnotationBootSource with the value BootSourceDataVolume makes spec.os.imageID the content of
	// the boot disk. Where that is a URL that ends in .iso, and with spec.os.isoUri, the image is put
	// into a drive to install from instead.
	AnnotationBootSource = "kubevirt.io/boot-source"

	// AnnotationBootSourceType says where imageID is: http (the default), https, registry; or pvc or
	// datasource, which are [namespace/]name in the remote cluster.
	AnnotationBootSourceType = "kubevirt.io/boot-source-type"

	// AnnotationOSInstalled with the value true says that the guest is on its disk: the drive to
	// install from is ejected, and its image deleted once no running instance has it.
	AnnotationOSInstalled = "vitistack.io/os-installed"

	// AnnotationISOSize is the room for the image to install from, as a quantity (12Gi); whole GiB are
	// taken. Unset it is 8Gi. It can grow later, and not shrink.
	AnnotationISOSize = "vitistack.io/iso-size"

	// AnnotationInstancetype names a VirtualMachineClusterInstancetype of the remote cluster, which
	// gives processor and memory in place of a MachineClass.
	AnnotationInstancetype = "vitistack.io/instancetype"

	// AnnotationPreference names a VirtualMachineClusterPreference of the remote cluster.
	AnnotationPreference = "vitistack.io/preference"

	// AnnotationSecureBoot with the value true makes the firmware start signed systems only. It counts
	// when the VirtualMachine is created.
	AnnotationSecureBoot = "vitistack.io/secure-boot"

	// AnnotationEvictionStrategy is what happens when the guest's node is drained: None, LiveMigrate,
	// LiveMigrateIfPossible or External. Unset, the remote cluster decides.
	AnnotationEvictionStrategy = "vitistack.io/eviction-strategy"

	// AnnotationRestart restarts the guest, once for each value that it is given: any token of at most
	// MaxGuestToken bytes. A value that is done is never asked for again.
	AnnotationRestart = "vitistack.io/restart"

	// AnnotationPauseGuest with the value true pauses the guest, and each instance that follows it. Any
	// other value, or none, resumes what the operator paused. What somebody else paused stays so.
	AnnotationPauseGuest = "vitistack.io/pause-guest"

	// AnnotationResize takes the sizes of the Machine's class anew, once for each value that it is given:
	// any token of at most MaxGuestToken bytes. Without it a class that is edited changes no
	// VirtualMachine.
	AnnotationResize = "vitistack.io/resize"
)

// Values of the annotations above.
const (
	// ForceReleaseDeleteLater follows the name of the KubevirtConfig in AnnotationForceRelease.
	ForceReleaseDeleteLater = ",delete-later"

	// BootSourceDataVolume is the one value of AnnotationBootSource that has an effect.
	BootSourceDataVolume = "datavolume"
)

// Annotations of a Machine that only the operator writes.
const (
	// AnnotationPrefixOperator begins the names of these annotations. An admission policy in deploy/
	// keeps everybody else from writing them.
	AnnotationPrefixOperator = "vitistack.io/placement"

	// AnnotationPlacement is the Ledger of the Machine: where it is placed. Nobody else may change it.
	AnnotationPlacement = "vitistack.io/placement"

	// AnnotationPlacementNetwork is the [NetworkRecord] of the Machine: the network attachments that
	// were decided for it. Nobody else may change it.
	AnnotationPlacementNetwork = "vitistack.io/placement-network"

	// AnnotationPlacementDisks is the [DiskRecord] of a Machine that is being deleted: the disks that
	// go with its VirtualMachine. Nobody else may change it.
	AnnotationPlacementDisks = "vitistack.io/placement-disks"

	// AnnotationPlacementTrace is the [PlacementTrace] of the Machine: who placed it and what each
	// strategy said. It is for people and tools; nothing is decided by it.
	AnnotationPlacementTrace = "vitistack.io/placement-trace"

	// AnnotationPlacementRestart is the [RestartRecord] of the Machine: the last restart that was asked
	// for. Nobody else may change it.
	AnnotationPlacementRestart = "vitistack.io/placement-restart"

	// AnnotationPlacementPause is the [PauseRecord] of the Machine: the instance that the operator
	// paused. Nobody else may change it.
	AnnotationPlacementPause = "vitistack.io/placement-pause"

	// AnnotationMove is the [MoveRecord] of a Machine that is being moved. Nobody else may change it. It
	// is in force while the Ledger names it.
	AnnotationMove = "vitistack.io/move"
)

// IsOperators reports whether only the operator writes a Machine's annotation of that name.
func IsOperators(name string) bool {
	return strings.HasPrefix(name, AnnotationPrefixOperator) || name == AnnotationMove
}

// Annotations of a KubevirtConfig.
const (
	// AnnotationClusterUID is the UID of the kube-system namespace of the cluster that the
	// KubevirtConfig stands for, kept here too because foreign definitions prune it from the status.
	// Only the operator writes it.
	AnnotationClusterUID = "vitistack.io/cluster-uid"

	// AnnotationAcceptClusterUID consents to the KubevirtConfig standing for another cluster from now
	// on: the one of this UID.
	AnnotationAcceptClusterUID = "vitistack.io/accept-cluster-uid"

	// AnnotationFormerClusterUIDs are the identities that the KubevirtConfig stood for before a person
	// accepted another one: UIDs separated by commas, the oldest first (see [FormerClusterUIDs]). Only
	// the operator writes it. A Machine or a debt whose record names one of them belongs to the
	// cluster that the KubevirtConfig stands for now.
	AnnotationFormerClusterUIDs = "vitistack.io/former-cluster-uids"
)

// Annotations of a VirtualMachine, which only the operator writes.
const (
	// AnnotationPlacementNonce is the nonce of the Ledger under which the VirtualMachine was created.
	AnnotationPlacementNonce = "vitistack.io/placement-nonce"

	// AnnotationAppliedWish is the Machine's wish as last applied; equal means there is nothing to do.
	// What does not differ from it belongs to people.
	AnnotationAppliedWish = "vitistack.io/applied-wish"

	// AnnotationMovedBy is the ID of the move that made the VirtualMachine; or of the one that stopped it,
	// with a point and the token of that stop.
	AnnotationMovedBy = "vitistack.io/moved-by"

	// AnnotationMoveFence stands on the VirtualMachine that a move makes: the token of the source's stop,
	// a point, and the metadata.generation that the source had when its disks began to be copied. While
	// it has only that, the VirtualMachine is not to be started. [MoveFenceLifted] follows once it may
	// run, [MoveFenceWithdrawn] once it never will.
	AnnotationMoveFence = "vitistack.io/move-fence"
)

// What may follow in [AnnotationMoveFence].
const (
	MoveFenceLifted    = ",lifted"
	MoveFenceWithdrawn = ",withdrawn"
)

// Labels of everything that the operator makes, in either cluster.
const (
	// LabelManagedBy names the operator that made the object (its value is a setting).
	LabelManagedBy = "vitistack.io/managed-by"

	// LabelSourceMachine is the name of the Machine, shortened with a hash where it does not fit in a
	// label.
	LabelSourceMachine = "vitistack.io/source-machine"

	// LabelMachineUID is the UID of the Machine. Nothing is changed or deleted that does not carry it
	// and LabelSupervisorUID.
	LabelMachineUID = "vitistack.io/machine-uid"

	// LabelSupervisorUID is the identity of the supervisor: the UID of its kube-system namespace, or a
	// setting.
	LabelSupervisorUID = "vitistack.io/supervisor-uid"

	// LabelEvacuation is the UID of the Evacuation that a MachineMove belongs to.
	LabelEvacuation = "vitistack.io/evacuation"

	// LabelVLANID is the VLAN of a NetworkAttachmentDefinition.
	LabelVLANID = "vitistack.io/vlan-id"
)

// Labels of earlier releases. They are recognised when reading and never written.
const (
	// LegacyLabelManagedBy is the earlier LabelManagedBy.
	LegacyLabelManagedBy = "managed-by"

	// LegacyLabelSourceMachine is the earlier LabelSourceMachine.
	LegacyLabelSourceMachine = "source-machine"
)

// Finalizers.
const (
	// FinalizerMachine keeps a Machine until what was made for it is gone, or was released.
	FinalizerMachine = "machine.vitistack.io/cleanup"

	// FinalizerNetworkConfiguration keeps a NetworkConfiguration, and with it the addresses that it
	// was given, until the VirtualMachine that uses them is gone.
	FinalizerNetworkConfiguration = "networkconfiguration.vitistack.io/in-use"

	// FinalizerMachinePublic is the public operator's finalizer of a Machine. It is taken off once the
	// Machine's VirtualMachine is adopted, and never put on.
	FinalizerMachinePublic = "machine.vitistack.io/finalizer"

	// FinalizerKubevirtConfig keeps a KubevirtConfig, and with it the way into the cluster, while
	// Machines are placed there or debts are owed to it.
	FinalizerKubevirtConfig = "kubevirtconfig.vitistack.io/in-use"
)
