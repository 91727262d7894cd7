package desired

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// StorageClasses are what is known of the storage classes of a remote cluster. The zero value means
// that nothing is: the cluster does not let us list them.
type StorageClasses struct {
	// Listed says that Names and HasDefault are all that there is.
	Listed bool
	// Names of the storage classes.
	Names []string
	// HasDefault says that the cluster has a default one, for virtual machines or for all.
	HasDefault bool
}

// diskTypes are the types of a disk that are never a storage class: buses and media.
var diskTypes = []string{"", "virtio", "sata", "scsi", "ide", "usb", "nvme", "ssd", "hdd", "disk", "block"}

// names says whether the type of a disk is the name of a storage class. Where the classes cannot be
// listed, each valid name that is no known type is taken for one: the cluster refuses it if it is
// none, and the default class would be another disk than was asked for.
func (s StorageClasses) names(diskType string) bool {
	if s.Listed {
		return slices.Contains(s.Names, diskType)
	}
	return !slices.Contains(diskTypes, strings.ToLower(diskType)) && len(validation.IsDNS1123Subdomain(diskType)) == 0
}

// CheckStorageClasses refuses a Machine whose new disks would wait for a storage class for ever,
// with reason StorageClassMissing. Only disks that name no class need a default: the one of
// Options.StorageClassName, else the cluster's. Disks that last has exist already; last is nil at a
// creation. Other errors are those of [VirtualMachine] about disks.
func CheckStorageClasses(
	machine *vitistackv1alpha1.Machine, classes StorageClasses, last *Wish, options Options,
) error {
	disks, err := disksFor(machine, classes)
	if err != nil || !classes.Listed {
		return err
	}
	for _, d := range disks {
		if d.class != "" || last != nil && last.Disks[d.name] != 0 {
			continue
		}
		switch wanted := options.StorageClassName; {
		case wanted != "" && !slices.Contains(classes.Names, wanted):
			return refuse(vitistackv1alpha1.ReasonStorageClassMissing,
				"disk %q names no storage class, and the cluster has no storage class %q, which STORAGE_CLASS_NAME names", d.name,
				wanted)
		case wanted == "" && !classes.HasDefault:
			return refuse(vitistackv1alpha1.ReasonStorageClassMissing,
				"disk %q names no storage class, the cluster has no default one, and STORAGE_CLASS_NAME names none", d.name)
		}
	}
	return nil
}
