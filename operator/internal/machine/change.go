package machine

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/operator/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/desired"
)

// change applies what the Machine says now to a VirtualMachine that exists: its size and its run strategy, where the Machine's own wish for
// them is another than the last one applied. Else they are carried as they are: they belong to people once they are set.
// The apply carries UID and resourceVersion, so that it can neither create nor meet another object. Disks and networks are lists that
// others edit as well; they stay as they are.
func (p *pass) change(ctx context.Context, wish string) error {
	once, err := p.setOnce()
	if err != nil {
		return err
	}
	patch, err := p.changed()
	if err != nil {
		return err
	}
	patch.Annotations = map[string]string{
		vitistackv1alpha1.AnnotationAppliedHash: wish, vitistackv1alpha1.AnnotationAppliedWish: once,
	}
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

// wishes are the Machine's own, for what is set once and belongs to people from then on.
type wishes struct {
	Cores, Sockets, Threads uint32
	Memory                  int64                         // bytes
	RunStrategy             vitistackv1alpha1.RunStrategy // "" for none
}

func (p *pass) wishes() (wishes, error) {
	size, err := desired.SizeFor(p.machine, p.class, p.settings.Desired)
	if err != nil {
		return wishes{}, err
	}
	return wishes{Cores: size.Cores, Sockets: size.Sockets, Threads: size.Threads, Memory: size.Memory, RunStrategy: p.machine.Spec.RunStrategy}, nil
}

// setOnce is the text of the wishes that is kept on the VirtualMachine.
func (p *pass) setOnce() (string, error) {
	wanted, err := p.wishes()
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(wanted)
	return string(text), err
}

// changed is the VirtualMachine with the fields that are applied, and no other. What is not to change is applied with the value that it
// has, because an apply takes away what an earlier one has set.
func (p *pass) changed() (*kubevirtv1.VirtualMachine, error) {
	wanted, err := p.wishes()
	if err != nil {
		return nil, err
	}
	var last wishes // all zero where nothing readable is recorded, which no wish equals
	if err := json.Unmarshal([]byte(p.vm.Annotations[vitistackv1alpha1.AnnotationAppliedWish]), &last); err != nil {
		last = wishes{}
	}
	vm := &kubevirtv1.VirtualMachine{}
	vm.SetGroupVersionKind(kubevirtv1.VirtualMachineGroupVersionKind)
	vm.Namespace, vm.Name, vm.UID, vm.ResourceVersion = p.vm.Namespace, p.vm.Name, p.vm.UID, p.vm.ResourceVersion
	vm.Labels = desired.Labels(p.machine, p.settings.Desired)
	vm.Spec.RunStrategy = p.vm.Spec.RunStrategy
	if wanted.RunStrategy != "" && wanted.RunStrategy != last.RunStrategy {
		vm.Spec.RunStrategy = ptr.To(kubevirtv1.VirtualMachineRunStrategy(wanted.RunStrategy))
	}
	vm.Spec.Template = &kubevirtv1.VirtualMachineInstanceTemplateSpec{}
	vm.Spec.Template.Spec.Domain = resized(p.vm, wanted, last)
	return vm, nil
}

// resized is the size to apply: the wanted one where it is another than the last, else the one that the VirtualMachine has.
func resized(live *kubevirtv1.VirtualMachine, wanted, last wishes) kubevirtv1.DomainSpec {
	domain, has := kubevirtv1.DomainSpec{}, kubevirtv1.DomainSpec{}
	if live.Spec.Template != nil {
		has = live.Spec.Template.Spec.Domain
	}
	switch {
	case wanted.Cores != last.Cores || wanted.Sockets != last.Sockets || wanted.Threads != last.Threads:
		domain.CPU = &kubevirtv1.CPU{Cores: wanted.Cores, Sockets: wanted.Sockets, Threads: wanted.Threads}
	case has.CPU != nil:
		domain.CPU = &kubevirtv1.CPU{Cores: has.CPU.Cores, Sockets: has.CPU.Sockets, Threads: has.CPU.Threads}
	}
	switch {
	case wanted.Memory != last.Memory:
		domain.Memory = &kubevirtv1.Memory{Guest: resource.NewQuantity(wanted.Memory, resource.BinarySI)}
	case has.Memory != nil && has.Memory.Guest != nil:
		domain.Memory = &kubevirtv1.Memory{Guest: has.Memory.Guest}
	}
	return domain
}

// prune removes what encoding puts in though it is empty: an applied empty value would be ours from then on.
func prune(object *unstructured.Unstructured) {
	unstructured.RemoveNestedField(object.Object, "status")
	unstructured.RemoveNestedField(object.Object, "metadata", "creationTimestamp")
	unstructured.RemoveNestedField(object.Object, "spec", "template", "metadata")
	unstructured.RemoveNestedField(object.Object, "spec", "template", "spec", "domain", "devices")
	unstructured.RemoveNestedField(object.Object, "spec", "template", "spec", "domain", "resources")
}
