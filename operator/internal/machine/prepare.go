package machine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// sourceRetry is when something is looked for again that nobody tells us of: a Secret of cloud-init, an address.
const sourceRetry = 5 * time.Second

// prepare makes what the VirtualMachine needs in its cluster, and looks that nothing is in its way.
func (p *pass) prepare(ctx context.Context, vm *kubevirtv1.VirtualMachine) error {
	live, err := p.KubevirtClientMgr.Live(p.ledger.Config)
	if err != nil {
		return p.unreachable(err)
	}
	if err := p.ensureNamespace(ctx, live); err != nil {
		return err
	}
	if err := p.ensureAttachments(ctx, live); err != nil {
		return err
	}
	return p.checkDisks(ctx, live, vm)
}

// ensureNamespace creates the Machine's namespace in the remote cluster, if it is not there and may be created. It is never deleted.
func (p *pass) ensureNamespace(ctx context.Context, live client.Reader) error {
	key := p.cluster() + "/" + p.ledger.Namespace
	if _, known := p.seen.namespaces.get(key, p.now); known {
		return nil
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: p.ledger.Namespace}}
	err := live.Get(ctx, client.ObjectKeyFromObject(namespace), namespace)
	if err == nil {
		p.seen.namespaces.put(key, struct{}{}, p.now)
	}
	if !apierrors.IsNotFound(err) {
		return p.unreachable(err)
	}
	managedBy := desired.Labels(p.machine, p.settings.Desired)[vitistackv1alpha1.LabelManagedBy]
	namespace.Labels = map[string]string{vitistackv1alpha1.LabelManagedBy: managedBy}
	err = p.remote.Create(ctx, namespace, fieldOwner)
	if apierrors.IsForbidden(err) {
		return &Blocked{
			Condition: vitistackv1alpha1.ConditionNetworkReady, Reason: vitistackv1alpha1.ReasonNamespaceMissing,
			Message: fmt.Sprintf("%s has no namespace %s, and does not let us create it", p.ledger.Config, p.ledger.Namespace),
			After:   blockedRetry,
		}
	}
	return p.unreachable(ignoreExisting(err))
}

// ensureAttachments creates the NetworkAttachmentDefinitions of VLANs that are not there. They are neither changed nor deleted.
func (p *pass) ensureAttachments(ctx context.Context, live client.Reader) error {
	for _, a := range p.attachments {
		wanted, err := desired.NetworkAttachmentDefinition(p.ledger.Namespace, a.Network, p.settings.Desired)
		if err != nil {
			return err
		}
		if wanted == nil {
			continue
		}
		err = live.Get(ctx, client.ObjectKeyFromObject(wanted), wanted.DeepCopy())
		if apierrors.IsNotFound(err) {
			err = ignoreExisting(p.remote.Create(ctx, wanted, fieldOwner))
		}
		if err != nil {
			return p.refused(err, "NetworkAttachmentDefinition "+wanted.GetName())
		}
	}
	return nil
}

// checkDisks looks for DataVolumes and claims of the wanted names that are not this Machine's: KubeVirt would take them for its disks.
func (p *pass) checkDisks(ctx context.Context, live client.Reader, vm *kubevirtv1.VirtualMachine) error {
	for _, template := range vm.Spec.DataVolumeTemplates {
		for _, object := range []client.Object{&cdiv1beta1.DataVolume{}, &corev1.PersistentVolumeClaim{}} {
			err := live.Get(ctx, client.ObjectKey{Namespace: vm.Namespace, Name: template.Name}, object)
			if apierrors.IsNotFound(err) {
				continue
			}
			if err != nil {
				return p.unreachable(err)
			}
			if !desired.IsOurs(object.GetLabels(), p.uid(), p.settings.Desired.SupervisorUID) {
				return &Blocked{
					Condition: vitistackv1alpha1.ConditionVirtualMachineReady, Reason: vitistackv1alpha1.ReasonDiskCollision,
					Message: fmt.Sprintf("%s has a disk %s that is not this Machine's", p.ledger.Config, template.Name),
					After:   blockedRetry,
				}
			}
		}
	}
	return nil
}

