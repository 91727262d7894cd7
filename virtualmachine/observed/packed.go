package observed

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kubevirtv1 "kubevirt.io/api/core/v1"
)

// packed is what a cache holds of an object: its metadata, and what a Trimmer kept of the rest.
// KubeVirt's own types have room for a hundred things that nobody here reads. A cache copies what it
// hands out, and so hands out whole objects.
type packed[P unpacker] struct {
	metav1.ObjectMeta
	facts P
}

// unpacker makes the object of its facts. Nothing in it is shared with the facts.
type unpacker interface {
	unpack(metav1.ObjectMeta) runtime.Object
}

// Unpack returns the object as it was trimmed.
func (p *packed[P]) Unpack() runtime.Object { return p.facts.unpack(*p.DeepCopy()) }

// DeepCopyObject implements runtime.Object: a copy is the whole object.
func (p *packed[P]) DeepCopyObject() runtime.Object { return p.Unpack() }

// GetObjectKind implements runtime.Object. Who reads from a cache knows what it reads.
func (p *packed[P]) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// vmFacts are those of a VirtualMachine.
type vmFacts struct {
	runStrategy *kubevirtv1.VirtualMachineRunStrategy
	running     *bool
	templates   []packedTemplate
	template    *packedSpec // nil where there is none
	status      kubevirtv1.VirtualMachineStatus
}

func packVM(vm *kubevirtv1.VirtualMachine) *packed[vmFacts] {
	facts := vmFacts{runStrategy: vm.Spec.RunStrategy, running: vm.Spec.Running,
		templates: each(vm.Spec.DataVolumeTemplates, packTemplate), status: vm.Status}
	if vm.Spec.Template != nil {
		facts.template = new(packSpec(vm.Spec.Template.Spec))
	}
	return &packed[vmFacts]{vm.ObjectMeta, facts}
}

func (f vmFacts) unpack(meta metav1.ObjectMeta) runtime.Object {
	vm := &kubevirtv1.VirtualMachine{ObjectMeta: meta}
	vm.Spec.RunStrategy, vm.Spec.Running = clone(f.runStrategy), clone(f.running)
	vm.Spec.DataVolumeTemplates = each(f.templates, packedTemplate.unpack)
	if f.template != nil {
		vm.Spec.Template = &kubevirtv1.VirtualMachineInstanceTemplateSpec{Spec: f.template.unpack()}
	}
	f.status.DeepCopyInto(&vm.Status)
	return vm
}

// instanceFacts are those of a VirtualMachineInstance.
type instanceFacts struct {
	spec   packedSpec
	status kubevirtv1.VirtualMachineInstanceStatus
}

func packInstance(vmi *kubevirtv1.VirtualMachineInstance) *packed[instanceFacts] {
	return &packed[instanceFacts]{vmi.ObjectMeta, instanceFacts{packSpec(vmi.Spec), vmi.Status}}
}

func (f instanceFacts) unpack(meta metav1.ObjectMeta) runtime.Object {
	vmi := &kubevirtv1.VirtualMachineInstance{ObjectMeta: meta, Spec: f.spec.unpack()}
	f.status.DeepCopyInto(&vmi.Status)
	return vmi
}

// each returns what change makes of each element, nil for an empty list.
func each[A, B any](of []A, change func(A) B) []B {
	if len(of) == 0 {
		return nil
	}
	changed := make([]B, len(of))
	for i := range of {
		changed[i] = change(of[i])
	}
	return changed
}

func clone[T any](of *T) *T {
	if of == nil {
		return nil
	}
	return new(*of)
}
