package agent

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
)

func TestNeeds(t *testing.T) {
	named := func(name string) *corev1.LocalObjectReference { return &corev1.LocalObjectReference{Name: name} }
	volumes := func(sources ...kubevirtv1.VolumeSource) kubevirtv1.VirtualMachineInstanceSpec {
		spec := kubevirtv1.VirtualMachineInstanceSpec{}
		for _, source := range sources {
			spec.Volumes = append(spec.Volumes, kubevirtv1.Volume{VolumeSource: source})
		}
		return spec
	}
	cases := map[string]struct {
		reason string
		spec   kubevirtv1.VirtualMachineInstanceSpec
		want   []string
	}{
		"cloud-init": {
			reason: "user data and network data may be in different Secrets",
			spec: volumes(
				kubevirtv1.VolumeSource{CloudInitNoCloud: &kubevirtv1.CloudInitNoCloudSource{
					UserDataSecretRef: named("user"), NetworkDataSecretRef: named("network"),
				}},
				kubevirtv1.VolumeSource{CloudInitConfigDrive: &kubevirtv1.CloudInitConfigDriveSource{UserDataSecretRef: named(
					"drive")}},
			),
			want: []string{"Secret ns/user", "Secret ns/network", "Secret ns/drive"},
		},
		"inline cloud-init": {
			reason: "user data in the instance need nothing else",
			spec: volumes(
				kubevirtv1.VolumeSource{CloudInitNoCloud: &kubevirtv1.CloudInitNoCloudSource{UserData: "#cloud-config"}}),
		},
		"volumes of objects": {
			reason: "what is optional is not needed",
			spec: volumes(
				kubevirtv1.VolumeSource{Secret: &kubevirtv1.SecretVolumeSource{SecretName: "secret"}},
				kubevirtv1.VolumeSource{Secret: &kubevirtv1.SecretVolumeSource{SecretName: "other", Optional: ptr.To(true)}},
				kubevirtv1.VolumeSource{ConfigMap: &kubevirtv1.ConfigMapVolumeSource{LocalObjectReference: *named("config")}},
				kubevirtv1.VolumeSource{Sysprep: &kubevirtv1.SysprepSource{ConfigMap: named("sysprep")}},
			),
			want: []string{"Secret ns/secret", "ConfigMap ns/config", "ConfigMap ns/sysprep"},
		},
		"claims": {
			reason: "a DataVolume's claim has its name",
			spec: volumes(
				kubevirtv1.VolumeSource{DataVolume: &kubevirtv1.DataVolumeSource{Name: "imported"}},
				kubevirtv1.VolumeSource{PersistentVolumeClaim: &kubevirtv1.PersistentVolumeClaimVolumeSource{
					PersistentVolumeClaimVolumeSource: corev1.PersistentVolumeClaimVolumeSource{ClaimName: "claim"},
				}},
				kubevirtv1.VolumeSource{Ephemeral: &kubevirtv1.EphemeralVolumeSource{
					PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "base"},
				}},
				kubevirtv1.VolumeSource{ContainerDisk: &kubevirtv1.ContainerDiskSource{Image: "image"}},
			),
			want: []string{"PersistentVolumeClaim ns/imported", "PersistentVolumeClaim ns/claim",
				"PersistentVolumeClaim ns/base"},
		},
		"credentials": {
			reason: "keys and passwords come from Secrets",
			spec: kubevirtv1.VirtualMachineInstanceSpec{AccessCredentials: []kubevirtv1.AccessCredential{
				{SSHPublicKey: &kubevirtv1.SSHPublicKeyAccessCredential{Source: kubevirtv1.SSHPublicKeyAccessCredentialSource{
					Secret: &kubevirtv1.AccessCredentialSecretSource{SecretName: "keys"},
				}}},
				{UserPassword: &kubevirtv1.UserPasswordAccessCredential{Source: kubevirtv1.UserPasswordAccessCredentialSource{
					Secret: &kubevirtv1.AccessCredentialSecretSource{SecretName: "passwords"},
				}}},
			}},
			want: []string{"Secret ns/keys", "Secret ns/passwords"},
		},
		"networks": {
			reason: "Multus takes NAME and NAMESPACE/NAME; the Pod network is always there",
			spec: kubevirtv1.VirtualMachineInstanceSpec{Networks: []kubevirtv1.Network{
				*kubevirtv1.DefaultPodNetwork(),
				{NetworkSource: kubevirtv1.NetworkSource{Multus: &kubevirtv1.MultusNetwork{NetworkName: "near"}}},
				{NetworkSource: kubevirtv1.NetworkSource{Multus: &kubevirtv1.MultusNetwork{NetworkName: "far/away"}}},
			}},
			want: []string{"NetworkAttachmentDefinition ns/near", "NetworkAttachmentDefinition far/away"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			vmi := &kubevirtv1.VirtualMachineInstance{ObjectMeta: metav1.ObjectMeta{Namespace: "ns"}, Spec: c.spec}
			var got []string
			for _, n := range needs(vmi) {
				got = append(got, n.String())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", c.reason, diff)
			}
		})
	}
}

func TestTargets(t *testing.T) {
	disk := func(name string, bus kubevirtv1.DiskBus) kubevirtv1.Disk {
		return kubevirtv1.Disk{Name: name, DiskDevice: kubevirtv1.DiskDevice{Disk: &kubevirtv1.DiskTarget{Bus: bus}}}
	}
	cdrom := kubevirtv1.Disk{Name: "cdrom", DiskDevice: kubevirtv1.DiskDevice{CDRom: &kubevirtv1.CDRomTarget{Bus: "sata"}}}
	got := targets([]kubevirtv1.Disk{disk("root", "virtio"), cdrom, disk("data", "virtio"), disk("slow", "sata")})
	want := map[string]string{"root": "vda", "cdrom": "sda", "data": "vdb", "slow": "sdb"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("devices are counted by their bus: -want +got:\n%s", diff)
	}
}
