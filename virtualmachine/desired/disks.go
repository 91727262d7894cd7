package desired

import (
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

const (
	rootDiskName      = "root"
	cloudInitDiskName = "cloudinitdisk"
	isoDiskName       = "cdrom-iso"

	defaultDiskGiB = 10
	maxDiskGiB     = 65536
	// defaultISOGiB is room for an ISO image where nobody says how large it is: the operator does
	// not ask the server that a Machine names.
	defaultISOGiB = 8

	// Boot order: the disk, then what puts content on a disk that has none: the ISO image, or the
	// network.
	bootFromDisk      = 1
	bootFromInstaller = 2
)

// disk is a disk as it is going to be.
type disk struct {
	name  string
	bus   kubevirtv1.DiskBus
	gib   int64
	boot  bool
	class string // storage class, "" for the options'
	image *image // content, nil for a blank disk
}

// disksFor returns the disks of a Machine, at least one, and then the ISO image while it is needed.
// At most one disk boots: the one marked, else the first if something is to be put on it.
func disksFor(machine *vitistackv1alpha1.Machine, storageClasses StorageClasses) ([]disk, error) {
	content, err := contentFor(machine)
	if err != nil {
		return nil, err
	}
	disks, err := plainDisks(machine, content != imageContent{})
	if err != nil {
		return nil, err
	}
	for i := range disks {
		if disks[i].boot {
			disks[i].image = content.disk
		}
		if i < len(machine.Spec.Disks) && storageClasses.names(machine.Spec.Disks[i].Type) {
			disks[i].class = machine.Spec.Disks[i].Type
		}
	}
	if content.iso == nil {
		return disks, nil
	}
	gib, err := isoGiB(machine)
	return append(disks, disk{name: isoDiskName, bus: kubevirtv1.DiskBusSATA, gib: gib, image: content.iso}), err
}

// isoGiB is the room for the image to install from, rounded up to whole GiB. A number without a
// unit is one of bytes, and so too small.
func isoGiB(machine *vitistackv1alpha1.Machine) (int64, error) {
	text, found := machine.Annotations[vitistackv1alpha1.AnnotationISOSize]
	if !found {
		return defaultISOGiB, nil
	}
	size, err := resource.ParseQuantity(text)
	if err != nil {
		return 0, invalid("annotation %s is %q, which is no quantity: 12Gi is one", vitistackv1alpha1.AnnotationISOSize, text)
	}
	smallest, largest := resource.NewQuantity(mebibyte, resource.BinarySI),
		resource.NewQuantity(maxDiskGiB*gibibyte, resource.BinarySI)
	if size.Cmp(*smallest) < 0 || size.Cmp(*largest) > 0 {
		return 0, invalid("annotation %s is %q, which is not between %s and %s", vitistackv1alpha1.AnnotationISOSize, text,
			smallest, largest)
	}
	return (size.Value() + gibibyte - 1) / gibibyte, nil
}

func plainDisks(machine *vitistackv1alpha1.Machine, content bool) ([]disk, error) {
	if len(machine.Spec.Disks) == 0 {
		return []disk{{name: rootDiskName, bus: kubevirtv1.DiskBusVirtio, gib: defaultDiskGiB, boot: true}}, nil
	}
	disks := make([]disk, 0, len(machine.Spec.Disks))
	boot := ""
	names := map[string]bool{cloudInitDiskName: true, isoDiskName: true}
	for i, wanted := range machine.Spec.Disks {
		d := disk{name: diskName(wanted.Name, i), bus: diskBus(wanted.Type), gib: wanted.SizeGB, boot: wanted.Boot}
		if err := d.check(); err != nil {
			return nil, err
		}
		if names[d.name] {
			return nil, invalid("the disk name %q is taken: two disks have it, or it is that of a disk of the operator's",
				d.name)
		}
		names[d.name] = true
		if d.boot && boot != "" {
			return nil, invalid("disks %q and %q are both marked to boot from", boot, d.name)
		}
		if d.boot {
			boot = d.name
		}
		disks = append(disks, d)
	}
	if boot == "" && content {
		disks[0].boot = true
	}
	return disks, nil
}

func (d disk) check() error {
	if problems := validation.IsDNS1123Label(d.name); len(problems) > 0 {
		return invalid("disk %q: %s", d.name, strings.Join(problems, "; "))
	}
	if d.gib < 1 || d.gib > maxDiskGiB {
		return invalid("disk %q: %d GiB are not between 1 and %d", d.name, d.gib, maxDiskGiB)
	}
	return nil
}

func diskName(name string, index int) string {
	if name == "" && index == 0 {
		return rootDiskName
	}
	return or(name, "disk"+strconv.Itoa(index))
}

// diskBus reads the type of a disk. It may also be a storage class or anything else, which are
// virtio.
func diskBus(diskType string) kubevirtv1.DiskBus {
	switch strings.ToLower(diskType) {
	case "sata":
		return kubevirtv1.DiskBusSATA
	case "scsi":
		return kubevirtv1.DiskBusSCSI
	default:
		return kubevirtv1.DiskBusVirtio
	}
}

func (d disk) size() resource.Quantity {
	return *resource.NewQuantity(d.gib*gibibyte, resource.BinarySI)
}

func (d disk) device() kubevirtv1.Disk {
	device := kubevirtv1.Disk{
		Name:       d.name,
		DiskDevice: kubevirtv1.DiskDevice{Disk: &kubevirtv1.DiskTarget{Bus: d.bus}},
	}
	switch {
	case d.name == isoDiskName:
		device.DiskDevice = kubevirtv1.DiskDevice{CDRom: &kubevirtv1.CDRomTarget{Bus: d.bus}}
		device.BootOrder = ptr.To[uint](bootFromInstaller)
	case d.boot:
		device.BootOrder = ptr.To[uint](bootFromDisk)
	}
	return device
}
