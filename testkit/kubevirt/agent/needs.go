package agent

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
)

// need is an object that a guest cannot start without.
type need struct {
	kind schema.GroupVersionKind
	key  types.NamespacedName
}

// String names the object as messages do: Secret default/web-cloud-init.
func (n need) String() string { return n.kind.Kind + " " + n.key.String() }

// needs returns every object that an instance names, in the order in which it names them.
func needs(vmi *kubevirtv1.VirtualMachineInstance) []need {
	l := list{namespace: vmi.Namespace}
	for _, volume := range vmi.Spec.Volumes {
		l.addVolume(volume)
	}
	for _, credential := range vmi.Spec.AccessCredentials {
		l.addCredential(credential)
	}
	for _, network := range vmi.Spec.Networks {
		if network.Multus != nil {
			l.addAttachment(network.Multus.NetworkName)
		}
	}
	return l.needs
}

// list collects the needs of one namespace.
type list struct {
	namespace string
	needs     []need
}

func (l *list) add(kind schema.GroupVersionKind, name string) {
	if name != "" {
		l.needs = append(l.needs, need{kind, types.NamespacedName{Namespace: l.namespace, Name: name}})
	}
}

func (l *list) addSecret(reference *corev1.LocalObjectReference) {
	if reference != nil {
		l.add(secretKind, reference.Name)
	}
}

func (l *list) addVolume(volume kubevirtv1.Volume) {
	switch source := volume.VolumeSource; {
	case source.CloudInitNoCloud != nil:
		l.addSecret(source.CloudInitNoCloud.UserDataSecretRef)
		l.addSecret(source.CloudInitNoCloud.NetworkDataSecretRef)
	case source.CloudInitConfigDrive != nil:
		l.addSecret(source.CloudInitConfigDrive.UserDataSecretRef)
		l.addSecret(source.CloudInitConfigDrive.NetworkDataSecretRef)
	case source.Sysprep != nil:
		l.addSecret(source.Sysprep.Secret)
		if source.Sysprep.ConfigMap != nil {
			l.add(configMapKind, source.Sysprep.ConfigMap.Name)
		}
	case source.Secret != nil:
		if optional := source.Secret.Optional; optional == nil || !*optional {
			l.add(secretKind, source.Secret.SecretName)
		}
	case source.ConfigMap != nil:
		if optional := source.ConfigMap.Optional; optional == nil || !*optional {
			l.add(configMapKind, source.ConfigMap.Name)
		}
	default:
		l.add(claimKind, claimName(volume))
	}
}

func (l *list) addCredential(credential kubevirtv1.AccessCredential) {
	if key := credential.SSHPublicKey; key != nil && key.Source.Secret != nil {
		l.add(secretKind, key.Source.Secret.SecretName)
	}
	if password := credential.UserPassword; password != nil && password.Source.Secret != nil {
		l.add(secretKind, password.Source.Secret.SecretName)
	}
}

// addAttachment adds what Multus calls NAME or NAMESPACE/NAME.
func (l *list) addAttachment(name string) {
	key := types.NamespacedName{Namespace: l.namespace, Name: name}
	if namespace, rest, found := strings.Cut(name, "/"); found {
		key = types.NamespacedName{Namespace: namespace, Name: rest}
	}
	l.needs = append(l.needs, need{attachmentKind, key})
}

// claimName returns the PersistentVolumeClaim behind a volume, or "".
func claimName(volume kubevirtv1.Volume) string {
	switch {
	case volume.PersistentVolumeClaim != nil:
		return volume.PersistentVolumeClaim.ClaimName
	case volume.DataVolume != nil:
		return volume.DataVolume.Name // CDI names the claim after it
	case volume.Ephemeral != nil && volume.Ephemeral.PersistentVolumeClaim != nil:
		return volume.Ephemeral.PersistentVolumeClaim.ClaimName
	default:
		return ""
	}
}
