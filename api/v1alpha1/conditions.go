package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Condition types of a Machine. All but DeletionHeld are positive: True is good. Status Unknown means
// that nobody can tell now.
const (
	// ConditionReady sums the others up and is always present. True means that the Machine does what
	// its applied generation asks for, also where a guest on a DHCP network reports no address. False
	// means that it does not; Unknown, with RemoteReachable False, that the remote cluster does not
	// answer.
	ConditionReady = "Ready"

	// ConditionPlaced says whether a remote cluster is chosen and recorded in the Ledger. It stays
	// True for ever after.
	ConditionPlaced = "Placed"

	// ConditionRemoteReachable says whether the remote cluster of a placed Machine answers. Its age is
	// how long it has not.
	ConditionRemoteReachable = "RemoteReachable"

	// ConditionNetworkReady says whether each interface has the addresses that its network gives: on
	// a static network those of the NetworkConfiguration, else those that it or the guest reports.
	ConditionNetworkReady = "NetworkReady"

	// ConditionVirtualMachineReady says whether the VirtualMachine is as wanted, and running where it
	// should run.
	ConditionVirtualMachineReady = "VirtualMachineReady"

	// ConditionNoCopies says whether the Machine's own objects are the only ones that carry its
	// labels. It appears when a copy is seen, is not part of Ready, and keeps nothing from being done:
	// a copy is a person's, and is never changed or deleted.
	ConditionNoCopies = "NoCopies"

	// ConditionDeletionHeld says whether the brake holds the Machine's deletion. It is the one condition
	// that is True when something is wrong: it is the record of the brake, and outlives the operator. It
	// appears when a deletion is held; its observedGeneration is the generation that was held.
	ConditionDeletionHeld = "DeletionHeld"
)

// Condition types of a KubevirtConfig. All are positive: True is good. Status Unknown means that
// nobody can tell now.
const (
	// ConditionConnected says whether the cluster answers and every watch on it is up to date.
	ConditionConnected = "Connected"

	// ConditionIdentityVerified says whether the cluster is the one that the KubevirtConfig stood for
	// until now.
	ConditionIdentityVerified = "IdentityVerified"

	// ConditionRightsSufficient says whether the kubeconfig's user may do what the operator needs.
	ConditionRightsSufficient = "RightsSufficient"

	// ConditionKubeVirtReady says whether KubeVirt is installed there and works.
	ConditionKubeVirtReady = "KubeVirtReady"

	// ConditionSchemaCompatible says whether the cluster admits and keeps the objects that the
	// operator writes.
	ConditionSchemaCompatible = "SchemaCompatible"

	// ConditionNoOrphans says whether every VirtualMachine there that this supervisor made still has
	// its Machine.
	ConditionNoOrphans = "NoOrphans"

	// ConditionNotShared says whether this KubevirtConfig is the only one that leads to its cluster.
	// False keeps nothing from being done: both lead to one and the same cluster. It appears when
	// another one is seen.
	ConditionNotShared = "NotShared"

	// ConditionReleasable says what a KubevirtConfig that is being deleted waits for: Machines that
	// are placed in the cluster, or debts that are owed to it. It appears when the deletion is asked
	// for.
	ConditionReleasable = "Releasable"
)

// Condition types of a MachineMove, an Evacuation and a MachineRollout, beside ConditionReady, which is True when
// it is over and all is well.
const (
	// ConditionStalled is True when it is over and has failed, or when nothing goes on until a person
	// acts. It repeats the reason and the message of Ready.
	ConditionStalled = "Stalled"
)

// WellWhen is the status of a condition that says that all is well: True, but for
// [ConditionDeletionHeld].
func WellWhen(conditionType string) metav1.ConditionStatus {
	if conditionType == ConditionDeletionHeld {
		return metav1.ConditionFalse
	}
	return metav1.ConditionTrue
}
