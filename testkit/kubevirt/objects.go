package kubevirt

import (
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/agent"
)

// configuration returns the objects that KubeVirt, CDI and a storage driver would find or make when
// they are installed.
func configuration(i identity) []client.Object {
	return []client.Object{
		bundle("kubevirt-ca", i.ca),
		bundle("kubevirt-export-ca", i.exportCA),
		kubeVirt(),
		storageClass(),
		storageProfile(),
	}
}

// bundle is how virt-operator tells KubeVirt's programs of an authority.
func bundle(name string, ca *controlplane.CA) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: Namespace},
		Data:       map[string]string{"ca-bundle": string(ca.Cert)},
	}
}

// featureGates let virtual machines move between clusters, with their disks and live.
var featureGates = []string{"VMExport", "DecentralizedLiveMigration"}

// kubeVirt is KubeVirt's own configuration: guests are emulated, so that no node needs /dev/kvm.
func kubeVirt() *kubevirtv1.KubeVirt {
	return &kubevirtv1.KubeVirt{
		ObjectMeta: metav1.ObjectMeta{Name: "kubevirt", Namespace: Namespace},
		Spec: kubevirtv1.KubeVirtSpec{Configuration: kubevirtv1.KubeVirtConfiguration{
			DeveloperConfiguration: &kubevirtv1.DeveloperConfiguration{UseEmulation: true, FeatureGates: featureGates},
		}},
	}
}

// deployed is the status that virt-operator gives a KubeVirt that it has installed.
func deployed(generation int64, now metav1.Time) kubevirtv1.KubeVirtStatus {
	condition := func(kind kubevirtv1.KubeVirtConditionType, status corev1.ConditionStatus, reason,
		message string) kubevirtv1.KubeVirtCondition {
		return kubevirtv1.KubeVirtCondition{
			Type: kind, Status: status, Reason: reason, Message: message, LastProbeTime: now, LastTransitionTime: now,
		}
	}
	return kubevirtv1.KubeVirtStatus{
		Phase:                   kubevirtv1.KubeVirtPhaseDeployed,
		OperatorVersion:         KubeVirtVersion,
		TargetKubeVirtVersion:   KubeVirtVersion,
		ObservedKubeVirtVersion: KubeVirtVersion,
		ObservedGeneration:      &generation,
		DefaultArchitecture:     "amd64",
		Conditions: []kubevirtv1.KubeVirtCondition{
			condition(kubevirtv1.KubeVirtConditionAvailable, corev1.ConditionTrue, "AllComponentsReady",
				"All components are ready."),
			condition(kubevirtv1.KubeVirtConditionProgressing, corev1.ConditionFalse, "AllComponentsReady",
				"All components are ready."),
			condition(kubevirtv1.KubeVirtConditionDegraded, corev1.ConditionFalse, "AllComponentsReady",
				"All components are ready."),
			condition(kubevirtv1.KubeVirtConditionCreated, corev1.ConditionTrue, "AllResourcesCreated",
				"All resources were created."),
		},
	}
}

// storageClass is the default one; the agent is its provisioner.
func storageClass() *storagev1.StorageClass {
	return &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{
			Name:        agent.StorageClass,
			Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"},
		},
		Provisioner:          agent.Provisioner,
		ReclaimPolicy:        ptr.To(corev1.PersistentVolumeReclaimDelete),
		VolumeBindingMode:    ptr.To(storagev1.VolumeBindingImmediate),
		AllowVolumeExpansion: ptr.To(true),
	}
}

func storageProfile() *cdiv1.StorageProfile {
	return &cdiv1.StorageProfile{ObjectMeta: metav1.ObjectMeta{Name: agent.StorageClass}}
}

// profiled is the status that CDI gives the profile of a storage driver that it knows.
func profiled() cdiv1.StorageProfileStatus {
	return cdiv1.StorageProfileStatus{
		StorageClass:      ptr.To(agent.StorageClass),
		Provisioner:       ptr.To(agent.Provisioner),
		ClaimPropertySets: agent.ClaimProperties(),
	}
}
