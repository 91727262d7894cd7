package readiness

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/duration"
)

// MaxAge is how old a fact may be. What is older is unknown.
const MaxAge = time.Minute

// Fact is something that was seen of a cluster, or why it was not. The zero value is a fact that
// nobody asked for.
type Fact[T any] struct {
	Value T
	// At is when the cluster said it. The zero time is never.
	At time.Time
	// Missing says why there is no value, nil where there is one.
	Missing *Missing
}

// Seen is a fact of a moment.
func Seen[T any](value T, at time.Time) Fact[T] { return Fact[T]{Value: value, At: at} }

// Missing says why a fact is not known.
type Missing struct {
	// Reason is ReasonForbidden, ReasonSilent or ReasonNotAsked.
	Reason string
	// Right is the right that the kubeconfig lacks, with ReasonForbidden: "list nodes".
	Right string
	// Message is the cluster's own words, or why it was not asked. It holds nothing of a Secret.
	Message string
}

// age is how old the fact is; a clock that was set back makes no fact older.
func (f Fact[T]) age(now time.Time) time.Duration {
	if f.At.IsZero() {
		return 0
	}
	return max(0, now.Sub(f.At))
}

// missing returns why the fact is not known at the time now, nil where it is.
func (f Fact[T]) missing(now time.Time) *Missing {
	switch {
	case f.Missing != nil:
		return f.Missing
	case f.At.IsZero():
		return &Missing{Reason: ReasonNotAsked, Message: "nobody has asked"}
	case f.age(now) > MaxAge:
		return &Missing{Reason: ReasonOld, Message: fmt.Sprintf("what is known is %s old",
			duration.HumanDuration(f.age(now)))}
	}
	return nil
}

// Facts are what is known of one cluster.
type Facts struct {
	// Config is the cluster, by the name of its KubevirtConfig.
	Config string

	// Connection is how the connection is, and Door what the KubevirtConfig says about who comes in.
	// Both are known in the supervisor.
	Connection Fact[Connection]
	Door       Fact[Door]
	// Machines counts the Machines that are placed there.
	Machines Fact[int64]

	KubeVirt       Fact[KubeVirt]
	Definitions    Fact[[]Definition]
	StorageClasses Fact[[]StorageClass]
	// Profiles are what CDI knows of storage classes, by their names.
	Profiles Fact[map[string][]ClaimSet]
	// Nodes are those that take pods.
	Nodes Fact[[]Node]

	Namespace Fact[Namespace]
	// Attachments are the NetworkAttachmentDefinitions that were looked for, by namespace/name. One
	// that is not there is not in it.
	Attachments Fact[map[string]Attachment]
	Quotas      Fact[[]corev1.ResourceQuota]
	Limits      Fact[[]corev1.LimitRange]
	// Lacking are the rights of Needs.Rights that the kubeconfig lacks, as a person reads them.
	Lacking Fact[[]string]

	// Objects says which of Needs.Objects are there.
	Objects Fact[map[Object]bool]
	// Instancetype is its size; nil where there is none of the name. Preference says whether it is
	// there.
	Instancetype Fact[*Size]
	Preference   Fact[bool]
	// Name is the virtual machine that has the wanted name, nil for none.
	Name Fact[*Found]
	// Disks are the DataVolumes and claims that have the wanted names.
	Disks Fact[[]Found]
	// DryRun is what the API server said to the creation of Needs.VM with dryRun=All.
	DryRun Fact[DryRun]
}

// Connection is a connection to a cluster.
type Connection struct {
	Ready, Verified bool
	// Message says what is wrong, "" where nothing is.
	Message string
}

// Door is what a KubevirtConfig says about new Machines.
type Door struct {
	Paused, Terminating bool
	// Allowed says that the Machine's namespace may use the cluster.
	Allowed bool
}

// KubeVirt is what runs virtual machines in a cluster.
type KubeVirt struct {
	Ready   bool
	Version string
	// Message says what is wrong, "" where nothing is.
	Message string
	// Gates are the feature gates that are set.
	Gates []string
	// StateClass is the storage class for the state of virtual machines, "" for the default one.
	StateClass string
	// CPUAllocationRatio and MemoryOvercommit say what a launcher requests for its guest: one CPU
	// for so many of the guest's, and memory for so many per cent. 0 means the defaults, 10 and 100.
	CPUAllocationRatio, MemoryOvercommit int
}

// Definition is what a cluster's definition of a kind would make of an object.
type Definition struct {
	// Object is "VirtualMachine vm-web", Name the definition's.
	Object, Name string
	// Absent says that the cluster has no such definition.
	Absent bool
	// Refused and Dropped are what it would refuse, and the paths of the fields that it would drop.
	Refused, Dropped []string
}

// StorageClass is one of a cluster.
type StorageClass struct {
	Name string
	// Default says that claims which name no class get this one; DefaultForVMs that disks do.
	Default, DefaultForVMs bool
}

// ClaimSet is how claims of a storage class can be made.
type ClaimSet struct {
	AccessModes []corev1.PersistentVolumeAccessMode
	VolumeMode  corev1.PersistentVolumeMode
}

// Node takes pods.
type Node struct {
	Name        string
	Labels      map[string]string
	Taints      []corev1.Taint
	Allocatable corev1.ResourceList
	// Free is what is allocatable and not requested.
	Free Size
}

// Namespace is where the virtual machine would be.
type Namespace struct{ Exists, Terminating bool }

// Attachment is a NetworkAttachmentDefinition.
type Attachment struct {
	// VLAN of its configuration, 0 where that names none.
	VLAN int
}

// Found is an object that has a wanted name.
type Found struct {
	// Object is "PersistentVolumeClaim vm-web-root".
	Object, UID string
	// Mine says that it carries this Machine's and this supervisor's labels, or is the recorded one.
	Mine bool
}

// DryRun is an answer of the API server, its admission and KubeVirt's.
type DryRun struct {
	Accepted bool
	// NoNamespace says that it could not answer, because the namespace is not there yet.
	NoNamespace bool
	// Exists says that the virtual machine is there already.
	Exists bool
	// Message is its reason to refuse.
	Message string
}
