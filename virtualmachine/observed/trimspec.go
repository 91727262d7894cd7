package observed

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
)

// spec keeps size, interfaces, and the volumes that hold data or refer to a Secret, with the disks
// of those that hold data.
func (t *Trimmer) spec(of kubevirtv1.VirtualMachineInstanceSpec) kubevirtv1.VirtualMachineInstanceSpec {
	volumes := t.volumes(of.Volumes)
	return kubevirtv1.VirtualMachineInstanceSpec{
		Architecture: t.shared.text(word(of.Architecture)), Hostname: name(of.Hostname),
		Domain: kubevirtv1.DomainSpec{
			CPU: t.cpu(of.Domain.CPU), Memory: t.memory(of.Domain.Memory),
			Devices: kubevirtv1.Devices{
				Disks:      t.disks(of.Domain.Devices.Disks, volumes),
				Interfaces: t.interfaces(of.Domain.Devices.Interfaces),
			},
		},
		Volumes: volumes,
	}
}

func (t *Trimmer) cpu(of *kubevirtv1.CPU) *kubevirtv1.CPU {
	type size struct{ cores, sockets, threads uint32 }
	if of == nil {
		return nil
	}
	return one(&t.shared, size{of.Cores, of.Sockets, of.Threads}, func(s size) *kubevirtv1.CPU {
		return &kubevirtv1.CPU{Cores: s.cores, Sockets: s.sockets, Threads: s.threads}
	})
}

func (t *Trimmer) memory(of *kubevirtv1.Memory) *kubevirtv1.Memory {
	type guest int64
	if of == nil || of.Guest == nil {
		return nil
	}
	return one(&t.shared, guest(bytesOf(*of.Guest)), func(bytes guest) *kubevirtv1.Memory {
		return &kubevirtv1.Memory{Guest: resource.NewQuantity(int64(bytes), resource.BinarySI)}
	})
}

// requests returns a list with nothing but the storage of another one.
func (t *Trimmer) requests(of corev1.ResourceList) corev1.ResourceList {
	type storage int64
	size, found := of[corev1.ResourceStorage]
	if !found {
		return nil
	}
	return *one(&t.shared, storage(bytesOf(size)), func(bytes storage) *corev1.ResourceList {
		return &corev1.ResourceList{corev1.ResourceStorage: *resource.NewQuantity(int64(bytes), resource.BinarySI)}
	})
}

// templates keep their names and sizes.
func (t *Trimmer) templates(of []kubevirtv1.DataVolumeTemplateSpec) []kubevirtv1.DataVolumeTemplateSpec {
	type storage int64
	kept := make([]kubevirtv1.DataVolumeTemplateSpec, 0, len(of))
	for _, template := range of {
		small := kubevirtv1.DataVolumeTemplateSpec{ObjectMeta: metav1.ObjectMeta{Name: template.Name}}
		if requests := t.requests(templateRequests(template)); requests != nil {
			key := storage(bytesOf(*requests.Storage()))
			small.Spec.Storage = one(&t.shared, key, func(storage) *cdiv1beta1.StorageSpec {
				return &cdiv1beta1.StorageSpec{Resources: corev1.VolumeResourceRequirements{Requests: requests}}
			})
		}
		kept = append(kept, small)
	}
	return tight(kept)
}

// tight returns an equal list without room for more, nil where it is empty.
func tight[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return slices.Clone(list)
}

func (t *Trimmer) networks(of []kubevirtv1.Network) []kubevirtv1.Network {
	type multus string
	kept := make([]kubevirtv1.Network, 0, len(of))
	for _, network := range of {
		small := kubevirtv1.Network{Name: t.shared.text(network.Name)}
		if network.Multus != nil {
			small.Multus = one(&t.shared, multus(network.Multus.NetworkName), func(name multus) *kubevirtv1.MultusNetwork {
				return &kubevirtv1.MultusNetwork{NetworkName: string(name)}
			})
		}
		kept = append(kept, small)
	}
	return tight(kept)
}

func (t *Trimmer) interfaces(of []kubevirtv1.Interface) []kubevirtv1.Interface {
	kept := make([]kubevirtv1.Interface, 0, len(of))
	for _, each := range of {
		kept = append(kept, kubevirtv1.Interface{
			Name: t.shared.text(each.Name), MacAddress: each.MacAddress,
			State: kubevirtv1.InterfaceState(t.shared.text(string(each.State))),
		})
	}
	return tight(kept)
}

// volumes keep what they refer to. An empty disk stands for whatever holds data and has no claim.
func (t *Trimmer) volumes(of []kubevirtv1.Volume) []kubevirtv1.Volume {
	type some struct{}
	kept := make([]kubevirtv1.Volume, 0, len(of))
	for _, v := range of {
		small := kubevirtv1.Volume{Name: t.shared.text(v.Name)}
		switch {
		case v.DataVolume != nil:
			small.DataVolume = &kubevirtv1.DataVolumeSource{Name: v.DataVolume.Name}
		case v.PersistentVolumeClaim != nil:
			small.PersistentVolumeClaim = &kubevirtv1.PersistentVolumeClaimVolumeSource{}
			small.PersistentVolumeClaim.ClaimName = v.PersistentVolumeClaim.ClaimName
		case holdsData(v):
			small.EmptyDisk = one(&t.shared, some{}, func(some) *kubevirtv1.EmptyDiskSource {
				return &kubevirtv1.EmptyDiskSource{}
			})
		case v.CloudInitNoCloud != nil && secretOf(v) != nil:
			small.CloudInitNoCloud = &kubevirtv1.CloudInitNoCloudSource{UserDataSecretRef: secretOf(v)}
		case v.CloudInitConfigDrive != nil && secretOf(v) != nil:
			small.CloudInitConfigDrive = &kubevirtv1.CloudInitConfigDriveSource{UserDataSecretRef: secretOf(v)}
		default:
			continue
		}
		kept = append(kept, small)
	}
	return tight(kept)
}

// secretOf is the first Secret that a cloud-init volume refers to.
func secretOf(v kubevirtv1.Volume) *corev1.LocalObjectReference {
	var references []*corev1.LocalObjectReference
	if init := v.CloudInitNoCloud; init != nil {
		references = append(references, init.UserDataSecretRef, init.NetworkDataSecretRef)
	}
	if init := v.CloudInitConfigDrive; init != nil {
		references = append(references, init.UserDataSecretRef, init.NetworkDataSecretRef)
	}
	for _, reference := range references {
		if reference != nil {
			return reference
		}
	}
	return nil
}

// disks keep name, bus and serial number.
func (t *Trimmer) disks(of []kubevirtv1.Disk, volumes []kubevirtv1.Volume) []kubevirtv1.Disk {
	type bus string
	holding := map[string]bool{}
	for _, v := range volumes {
		holding[v.Name] = holdsData(v)
	}
	kept := make([]kubevirtv1.Disk, 0, len(volumes))
	for _, disk := range of {
		if !holding[disk.Name] {
			continue
		}
		small := kubevirtv1.Disk{Name: t.shared.text(disk.Name), Serial: disk.Serial}
		if b := busOf(disk); b != "" {
			small.Disk = one(&t.shared, bus(b), func(b bus) *kubevirtv1.DiskTarget {
				return &kubevirtv1.DiskTarget{Bus: kubevirtv1.DiskBus(b)}
			})
		}
		kept = append(kept, small)
	}
	return tight(kept)
}
