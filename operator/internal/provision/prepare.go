package provision

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/survey"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

const vmReady = vitistackv1alpha1.ConditionVirtualMachineReady

// Prepare makes what a VirtualMachine refers to, before it refers to it: the remote namespace and
// the NetworkAttachmentDefinitions of the Machine's network record. They are neither changed nor
// deleted.
func (j Job) Prepare(ctx context.Context) error {
	if err := j.ensureNamespace(ctx); err != nil {
		return err
	}
	for _, attachment := range j.Network.Attachments {
		if err := j.ensureAttachment(ctx, attachment); err != nil {
			return err
		}
	}
	return nil
}

func (j Job) ensureNamespace(ctx context.Context) error {
	key := survey.Key(j.Remote.Config, j.Remote.ClusterUID, j.Ledger.Namespace)
	if _, known := j.Facts.Namespaces.Get(key, j.Now); known {
		return nil
	}
	at := problem.At{Condition: networkReady, Doing: "creating namespace " + j.Ledger.Namespace}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: j.Ledger.Namespace}}
	err := j.Remote.Server.Get(ctx, client.ObjectKeyFromObject(namespace), namespace)
	if apierrors.IsNotFound(err) {
		namespace.Labels = map[string]string{
			vitistackv1alpha1.LabelManagedBy: desired.Labels(j.Machine, j.Options)[vitistackv1alpha1.LabelManagedBy],
		}
		err = client.IgnoreAlreadyExists(j.Remote.Writer.Create(ctx, namespace, side.FieldOwner))
		if apierrors.IsForbidden(err) {
			return problem.Person(networkReady, vitistackv1alpha1.ReasonNamespaceMissing,
				"%s has no namespace %s, and does not let the operator create it (%s)", j.Remote.Config, j.Ledger.Namespace, err)
		}
		return problem.Remote(err, j.Remote.Config, at)
	}
	if err == nil {
		j.Facts.Namespaces.Put(key, struct{}{}, j.Now)
	}
	return problem.Remote(err, j.Remote.Config, at)
}

func (j Job) ensureAttachment(ctx context.Context, attachment vitistackv1alpha1.Attachment) error {
	wanted, err := desired.NetworkAttachmentDefinition(j.Ledger.Namespace, attachment, j.Options)
	if err != nil {
		return problem.Pure(err, networkReady)
	}
	if wanted == nil {
		return nil
	}
	at := problem.At{Condition: networkReady, Doing: "creating NetworkAttachmentDefinition " + wanted.GetName()}
	err = j.Remote.Server.Get(ctx, client.ObjectKeyFromObject(wanted), wanted.DeepCopy())
	if apierrors.IsNotFound(err) {
		err = client.IgnoreAlreadyExists(j.Remote.Writer.Create(ctx, wanted, side.FieldOwner))
	}
	return problem.Remote(err, j.Remote.Config, at)
}

// CheckDisks looks for DataVolumes and PVCs of the wanted names that are not this Machine's:
// KubeVirt would take them for its disks.
func (j Job) CheckDisks(ctx context.Context, vm *kubevirtv1.VirtualMachine) error {
	for _, template := range vm.Spec.DataVolumeTemplates {
		key := client.ObjectKey{Namespace: j.Ledger.Namespace, Name: template.Name}
		for _, object := range []client.Object{&cdiv1beta1.DataVolume{}, &corev1.PersistentVolumeClaim{}} {
			err := j.Remote.Server.Get(ctx, key, object)
			if apierrors.IsNotFound(err) {
				continue
			}
			if err != nil {
				return problem.Remote(err, j.Remote.Config, problem.At{Condition: vmReady, Doing: "looking for disk " + key.Name})
			}
			if !j.isLabelled(object) {
				return problem.Person(vmReady, vitistackv1alpha1.ReasonDiskCollision,
					"%s has a disk %s that is not this Machine's", j.Remote.Config, key.Name)
			}
		}
	}
	return nil
}
