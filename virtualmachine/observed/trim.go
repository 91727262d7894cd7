package observed

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Trimmer makes what is cached of remote clusters small, and keeps all that Status and package
// desired read: ten thousand Machines are tens of megabytes. Its methods are transforms of a cache
// (cache.TransformFunc of client-go); they change the object that they are given, and return a small
// form of it that has its metadata, and whose Unpack makes it anew. What a guest reports is bounded.
// The zero value works, and is safe for concurrent use.
//
// A patch may be computed between a trimmed object and its copy, and then has only what was changed
// in the copy. A trimmed object must never be sent as a whole.
type Trimmer struct{ shared shared }

// ours begins the keys of annotations that are kept: what the placement and the last change wrote.
const ours = vitistackv1alpha1.GroupName + "/"

// VirtualMachine keeps what a VirtualMachine is known by, how it is attached, stored and sized, and
// how it is. A change is made on what the server has.
func (t *Trimmer) VirtualMachine(object any) (any, error) {
	vm, isVM := object.(*kubevirtv1.VirtualMachine)
	if !isVM {
		return object, nil
	}
	t.trimVM(vm)
	return packVM(vm), nil
}

func (t *Trimmer) trimVM(vm *kubevirtv1.VirtualMachine) {
	vm.TypeMeta = metav1.TypeMeta{}
	vm.ObjectMeta = t.meta(vm.ObjectMeta)
	vm.Annotations = t.annotations(vm.Annotations)
	spec := vm.Spec
	vm.Spec = kubevirtv1.VirtualMachineSpec{
		RunStrategy: spec.RunStrategy, Running: spec.Running, DataVolumeTemplates: t.templates(spec.DataVolumeTemplates),
	}
	if template := spec.Template; template != nil {
		vm.Spec.Template = &kubevirtv1.VirtualMachineInstanceTemplateSpec{Spec: t.spec(template.Spec)}
		vm.Spec.Template.Spec.Networks = t.networks(template.Spec.Networks)
	}
	status := vm.Status
	vm.Status = kubevirtv1.VirtualMachineStatus{
		Created: status.Created, Ready: status.Ready,
		PrintableStatus:    kubevirtv1.VirtualMachinePrintableStatus(t.shared.text(string(status.PrintableStatus))),
		SnapshotInProgress: status.SnapshotInProgress, RestoreInProgress: status.RestoreInProgress,
	}
	for _, c := range status.Conditions {
		if isTold(c) {
			c.Reason, c.Message = t.shared.text(word(c.Reason)), sentence(c.Message)
			vm.Status.Conditions = append(vm.Status.Conditions, c)
		}
	}
}

// isTold reports whether a status tells of a condition of a VirtualMachine.
func isTold(c kubevirtv1.VirtualMachineCondition) bool {
	switch c.Type {
	case kubevirtv1.VirtualMachineReady:
		return c.Status == corev1.ConditionFalse
	case kubevirtv1.VirtualMachineFailure, kubevirtv1.VirtualMachineRestartRequired:
		return c.Status == corev1.ConditionTrue
	default:
		return false
	}
}

// Instance keeps of a spec what the status of a Machine tells of it, and which data its volumes
// hold. All else is in the VirtualMachine.
func (t *Trimmer) Instance(object any) (any, error) {
	vmi, isInstance := object.(*kubevirtv1.VirtualMachineInstance)
	if !isInstance {
		return object, nil
	}
	t.trimInstance(vmi)
	return packInstance(vmi), nil
}

func (t *Trimmer) trimInstance(vmi *kubevirtv1.VirtualMachineInstance) {
	vmi.TypeMeta = metav1.TypeMeta{}
	vmi.ObjectMeta = t.meta(vmi.ObjectMeta)
	vmi.Annotations, vmi.OwnerReferences = nil, nil
	vmi.Spec.Volumes = slices.DeleteFunc(vmi.Spec.Volumes, func(v kubevirtv1.Volume) bool { return !holdsData(v) })
	vmi.Spec = t.spec(vmi.Spec)
	vmi.Status = t.status(vmi.Status)
}

// meta drops who may hold an object up: only its deletion is told.
func (t *Trimmer) meta(of metav1.ObjectMeta) metav1.ObjectMeta {
	of.Namespace, of.Labels = t.shared.text(of.Namespace), t.shared.labels(of.Labels)
	of.Finalizers, of.ManagedFields = nil, nil
	return of
}

// annotations keeps those of this project.
func (t *Trimmer) annotations(of map[string]string) map[string]string {
	var kept map[string]string
	for key, value := range of {
		if !strings.HasPrefix(key, ours) {
			continue
		}
		if kept == nil {
			kept = map[string]string{}
		}
		kept[t.shared.text(key)] = value
	}
	return kept
}
