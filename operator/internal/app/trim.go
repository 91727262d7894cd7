package app

import (
	"slices"
	"sync"

	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/operator/api/v1alpha1"
)

// trimmer makes what is cached of remote clusters small: ten thousand Machines are tens of megabytes. It is safe for concurrent use.
type trimmer struct {
	locked struct {
		sync.Mutex
		shared map[string]string
	}
}

// maxShared bounds the strings that are held once for all objects. There are a few label keys, and whoever may write labels in a cluster may
// add to them.
const maxShared = 1000

// virtualMachine keeps everything but who applied what by kubectl: drift is judged on the whole spec.
func (t *trimmer) virtualMachine(object any) (any, error) {
	vm, isVM := object.(*kubevirtv1.VirtualMachine)
	if !isVM {
		return object, nil
	}
	delete(vm.Annotations, "kubectl.kubernetes.io/last-applied-configuration")
	vm.Labels = t.labels(vm.Labels)
	if vm.Spec.Template != nil {
		vm.Spec.Template.ObjectMeta.Labels = t.labels(vm.Spec.Template.ObjectMeta.Labels)
	}
	for i := range vm.Spec.DataVolumeTemplates {
		vm.Spec.DataVolumeTemplates[i].Labels = t.labels(vm.Spec.DataVolumeTemplates[i].Labels)
	}
	return vm, nil
}

// instance keeps of a spec what the status of a Machine tells of it, and what its volumes refer to: all else is in the VirtualMachine.
func (t *trimmer) instance(object any) (any, error) {
	vmi, isInstance := object.(*kubevirtv1.VirtualMachineInstance)
	if !isInstance {
		return object, nil
	}
	vmi.Labels = t.labels(vmi.Labels)
	domain := vmi.Spec.Domain
	vmi.Spec = kubevirtv1.VirtualMachineInstanceSpec{
		Architecture: vmi.Spec.Architecture, Hostname: vmi.Spec.Hostname,
		Domain: kubevirtv1.DomainSpec{CPU: domain.CPU, Memory: domain.Memory, Devices: kubevirtv1.Devices{
			Disks: domain.Devices.Disks, Interfaces: domain.Devices.Interfaces,
		}},
		Volumes: slices.DeleteFunc(vmi.Spec.Volumes, func(v kubevirtv1.Volume) bool {
			return v.CloudInitNoCloud != nil || v.CloudInitConfigDrive != nil || v.Sysprep != nil
		}),
	}
	vmi.Status.ActivePods, vmi.Status.TopologyHints, vmi.Status.Machine, vmi.Status.KernelBootStatus = nil, nil, nil, nil
	return vmi, nil
}

// labels returns equal labels that share their keys, and the values that most objects have, with others.
func (t *trimmer) labels(of map[string]string) map[string]string {
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
func (t *trimmer) share(text string) string {
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
