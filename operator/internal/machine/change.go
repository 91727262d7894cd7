package machine

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/operator/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/desired"
)

// change applies what the Machine says now to a VirtualMachine that exists: its size, and its run strategy where the Machine names one.
// The apply carries UID and resourceVersion, so that it can neither create nor meet another object. Disks and networks are lists that
// others edit as well; they stay as they are.
func (p *pass) change(ctx context.Context, wish string) error {
	size, err := desired.SizeFor(p.machine, p.class, p.settings.Desired)
	if err != nil {
		return err
	}
	patch := p.changed(size, wish)
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(patch)
	if err != nil {
		return fmt.Errorf("encoding the change: %w", err)
	}
	object := &unstructured.Unstructured{Object: content}
	prune(object)
	if err := p.remote.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), fieldOwner, client.ForceOwnership); err != nil {
		return p.refused(err, "the change of VirtualMachine "+p.vm.Name)
	}
	p.event(eventNormal, "Changed", "Apply", fmt.Sprintf("changed VirtualMachine %s in %s", p.vm.Name, p.ledger.Config))
	return nil
}

// changed is the VirtualMachine with the fields that are applied, and no other.
func (p *pass) changed(size desired.Size, wish string) *kubevirtv1.VirtualMachine {
	vm := &kubevirtv1.VirtualMachine{}
	vm.SetGroupVersionKind(kubevirtv1.VirtualMachineGroupVersionKind)
	vm.Namespace, vm.Name, vm.UID, vm.ResourceVersion = p.vm.Namespace, p.vm.Name, p.vm.UID, p.vm.ResourceVersion
	vm.Labels = desired.Labels(p.machine, p.settings.Desired)
	vm.Annotations = map[string]string{vitistackv1alpha1.AnnotationAppliedHash: wish}
	if p.machine.Spec.RunStrategy != "" {
		strategy := kubevirtv1.VirtualMachineRunStrategy(p.machine.Spec.RunStrategy)
		vm.Spec.RunStrategy = &strategy
	}
	vm.Spec.Template = &kubevirtv1.VirtualMachineInstanceTemplateSpec{}
	memory := resource.NewQuantity(size.Memory, resource.BinarySI)
	vm.Spec.Template.Spec.Domain.CPU = &kubevirtv1.CPU{Cores: size.Cores, Sockets: size.Sockets, Threads: size.Threads}
	vm.Spec.Template.Spec.Domain.Memory = &kubevirtv1.Memory{Guest: memory}
	return vm
}

// prune removes what encoding puts in though it is empty: an applied empty value would be ours from then on.
func prune(object *unstructured.Unstructured) {
	unstructured.RemoveNestedField(object.Object, "status")
	unstructured.RemoveNestedField(object.Object, "metadata", "creationTimestamp")
	unstructured.RemoveNestedField(object.Object, "spec", "template", "metadata")
	unstructured.RemoveNestedField(object.Object, "spec", "template", "spec", "domain", "devices")
	unstructured.RemoveNestedField(object.Object, "spec", "template", "spec", "domain", "resources")
}
