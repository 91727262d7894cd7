package observed

import (
	"maps"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Trimmer makes what is cached of remote clusters small, and keeps all that Status tells of: ten
// thousand Machines are tens of megabytes. Its methods are transforms of a cache
// (cache.TransformFunc of client-go); they change the object that they are given. What a guest
// reports is bounded. The zero value works, and is safe for concurrent use.
type Trimmer struct {
	locked struct {
		sync.Mutex
		shared map[string]string
	}
}

// maxShared bounds the strings that are held once for all objects: label keys, nodes, reasons and
// the like. Whoever may write in a cluster may add to them.
const maxShared = 10_000

// VirtualMachine keeps everything but who applied what by kubectl: a change is made on the whole
// spec.
func (t *Trimmer) VirtualMachine(object any) (any, error) {
	vm, isVM := object.(*kubevirtv1.VirtualMachine)
	if !isVM {
		return object, nil
	}
	delete(vm.Annotations, "kubectl.kubernetes.io/last-applied-configuration")
	vm.Labels = t.labels(vm.Labels)
	if vm.Spec.Template != nil {
		vm.Spec.Template.ObjectMeta.Labels = t.same(vm.Labels, vm.Spec.Template.ObjectMeta.Labels)
	}
	for i := range vm.Spec.DataVolumeTemplates {
		vm.Spec.DataVolumeTemplates[i].Labels = t.same(vm.Labels, vm.Spec.DataVolumeTemplates[i].Labels)
	}
	t.locked.Lock()
	defer t.locked.Unlock()
	for i := range vm.Status.Conditions {
		c := &vm.Status.Conditions[i]
		c.Type = kubevirtv1.VirtualMachineConditionType(t.share(string(c.Type)))
		c.Status, c.Reason, c.Message = corev1.ConditionStatus(t.share(string(c.Status))), t.share(word(c.Reason)),
			sentence(c.Message)
	}
	return vm, nil
}

// same returns the labels that are known where the others are equal: what is cached is not changed,
// so that one map serves for both.
func (t *Trimmer) same(known, labels map[string]string) map[string]string {
	if maps.Equal(known, labels) {
		return known
	}
	return t.labels(labels)
}

// Instance keeps of a spec what the status of a Machine tells of it, and what its volumes refer to.
// All else is in the VirtualMachine.
func (t *Trimmer) Instance(object any) (any, error) {
	vmi, isInstance := object.(*kubevirtv1.VirtualMachineInstance)
	if !isInstance {
		return object, nil
	}
	vmi.Labels, vmi.Annotations, vmi.Finalizers, vmi.OwnerReferences = t.labels(vmi.Labels), nil, nil, nil
	domain := vmi.Spec.Domain
	vmi.Spec = kubevirtv1.VirtualMachineInstanceSpec{
		Architecture: word(vmi.Spec.Architecture), Hostname: name(vmi.Spec.Hostname),
		Domain: kubevirtv1.DomainSpec{CPU: domain.CPU, Memory: domain.Memory, Devices: kubevirtv1.Devices{
			Disks: domain.Devices.Disks, Interfaces: domain.Devices.Interfaces,
		}},
		Volumes: slices.Clone(slices.DeleteFunc(vmi.Spec.Volumes, func(v kubevirtv1.Volume) bool {
			return v.CloudInitNoCloud != nil || v.CloudInitConfigDrive != nil || v.Sysprep != nil
		})),
	}
	t.status(&vmi.Status)
	return vmi, nil
}

// status drops what a Machine's status does not tell of, and shares what many instances say.
func (t *Trimmer) status(of *kubevirtv1.VirtualMachineInstanceStatus) {
	of.ActivePods, of.TopologyHints, of.Machine, of.KernelBootStatus, of.QOSClass = nil, nil, nil, nil, nil
	of.LauncherContainerImageVersion, of.VirtualMachineRevisionName = "", ""
	of.PhaseTransitionTimestamps = slices.Clone(slices.DeleteFunc(of.PhaseTransitionTimestamps,
		func(each kubevirtv1.VirtualMachineInstancePhaseTransitionTimestamp) bool {
			return each.Phase != kubevirtv1.Running
		}))
	of.Interfaces = trimInterfaces(of.Interfaces)
	t.locked.Lock()
	defer t.locked.Unlock()
	of.NodeName = t.share(name(of.NodeName))
	for i := range of.Conditions {
		c := &of.Conditions[i]
		c.Type = kubevirtv1.VirtualMachineInstanceConditionType(t.share(string(c.Type)))
		c.Status, c.Reason, c.Message = corev1.ConditionStatus(t.share(string(c.Status))), t.share(word(c.Reason)),
			sentence(c.Message)
	}
	for i := range of.VolumeStatus {
		v := &of.VolumeStatus[i]
		v.Target, v.Reason, v.Message = word(v.Target), word(v.Reason), sentence(v.Message)
	}
	for i := range of.Interfaces {
		of.Interfaces[i].InfoSource = t.share(of.Interfaces[i].InfoSource)
	}
	guest := &of.GuestOSInfo
	for _, said := range []*string{
		&guest.Name, &guest.Version, &guest.VersionID, &guest.PrettyName, &guest.KernelRelease, &guest.KernelVersion,
		&guest.ID,
	} {
		*said = t.share(word(*said))
	}
}

// maxReported bounds the interfaces that are kept of one instance, which is more than a status
// lists.
const maxReported = 8 * (maxSpecInterfaces + maxGuestInterfaces)

// trimInterfaces drops the interfaces and addresses that no status lists.
func trimInterfaces(
	reported []kubevirtv1.VirtualMachineInstanceNetworkInterface,
) []kubevirtv1.VirtualMachineInstanceNetworkInterface {
	var kept []kubevirtv1.VirtualMachineInstanceNetworkInterface
	for _, r := range reported {
		if !isListed(r) {
			continue
		}
		if len(kept) == maxReported {
			break
		}
		r.Name, r.InterfaceName, r.IP = name(r.Name), name(r.InterfaceName), word(r.IP)
		r.LinkState, r.InfoSource = word(r.LinkState), word(r.InfoSource)
		if v4, v6 := addressesOf(r); len(r.IPs) > len(v4)+len(v6) {
			r.IPs = slices.Concat(v4, v6)
		}
		kept = append(kept, r)
	}
	return kept
}

// labels returns equal labels that share their keys, and the values that most objects have, with
// others.
func (t *Trimmer) labels(of map[string]string) map[string]string {
	if len(of) == 0 {
		return nil
	}
	small := make(map[string]string, len(of))
	t.locked.Lock()
	defer t.locked.Unlock()
	for key, value := range of {
		if key == vitistackv1alpha1.LabelSupervisorUID || key == vitistackv1alpha1.LabelManagedBy {
			value = t.share(value)
		}
		small[t.share(key)] = value
	}
	return small
}

// share is called with the lock held.
func (t *Trimmer) share(text string) string {
	if known, found := t.locked.shared[text]; found {
		return known
	}
	if t.locked.shared == nil {
		t.locked.shared = map[string]string{}
	}
	if len(t.locked.shared) < maxShared {
		t.locked.shared[text] = text
	}
	return text
}
