package provision

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// CloudInit is what the guest gets at its first boot, nil for nothing. It reads the Secrets and
// ConfigMaps that the Machine names, past the cache: no Secret is ever watched for it.
func (j Job) CloudInit(
	ctx context.Context, namespaces []vitistackv1alpha1.NetworkNamespace,
	configurations []vitistackv1alpha1.NetworkConfiguration,
) (*desired.CloudInit, error) {
	sources, err := desired.CloudInitSources(j.Machine)
	if err != nil {
		return nil, problem.Pure(err, vmReady)
	}
	for _, source := range []*desired.Source{&sources.UserData, &sources.NetworkData} {
		if err := j.readSource(ctx, source); err != nil {
			return nil, err
		}
	}
	init, err := desired.NewCloudInit(desired.CloudInitInput{
		Machine: j.Machine, VMName: j.Ledger.VMName, Sources: sources, Network: j.Network,
		NetworkNamespaces: namespaces, Configurations: configurations, Options: j.Options,
	})
	return init, problem.Pure(err, vmReady)
}

func (j Job) readSource(ctx context.Context, source *desired.Source) error {
	key := client.ObjectKey{Namespace: j.Machine.Namespace, Name: source.Name}
	found := false
	switch source.Kind {
	case desired.SourceSecret:
		secret := &corev1.Secret{}
		if err := client.IgnoreNotFound(j.Supervisor.Server.Get(ctx, key, secret)); err != nil {
			return problem.Supervisor(err, problem.At{Condition: vmReady, Doing: "reading Secret " + key.Name})
		}
		if err := j.mayRead(ctx, secret); err != nil {
			return err
		}
		source.Data, found = secret.Data[source.Key]
	case desired.SourceConfigMap:
		config := &corev1.ConfigMap{}
		if err := client.IgnoreNotFound(j.Supervisor.Server.Get(ctx, key, config)); err != nil {
			return problem.Supervisor(err, problem.At{Condition: vmReady, Doing: "reading ConfigMap " + key.Name})
		}
		if source.Data, found = config.BinaryData[source.Key]; !found {
			var text string
			text, found = config.Data[source.Key]
			source.Data = []byte(text)
		}
	default:
		return nil
	}
	if !found {
		return problem.Pure(source.Missing(), vmReady)
	}
	return nil
}

// mayRead refuses Secrets that are not meant for guests: whoever may create Machines could else
// read the kubeconfigs of all clusters, and the tokens of service accounts, out of a guest.
func (j Job) mayRead(ctx context.Context, secret *corev1.Secret) error {
	refuse := func(why string) error {
		return problem.Person(vmReady, vitistackv1alpha1.ReasonSecretNotAllowed,
			"cloudInit names Secret %s, which %s: give the guest a Secret of its own", secret.Name, why)
	}
	if secret.Type == corev1.SecretTypeServiceAccountToken {
		return refuse("is a service account's token")
	}
	configs := &vitistackv1alpha1.KubevirtConfigList{}
	if err := j.Supervisor.Cache.List(ctx, configs); err != nil {
		return problem.Supervisor(err, problem.At{Condition: vmReady, Doing: "listing KubevirtConfigs"})
	}
	isKubeconfig := func(config vitistackv1alpha1.KubevirtConfig) bool {
		namespace, name := config.KubeconfigSecret()
		return name == secret.Name && (namespace == "" || namespace == secret.Namespace)
	}
	if secret.Name != "" && slices.ContainsFunc(configs.Items, isKubeconfig) {
		return refuse("has the kubeconfig of a remote cluster")
	}
	return nil
}

// CreateSecret writes cloud-init data that may not stand in the VirtualMachine into a Secret that
// the VirtualMachine owns.
func (j Job) CreateSecret(ctx context.Context, vm *kubevirtv1.VirtualMachine, init *desired.CloudInit) error {
	if init == nil || init.Secret == nil {
		return nil
	}
	secret := init.Secret.DeepCopy()
	secret.Namespace = vm.Namespace
	secret.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: kubevirtv1.GroupVersion.String(), Kind: "VirtualMachine", Name: vm.Name, UID: vm.UID,
	}}
	err := j.Remote.Writer.Create(ctx, secret, side.FieldOwner)
	if apierrors.IsAlreadyExists(err) {
		return j.replaceSecret(ctx, vm, secret)
	}
	return problem.Remote(err, j.Remote.Config, problem.At{Condition: vmReady, Doing: "creating Secret " + secret.Name})
}

// replaceSecret looks whether a Secret that exists is the one of this VirtualMachine. That of an
// earlier VirtualMachine of this Machine, or with what the Machine said before, makes way.
func (j Job) replaceSecret(ctx context.Context, vm *kubevirtv1.VirtualMachine, wanted *corev1.Secret) error {
	at := problem.At{Condition: vmReady, Doing: "replacing Secret " + wanted.Name}
	existing := &corev1.Secret{}
	if err := j.Remote.Server.Get(ctx, client.ObjectKeyFromObject(wanted), existing); err != nil {
		return problem.Remote(err, j.Remote.Config, at)
	}
	if !j.isLabelled(existing) {
		return problem.Person(vmReady, vitistackv1alpha1.ReasonRejected,
			"%s has a Secret %s that is not this Machine's", j.Remote.Config, wanted.Name)
	}
	isOwner := func(owner metav1.OwnerReference) bool { return owner.UID == vm.UID }
	if slices.ContainsFunc(existing.OwnerReferences, isOwner) && equality.Semantic.DeepEqual(existing.Data, wanted.Data) {
		return nil
	}
	if existing.DeletionTimestamp.IsZero() {
		err := j.Remote.Writer.Delete(ctx, existing, client.Preconditions{UID: &existing.UID})
		if client.IgnoreNotFound(err) != nil {
			return problem.Remote(err, j.Remote.Config, at)
		}
		if len(existing.Finalizers) == 0 {
			err := j.Remote.Writer.Create(ctx, wanted, side.FieldOwner)
			return problem.Remote(err, j.Remote.Config, at)
		}
	}
	return problem.Cluster(vmReady, vitistackv1alpha1.ReasonCreating,
		"Secret %s in %s belongs to an earlier virtual machine and is being deleted%s", wanted.Name, j.Remote.Config,
		HeldBy(existing))
}

// HeldBy names the finalizers that keep an object, for a message. It is "" where there are none.
func HeldBy(object client.Object) string {
	finalizers := object.GetFinalizers()
	if len(finalizers) == 0 {
		return ""
	}
	sorted := slices.Sorted(slices.Values(finalizers))
	text := "; it is held by "
	for i, each := range sorted[:min(len(sorted), 5)] {
		if i > 0 {
			text += ", "
		}
		text += each
	}
	return text
}
