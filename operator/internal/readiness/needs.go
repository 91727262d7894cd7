package readiness

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// Needs are what a Machine needs of a cluster. Whoever knows more may change them before they are
// judged.
type Needs struct {
	// VM is the virtual machine as it would be created; its namespace and its name are the wanted
	// ones. Attachments are the NetworkAttachmentDefinitions that the operator would make for it.
	VM          *kubevirtv1.VirtualMachine
	Attachments []*unstructured.Unstructured
	// VMUID is the UID of the virtual machine that exists, "" where none does.
	VMUID types.UID
	// MachineUID and SupervisorUID tell what is this Machine's from what is not, by labels.
	MachineUID    types.UID
	SupervisorUID string

	// Size of the guest; zero where an instance type gives it.
	Size Size
	// Dedicated says that each CPU of the guest takes one of the node.
	Dedicated bool
	// Requests of the launcher where the virtual machine says them itself.
	Requests corev1.ResourceList

	Architecture, MachineType string
	// CPUModel is "" (the cluster's default), host-model, host-passthrough or a name.
	CPUModel string
	// Selector, Affinity and Tolerations choose nodes; the labels of CPU features are in Selector.
	Selector    map[string]string
	Affinity    *corev1.Affinity
	Tolerations []corev1.Toleration
	// Devices are the resources of host devices and GPUs.
	Devices []string

	// Instancetype and Preference are nil where the virtual machine names none.
	Instancetype, Preference *Object
	Networks                 []Network
	Disks                    []Disk
	// State says that the state of EFI or of a TPM is kept, in a claim that KubeVirt makes.
	State bool
	// Objects must be in the virtual machine's namespace: Secrets, ConfigMaps and ServiceAccounts
	// that volumes and credentials refer to. Those of cloud-init come with the Machine.
	Objects []Object

	// Gates of KubeVirt and its lowest version ("1.8.3"), both for callers. A gate that a version no
	// longer needs is in no KubeVirt object: ask for none that all supported versions have opened.
	Gates       []string
	MinKubeVirt string
	// Rights are what has to be written there.
	Rights []Right
}

// Size is an amount of processor and memory.
type Size struct{ MilliCPU, MemoryBytes int64 }

// Object is an object by its kind and name.
type Object struct{ Kind, Name string }

// Network is a NetworkAttachmentDefinition that an interface is on.
type Network struct {
	// Key is namespace/name.
	Key string
	// Made says that the operator makes it where it is missing, VLAN that it must have.
	Made bool
	VLAN int
}

// Disk is one volume with a claim.
type Disk struct {
	// Name is the claim's and the DataVolume's.
	Name string
	// Class is the storage class, "" for the cluster's default. MayBeClass names another one, which
	// counts where the cluster has it.
	Class, MayBeClass string
	Bytes             int64
	// Access and Mode are what is asked for, empty where that is left to the StorageProfile.
	Access []corev1.PersistentVolumeAccessMode
	Mode   corev1.PersistentVolumeMode
	// HasAccess are the modes of the claim that exists, for the note that one of them would be lost.
	HasAccess []corev1.PersistentVolumeAccessMode
}

// Right is something to be done in the remote cluster.
type Right struct {
	Verb, Group, Resource string
	// Namespace is "" for a right in all of them, or on what has none.
	Namespace string
}

// String is "create virtualmachines.kubevirt.io in team-a".
func (r Right) String() string {
	text := r.Verb + " " + r.Resource
	if r.Group != "" {
		text += "." + r.Group
	}
	if r.Namespace != "" {
		text += " in " + r.Namespace
	}
	return text
}

// Input is what needs are derived from.
type Input struct {
	// VM is one that exists, or one that [desired.VirtualMachine] made. Claims are those of its
	// disks that exist.
	VM     *kubevirtv1.VirtualMachine
	Claims []corev1.PersistentVolumeClaim
	// Network is the record of the Machine's attachments.
	Network vitistackv1alpha1.NetworkRecord
	// Machine is whose it is. The types of its disks may name storage classes.
	Machine *vitistackv1alpha1.Machine
	Options desired.Options
}

// NeedsOf derives what a virtual machine needs. The error is that of a network whose definition
// cannot be made. It changes nothing of its input.
func NeedsOf(in Input) (Needs, error) {
	n := Needs{VM: bare(in.VM), VMUID: in.VM.UID, SupervisorUID: in.Options.SupervisorUID}
	if in.Machine != nil {
		n.MachineUID = in.Machine.UID
	}
	for _, attachment := range in.Network.Attachments {
		made, err := desired.NetworkAttachmentDefinition(in.VM.Namespace, attachment, in.Options)
		if err != nil {
			return n, err
		}
		if made != nil {
			n.Attachments = append(n.Attachments, made)
		}
	}
	if in.VM.Spec.Template == nil {
		return n, nil
	}
	spec := &in.VM.Spec.Template.Spec
	n.hardware(spec)
	n.catalogue(in.VM)
	n.networks(in, spec)
	n.disks(in, spec)
	n.objects(spec)
	n.rights()
	return n, nil
}
