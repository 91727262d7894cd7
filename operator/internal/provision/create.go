package provision

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// Fence shows that the Machine in hand is the newest one, and returns its ledger. It fails where
// somebody changed the Machine since it was read, so that no two operators create from two versions
// of it.
type Fence func(context.Context) (vitistackv1alpha1.Ledger, error)

// Create creates the VirtualMachine of a Machine. The caller has proven that there is none. The
// fence is called directly before.
func (j Job) Create(
	ctx context.Context, class *vitistackv1alpha1.MachineClass, init *desired.CloudInit, fence Fence,
) (*kubevirtv1.VirtualMachine, error) {
	input := j.input(class, init)
	wish, err := desired.NewWish(input, nil)
	if err != nil {
		return nil, problem.Pure(err, vmReady)
	}
	if input.StorageClasses, err = j.storageClasses(ctx, nil); err != nil {
		return nil, err
	}
	vm, err := desired.VirtualMachine(input)
	if err != nil {
		return nil, problem.Pure(err, vmReady)
	}
	if err := j.Prepare(ctx); err != nil {
		return nil, err
	}
	if err := j.CheckDisks(ctx, vm); err != nil {
		return nil, err
	}
	ledger, err := fence(ctx)
	if err != nil {
		return nil, err
	}
	vm.Annotations[vitistackv1alpha1.AnnotationPlacementNonce] = ledger.Nonce
	vm.Annotations[vitistackv1alpha1.AnnotationAppliedWish] = wish.String()
	if err := j.Remote.Writer.Create(ctx, vm, side.FieldOwner); err != nil {
		return nil, problem.Remote(err, j.Remote.Config,
			problem.At{Condition: vmReady, Doing: "creating VirtualMachine " + vm.Name})
	}
	log.FromContext(ctx).Info("Created VirtualMachine", "kubevirtConfig", j.Remote.Config, "vm", vm.Name)
	return vm, j.CreateSecret(ctx, vm, init)
}

// LacksSecret reports whether a VirtualMachine refers to a cloud-init Secret that is not there: the
// operator ended between the two.
func (j Job) LacksSecret(ctx context.Context, vm *kubevirtv1.VirtualMachine) (bool, error) {
	name := cloudInitSecret(vm)
	if name == "" {
		return false, nil
	}
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	err := j.Remote.Server.Get(ctx, client.ObjectKey{Namespace: vm.Namespace, Name: name}, secret)
	if client.IgnoreNotFound(err) != nil {
		return false, problem.Remote(err, j.Remote.Config,
			problem.At{Condition: vmReady, Doing: "looking for Secret " + name})
	}
	return err != nil || j.isLeftOver(secret, vm), nil
}

// isLeftOver reports whether a Secret goes away by itself: it is being deleted, or it belongs to an
// earlier VirtualMachine of this Machine.
func (j Job) isLeftOver(secret client.Object, vm *kubevirtv1.VirtualMachine) bool {
	if !secret.GetDeletionTimestamp().IsZero() {
		return true
	}
	owners := secret.GetOwnerReferences()
	isOwner := func(owner metav1.OwnerReference) bool { return owner.UID == vm.UID }
	return j.isLabelled(secret) && len(owners) > 0 && !slices.ContainsFunc(owners, isOwner)
}

// cloudInitSecret is the name of the Secret that a VirtualMachine's cloud-init disk refers to, ""
// for none.
func cloudInitSecret(vm *kubevirtv1.VirtualMachine) string {
	names := CloudInitSecrets(vm)
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// CloudInitSecrets are the names of the Secrets that a VirtualMachine's cloud-init disks refer to,
// each once.
func CloudInitSecrets(vm *kubevirtv1.VirtualMachine) []string {
	if vm.Spec.Template == nil {
		return nil
	}
	var names []string
	for _, volume := range vm.Spec.Template.Spec.Volumes {
		var references []*corev1.LocalObjectReference
		switch {
		case volume.CloudInitNoCloud != nil:
			references = []*corev1.LocalObjectReference{volume.CloudInitNoCloud.UserDataSecretRef,
				volume.CloudInitNoCloud.NetworkDataSecretRef}
		case volume.CloudInitConfigDrive != nil:
			references = []*corev1.LocalObjectReference{volume.CloudInitConfigDrive.UserDataSecretRef,
				volume.CloudInitConfigDrive.NetworkDataSecretRef}
		}
		for _, reference := range references {
			if reference != nil && !slices.Contains(names, reference.Name) {
				names = append(names, reference.Name)
			}
		}
	}
	return names
}
