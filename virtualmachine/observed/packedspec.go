package observed

import (
	corev1 "k8s.io/api/core/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
)

// packedSpec is what a Trimmer keeps of the spec of an instance. What it points to is shared by many
// objects.
type packedSpec struct {
	architecture, hostname string
	cpu                    *kubevirtv1.CPU
	memory                 *kubevirtv1.Memory
	disks                  []packedDisk
	interfaces             []packedInterface
	networks               []packedNetwork
	volumes                []packedVolume
}

type packedDisk struct {
	name, serial string
	target       *kubevirtv1.DiskTarget
}

type packedInterface struct {
	name, mac string
	state     kubevirtv1.InterfaceState
}

type packedNetwork struct {
	name   string
	multus *kubevirtv1.MultusNetwork
}

// packedVolume is a volume and what it refers to.
type packedVolume struct {
	name string
	kind volumeKind
	of   string // the name of a DataVolume, a claim or a Secret
}

type volumeKind uint8

const (
	volumeOther volumeKind = iota
	volumeDataVolume
	volumeClaim
	volumeEmptyDisk
	volumeNoCloud
	volumeConfigDrive
)

// packedTemplate is that of a DataVolume: its name and size.
type packedTemplate struct {
	name    string
	storage *cdiv1beta1.StorageSpec
}

func packSpec(of kubevirtv1.VirtualMachineInstanceSpec) packedSpec {
	return packedSpec{
		architecture: of.Architecture, hostname: of.Hostname, cpu: of.Domain.CPU, memory: of.Domain.Memory,
		disks: each(of.Domain.Devices.Disks, func(d kubevirtv1.Disk) packedDisk {
			return packedDisk{d.Name, d.Serial, d.Disk}
		}),
		interfaces: each(of.Domain.Devices.Interfaces, func(i kubevirtv1.Interface) packedInterface {
			return packedInterface{i.Name, i.MacAddress, i.State}
		}),
		networks: each(of.Networks, func(n kubevirtv1.Network) packedNetwork { return packedNetwork{n.Name, n.Multus} }),
		volumes:  each(of.Volumes, packVolume),
	}
}

func (s packedSpec) unpack() kubevirtv1.VirtualMachineInstanceSpec {
	of := kubevirtv1.VirtualMachineInstanceSpec{Architecture: s.architecture, Hostname: s.hostname}
	of.Domain.CPU, of.Domain.Memory = s.cpu.DeepCopy(), s.memory.DeepCopy()
	of.Domain.Devices.Disks = each(s.disks, func(d packedDisk) kubevirtv1.Disk {
		return kubevirtv1.Disk{Name: d.name, Serial: d.serial, DiskDevice: kubevirtv1.DiskDevice{Disk: d.target.DeepCopy()}}
	})
	of.Domain.Devices.Interfaces = each(s.interfaces, func(i packedInterface) kubevirtv1.Interface {
		return kubevirtv1.Interface{Name: i.name, MacAddress: i.mac, State: i.state}
	})
	of.Networks = each(s.networks, func(n packedNetwork) kubevirtv1.Network {
		return kubevirtv1.Network{Name: n.name, NetworkSource: kubevirtv1.NetworkSource{Multus: n.multus.DeepCopy()}}
	})
	of.Volumes = each(s.volumes, packedVolume.unpack)
	return of
}

func packVolume(of kubevirtv1.Volume) packedVolume {
	switch {
	case of.DataVolume != nil:
		return packedVolume{of.Name, volumeDataVolume, of.DataVolume.Name}
	case of.PersistentVolumeClaim != nil:
		return packedVolume{of.Name, volumeClaim, of.PersistentVolumeClaim.ClaimName}
	case of.EmptyDisk != nil:
		return packedVolume{of.Name, volumeEmptyDisk, ""}
	case of.CloudInitNoCloud != nil:
		return packedVolume{of.Name, volumeNoCloud, of.CloudInitNoCloud.UserDataSecretRef.Name}
	case of.CloudInitConfigDrive != nil:
		return packedVolume{of.Name, volumeConfigDrive, of.CloudInitConfigDrive.UserDataSecretRef.Name}
	default:
		return packedVolume{name: of.Name}
	}
}

func (v packedVolume) unpack() kubevirtv1.Volume {
	of := kubevirtv1.Volume{Name: v.name}
	switch v.kind {
	case volumeDataVolume:
		of.DataVolume = &kubevirtv1.DataVolumeSource{Name: v.of}
	case volumeClaim:
		of.PersistentVolumeClaim = &kubevirtv1.PersistentVolumeClaimVolumeSource{}
		of.PersistentVolumeClaim.ClaimName = v.of
	case volumeEmptyDisk:
		of.EmptyDisk = &kubevirtv1.EmptyDiskSource{}
	case volumeNoCloud:
		of.CloudInitNoCloud = &kubevirtv1.CloudInitNoCloudSource{UserDataSecretRef: &corev1.LocalObjectReference{Name: v.of}}
	case volumeConfigDrive:
		of.CloudInitConfigDrive = &kubevirtv1.CloudInitConfigDriveSource{
			UserDataSecretRef: &corev1.LocalObjectReference{Name: v.of}}
	case volumeOther:
	}
	return of
}

func packTemplate(of kubevirtv1.DataVolumeTemplateSpec) packedTemplate {
	return packedTemplate{of.Name, of.Spec.Storage}
}

func (t packedTemplate) unpack() kubevirtv1.DataVolumeTemplateSpec {
	of := kubevirtv1.DataVolumeTemplateSpec{}
	of.Name, of.Spec.Storage = t.name, t.storage.DeepCopy()
	return of
}
