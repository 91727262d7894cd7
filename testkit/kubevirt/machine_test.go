package kubevirt_test

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
)

// change makes a virtual machine differ from the plain one.
type change func(vm *kubevirtv1.VirtualMachine)

// machine is a virtual machine with one disk and one interface on the Pod network, which always
// runs.
func machine(namespace, name string, changes ...change) *kubevirtv1.VirtualMachine {
	vm := &kubevirtv1.VirtualMachine{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}}
	vm.Spec.RunStrategy = ptr.To(kubevirtv1.RunStrategyAlways)
	vm.Spec.Template = &kubevirtv1.VirtualMachineInstanceTemplateSpec{}
	vm.Spec.Template.ObjectMeta.Labels = map[string]string{"app": name}
	spec := &vm.Spec.Template.Spec
	spec.TerminationGracePeriodSeconds = ptr.To[int64](0)
	spec.Domain.Memory = &kubevirtv1.Memory{Guest: ptr.To(resource.MustParse("64Mi"))}
	spec.Networks = []kubevirtv1.Network{*kubevirtv1.DefaultPodNetwork()}
	spec.Domain.Devices.Interfaces = []kubevirtv1.Interface{*kubevirtv1.DefaultMasqueradeNetworkInterface()}
	spec.Domain.Devices.Disks = []kubevirtv1.Disk{disk("root")}
	spec.Volumes = []kubevirtv1.Volume{{Name: "root", VolumeSource: kubevirtv1.VolumeSource{
		ContainerDisk: &kubevirtv1.ContainerDiskSource{Image: "registry.example/disk"},
	}}}
	for _, apply := range changes {
		apply(vm)
	}
	return vm
}

func disk(name string) kubevirtv1.Disk {
	return kubevirtv1.Disk{Name: name,
		DiskDevice: kubevirtv1.DiskDevice{Disk: &kubevirtv1.DiskTarget{Bus: kubevirtv1.DiskBusVirtio}}}
}

func strategy(s kubevirtv1.VirtualMachineRunStrategy) change {
	return func(vm *kubevirtv1.VirtualMachine) { vm.Spec.RunStrategy = &s }
}

// scripted puts annotations on the virtual machine, and templated on its template.
func scripted(keyValues ...string) change {
	return func(vm *kubevirtv1.VirtualMachine) {
		for i := 0; i < len(keyValues); i += 2 {
			metav1.SetMetaDataAnnotation(&vm.ObjectMeta, keyValues[i], keyValues[i+1])
		}
	}
}

func templated(keyValues ...string) change {
	return func(vm *kubevirtv1.VirtualMachine) {
		for i := 0; i < len(keyValues); i += 2 {
			metav1.SetMetaDataAnnotation(&vm.Spec.Template.ObjectMeta, keyValues[i], keyValues[i+1])
		}
	}
}

// volume adds a disk.
func volume(name string, source kubevirtv1.VolumeSource) change {
	return func(vm *kubevirtv1.VirtualMachine) {
		spec := &vm.Spec.Template.Spec
		spec.Domain.Devices.Disks = append(spec.Domain.Devices.Disks, disk(name))
		spec.Volumes = append(spec.Volumes, kubevirtv1.Volume{Name: name, VolumeSource: source})
	}
}

// withSecret adds a cloud-init disk whose user data are in a Secret.
func withSecret(name string) change {
	return volume("cloud-init", kubevirtv1.VolumeSource{CloudInitNoCloud: &kubevirtv1.CloudInitNoCloudSource{
		UserDataSecretRef: &corev1.LocalObjectReference{Name: name},
	}})
}

func withClaim(name string) change {
	return volume("data", kubevirtv1.VolumeSource{PersistentVolumeClaim: &kubevirtv1.PersistentVolumeClaimVolumeSource{
		PersistentVolumeClaimVolumeSource: corev1.PersistentVolumeClaimVolumeSource{ClaimName: name},
	}})
}

// withImport adds a disk that is imported, by a template with annotations.
func withImport(name string, keyValues ...string) change {
	return func(vm *kubevirtv1.VirtualMachine) {
		volume("data", kubevirtv1.VolumeSource{DataVolume: &kubevirtv1.DataVolumeSource{Name: name}})(vm)
		template := kubevirtv1.DataVolumeTemplateSpec{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: cdiv1.DataVolumeSpec{
			Source: &cdiv1.DataVolumeSource{HTTP: &cdiv1.DataVolumeSourceHTTP{URL: "http://images.example/disk.qcow2"}},
			Storage: &cdiv1.StorageSpec{Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{
				corev1.ResourceStorage: resource.MustParse("1Gi"),
			}}},
		}}
		for i := 0; i < len(keyValues); i += 2 {
			metav1.SetMetaDataAnnotation(&template.ObjectMeta, keyValues[i], keyValues[i+1])
		}
		vm.Spec.DataVolumeTemplates = append(vm.Spec.DataVolumeTemplates, template)
	}
}

// withNetwork adds an interface on a network of Multus.
func withNetwork(name string) change {
	return func(vm *kubevirtv1.VirtualMachine) {
		spec := &vm.Spec.Template.Spec
		spec.Networks = append(spec.Networks, kubevirtv1.Network{Name: "second", NetworkSource: kubevirtv1.NetworkSource{
			Multus: &kubevirtv1.MultusNetwork{NetworkName: name},
		}})
		nic := *kubevirtv1.DefaultBridgeNetworkInterface()
		nic.Name = "second"
		spec.Domain.Devices.Interfaces = append(spec.Domain.Devices.Interfaces, nic)
	}
}

func withMAC(mac string) change {
	return func(vm *kubevirtv1.VirtualMachine) {
		vm.Spec.Template.Spec.Domain.Devices.Interfaces[0].MacAddress = mac
	}
}

func secret(namespace, name string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		StringData: map[string]string{"userdata": "#cloud-config"}}
}

func attachmentDefinition(namespace, name string) *unstructured.Unstructured {
	definition := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "k8s.cni.cncf.io/v1",
		"kind":       "NetworkAttachmentDefinition",
		"spec":       map[string]any{"config": `{"cniVersion":"0.3.1","type":"bridge"}`},
	}}
	definition.SetNamespace(namespace)
	definition.SetName(name)
	return definition
}
