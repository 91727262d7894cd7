package readiness

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

const (
	hostModel   = "host-model"
	passthrough = "host-passthrough"

	kindSecret, kindConfigMap, kindServiceAccount = "Secret", "ConfigMap", "ServiceAccount"
)

// bare is a virtual machine without what a server or another cluster put into it.
func bare(vm *kubevirtv1.VirtualMachine) *kubevirtv1.VirtualMachine {
	all := vm.DeepCopy()
	all.SetGroupVersionKind(kubevirtv1.VirtualMachineGroupVersionKind)
	all.ObjectMeta = metav1.ObjectMeta{
		Namespace: vm.Namespace, Name: vm.Name, Labels: all.Labels, Annotations: all.Annotations,
	}
	all.Status = kubevirtv1.VirtualMachineStatus{}
	if all.Spec.Instancetype != nil {
		all.Spec.Instancetype.RevisionName = "" // a cluster keeps it under a name of its own
	}
	if all.Spec.Preference != nil {
		all.Spec.Preference.RevisionName = ""
	}
	return all
}

// hardware reads processor, memory, devices and what chooses nodes.
func (n *Needs) hardware(spec *kubevirtv1.VirtualMachineInstanceSpec) {
	n.Architecture, n.Requests = spec.Architecture, spec.Domain.Resources.Requests
	n.Affinity, n.Tolerations, n.Selector = spec.Affinity, spec.Tolerations, map[string]string{}
	for label, value := range spec.NodeSelector {
		n.Selector[label] = value
	}
	if machine := spec.Domain.Machine; machine != nil {
		n.MachineType = machine.Type
	}
	n.Size.MilliCPU = 1000
	if spec.Domain.CPU != nil {
		n.processor(spec.Domain.CPU)
	}
	if memory := spec.Domain.Memory; memory != nil && memory.Hugepages != nil {
		n.Devices = append(n.Devices, corev1.ResourceHugePagesPrefix+memory.Hugepages.PageSize) // and no other memory
	} else if memory != nil && memory.Guest != nil {
		n.Size.MemoryBytes = memory.Guest.Value()
	}
	if security := spec.Domain.LaunchSecurity; security != nil {
		n.mark(kubevirtv1.SEVLabel, security.SEV != nil)
		n.mark(kubevirtv1.SEVSNPLabel, security.SNP != nil)
		n.mark(kubevirtv1.TDXLabel, security.TDX != nil)
	}
	for _, device := range spec.Domain.Devices.HostDevices {
		n.Devices = append(n.Devices, device.DeviceName)
	}
	for _, device := range spec.Domain.Devices.GPUs {
		if device.DeviceName != "" {
			n.Devices = append(n.Devices, device.DeviceName)
		}
	}
	n.State = keepsState(spec)
}

// processor reads the guest's CPU. KubeVirt asks for nodes with these labels.
func (n *Needs) processor(cpu *kubevirtv1.CPU) {
	n.CPUModel, n.Dedicated = cpu.Model, cpu.DedicatedCPUPlacement
	cores := int64(max(cpu.Sockets, 1)) * int64(max(cpu.Cores, 1)) * int64(max(cpu.Threads, 1))
	n.Size.MilliCPU = cores * 1000
	for _, feature := range cpu.Features {
		n.mark(kubevirtv1.CPUFeatureLabel+feature.Name, feature.Policy == "" || feature.Policy == "require")
	}
	n.mark(kubevirtv1.RealtimeLabel, cpu.Realtime != nil)
}

// mark asks for a label of a node.
func (n *Needs) mark(label string, wanted bool) {
	if wanted {
		n.Selector[label] = "true"
	}
}

// keepsState reports whether KubeVirt keeps the state of EFI or of a TPM in a claim.
func keepsState(spec *kubevirtv1.VirtualMachineInstanceSpec) bool {
	if tpm := spec.Domain.Devices.TPM; tpm != nil && tpm.Persistent != nil && *tpm.Persistent {
		return true
	}
	firmware := spec.Domain.Firmware
	if firmware == nil || firmware.Bootloader == nil || firmware.Bootloader.EFI == nil {
		return false
	}
	persistent := firmware.Bootloader.EFI.Persistent
	return persistent != nil && *persistent
}

// catalogue reads what the virtual machine names of a cluster's catalogue.
func (n *Needs) catalogue(vm *kubevirtv1.VirtualMachine) {
	if matcher := vm.Spec.Instancetype; matcher != nil {
		n.Instancetype = &Object{Kind: kindOr(matcher.Kind, "VirtualMachineClusterInstancetype"), Name: matcher.Name}
		n.Size = Size{}
	}
	if matcher := vm.Spec.Preference; matcher != nil {
		n.Preference = &Object{Kind: kindOr(matcher.Kind, "VirtualMachineClusterPreference"), Name: matcher.Name}
	}
}

// kindOr is the kind that KubeVirt reads out of a matcher, which is written in any case.
func kindOr(kind, otherwise string) string {
	for _, known := range []string{"VirtualMachineInstancetype", "VirtualMachinePreference"} {
		if strings.EqualFold(kind, known) {
			return known
		}
	}
	return otherwise
}

// networks reads the definitions that interfaces are on.
func (n *Needs) networks(in Input, spec *kubevirtv1.VirtualMachineInstanceSpec) {
	for _, network := range spec.Networks {
		if network.Multus == nil {
			continue
		}
		key := network.Multus.NetworkName
		if !strings.Contains(key, "/") {
			key = in.VM.Namespace + "/" + key
		}
		wanted := Network{Key: key}
		for _, made := range n.Attachments {
			if key == made.GetNamespace()+"/"+made.GetName() {
				wanted.Made = true
				wanted.VLAN = vlanOf(in.Network, made.GetName())
			}
		}
		n.Networks = append(n.Networks, wanted)
	}
}