// readSources reads the texts of cloud-init from where the Machine says, past the cache: no Secret is ever watched for it.
func (p *pass) readSources(ctx context.Context) (desired.Sources, error) {
	sources, err := desired.CloudInitSources(p.machine)
	if err != nil {
		return sources, err
	}
	return sources, errors.Join(p.readSource(ctx, &sources.UserData), p.readSource(ctx, &sources.NetworkData))
}

func (p *pass) readSource(ctx context.Context, source *desired.Source) error {
	key := client.ObjectKey{Namespace: p.machine.Namespace, Name: source.Name}
	text, found := "", false
	switch source.Kind {
	case desired.SourceSecret:
		secret := &corev1.Secret{}
		if err := client.IgnoreNotFound(p.live.Get(ctx, key, secret)); err != nil {
			return fmt.Errorf("reading Secret %s: %w", key, err)
		}
		var value []byte
		value, found = secret.Data[source.Key]
		text = string(value)
	case desired.SourceConfigMap:
		config := &corev1.ConfigMap{}
		if err := client.IgnoreNotFound(p.live.Get(ctx, key, config)); err != nil {
			return fmt.Errorf("reading ConfigMap %s: %w", key, err)
		}
		text, found = config.Data[source.Key]
	default:
		return nil
	}
	if !found {
		return source.Missing()
	}
	source.Text = text
	return nil
}

// createSecret writes cloud-init data that may not stand in the VirtualMachine into a Secret that the VirtualMachine owns.
func (p *pass) createSecret(ctx context.Context, init *desired.CloudInit) error {
	if init == nil || init.Secret == nil {
		return nil
	}
	secret := init.Secret.DeepCopy()
	secret.Namespace = p.vm.Namespace
	secret.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: kubevirtv1.GroupVersion.String(), Kind: "VirtualMachine", Name: p.vm.Name, UID: p.vm.UID,
	}}
	err := p.remote.Create(ctx, secret, fieldOwner)
	if apierrors.IsAlreadyExists(err) {
		return p.checkSecret(ctx, secret)
	}
	return p.refused(err, "Secret "+secret.Name)
}

// checkSecret looks whether a Secret that exists is the one of this VirtualMachine. That of an earlier one of this Machine goes with that
// one, whenever the remote cluster gets to it, so it makes way now; and so does one with what the Machine said before.
func (p *pass) checkSecret(ctx context.Context, wanted *corev1.Secret) error {
	key := client.ObjectKeyFromObject(wanted)
	live, err := p.KubevirtClientMgr.Live(p.ledger.Config)
	if err != nil {
		return p.unreachable(err)
	}
	existing := &corev1.Secret{}
	if err := live.Get(ctx, key, existing); err != nil {
		return p.unreachable(err)
	}
	if !desired.IsOurs(existing.Labels, p.uid(), p.settings.Desired.SupervisorUID) {
		return &Blocked{
			Condition: vitistackv1alpha1.ConditionVirtualMachineReady, Reason: vitistackv1alpha1.ReasonRejected, After: blockedRetry,
			Message: fmt.Sprintf("%s has a Secret %s that is not this Machine's", p.ledger.Config, key.Name),
		}
	}
	isOwner := func(owner metav1.OwnerReference) bool { return owner.UID == p.vm.UID }
	if slices.ContainsFunc(existing.OwnerReferences, isOwner) && equality.Semantic.DeepEqual(existing.Data, wanted.Data) {
		return nil
	}
	if err := p.remote.Delete(ctx, existing, client.Preconditions{UID: &existing.UID}); client.IgnoreNotFound(err) != nil {
		return p.refused(err, "the deletion of Secret "+key.Name)
	}
	return &Wait{
		Condition: vitistackv1alpha1.ConditionVirtualMachineReady, Reason: vitistackv1alpha1.ReasonCreating, After: conflictRetry,
		Message: fmt.Sprintf("Secret %s of %s is made anew", key.Name, p.ledger.Config),
	}
}

func ignoreExisting(err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