func vlanOf(record vitistackv1alpha1.NetworkRecord, definition string) int {
	for _, attachment := range record.Attachments {
		if attachment.NetworkAttachmentDefinition == definition {
			return attachment.VLAN
		}
	}
	return 0
}

// disks reads the volumes with claims: what the template of the disk asks for, and what the claim
// that exists has.
func (n *Needs) disks(in Input, spec *kubevirtv1.VirtualMachineInstanceSpec) {
	for _, volume := range spec.Volumes {
		name := desired.ClaimName(in.VM, volume.Name)
		if name == "" {
			continue
		}
		disk := Disk{Name: name}
		fromTemplate := false
		for i := range in.VM.Spec.DataVolumeTemplates {
			if template := &in.VM.Spec.DataVolumeTemplates[i]; template.Name == name {
				disk.ask(template)
				fromTemplate = true
			}
		}
		for i := range in.Claims {
			if claim := &in.Claims[i]; claim.Name == name {
				disk.have(claim, !fromTemplate)
			}
		}
		disk.MayBeClass = in.typeOf(volume.Name, disk.Class)
		n.Disks = append(n.Disks, disk)
	}
}

// ask takes what the template of a disk asks for.
func (d *Disk) ask(template *kubevirtv1.DataVolumeTemplateSpec) {
	switch {
	case template.Spec.Storage != nil:
		storage := template.Spec.Storage
		d.Bytes, d.Access = storage.Resources.Requests.Storage().Value(), storage.AccessModes
		if storage.StorageClassName != nil {
			d.Class = *storage.StorageClassName
		}
		if storage.VolumeMode != nil {
			d.Mode = *storage.VolumeMode
		}
	case template.Spec.PVC != nil:
		claim := template.Spec.PVC
		d.Bytes, d.Access = claim.Resources.Requests.Storage().Value(), claim.AccessModes
		if claim.StorageClassName != nil {
			d.Class = *claim.StorageClassName
		}
		if claim.VolumeMode != nil {
			d.Mode = *claim.VolumeMode
		}
	}
}

// have takes what the claim of a disk has. Its class counts only where no template of the disk
// exists: a class that nobody asked for is the default of its own cluster.
func (d *Disk) have(claim *corev1.PersistentVolumeClaim, alone bool) {
	d.HasAccess = claim.Spec.AccessModes
	size := claim.Status.Capacity.Storage()
	if size.IsZero() {
		size = claim.Spec.Resources.Requests.Storage()
	}
	d.Bytes = max(d.Bytes, size.Value())
	if alone && claim.Spec.StorageClassName != nil {
		d.Class = *claim.Spec.StorageClassName
	}
}

// typeOf is the type of the Machine's disk of a name, which may be a storage class.
func (in Input) typeOf(name, class string) string {
	if in.Machine == nil || class != "" && class != in.Options.StorageClassName {
		return ""
	}
	for i, disk := range in.Machine.Spec.Disks {
		if disk.Name == name || disk.Name == "" && i == 0 && name == rootDisk {
			return disk.Type
		}
	}
	return ""
}

// rootDisk is what package desired calls the first disk where it has no name.
const rootDisk = "root"

// objects reads what else volumes and credentials refer to.
func (n *Needs) objects(spec *kubevirtv1.VirtualMachineInstanceSpec) {
	add := func(kind, name string) {
		if each := (Object{Kind: kind, Name: name}); name != "" && !slices.Contains(n.Objects, each) {
			n.Objects = append(n.Objects, each)
		}
	}
	for _, volume := range spec.Volumes {
		switch {
		case volume.Secret != nil:
			add(kindSecret, volume.Secret.SecretName)
		case volume.ConfigMap != nil:
			add(kindConfigMap, volume.ConfigMap.Name)
		case volume.ServiceAccount != nil:
			add(kindServiceAccount, volume.ServiceAccount.ServiceAccountName)
		case volume.Sysprep != nil && volume.Sysprep.Secret != nil:
			add(kindSecret, volume.Sysprep.Secret.Name)
		case volume.Sysprep != nil && volume.Sysprep.ConfigMap != nil:
			add(kindConfigMap, volume.Sysprep.ConfigMap.Name)
		}
	}
	for _, credential := range spec.AccessCredentials {
		if key := credential.SSHPublicKey; key != nil && key.Source.Secret != nil {
			add(kindSecret, key.Source.Secret.SecretName)
		}
		if password := credential.UserPassword; password != nil && password.Source.Secret != nil {
			add(kindSecret, password.Source.Secret.SecretName)
		}
	}
}

// rights are what the operator has to write.
func (n *Needs) rights() {
	n.Rights = append(n.Rights, Right{"create", "kubevirt.io", "virtualmachines", n.VM.Namespace})
	if slices.ContainsFunc(n.VM.Spec.Template.Spec.Volumes, func(v kubevirtv1.Volume) bool {
		return v.CloudInitNoCloud != nil || v.CloudInitConfigDrive != nil
	}) {
		n.Rights = append(n.Rights, Right{"create", "", "secrets", n.VM.Namespace})
	}
	if len(n.Attachments) > 0 {
		n.Rights = append(n.Rights,
			Right{"create", desired.NetworkAttachmentDefinitionKind.Group, "network-attachment-definitions", n.VM.Namespace})
	}
	n.Rights = append(n.Rights, Right{Verb: "create", Resource: "namespaces"})
}

// claims is what of all disks goes into a storage class, "" for those of the cluster's default.
func (n Needs) claims(class func(Disk) string) map[string]int64 {
	bytes := map[string]int64{}
	for _, disk := range n.Disks {
		bytes[class(disk)] += disk.Bytes
	}
	return bytes
}
