package readiness

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

func (c court) storage() Check {
	if len(c.needs.Disks) == 0 {
		return fine(CheckStorage, "it has no disks")
	}
	return by(c, CheckStorage, c.facts.StorageClasses, func(classes []StorageClass) Check {
		var used []string
		for _, disk := range c.needs.Disks {
			class := classOf(disk, classes)
			if class == "" {
				wanted, do := disk.Class, "create it in "+c.facts.Config
				if wanted == "" {
					wanted, do = "default", "mark one in "+c.facts.Config+
						": kubectl annotate storageclass NAME storageclass.kubernetes.io/is-default-class=true"
				}
				return refused(ReasonStorageClass, do, "disk %s wants storage class %s; there are: %s", disk.Name, wanted,
					cmp.Or(list(namesOf(classes)), "none"))
			}
			if !slices.Contains(used, class) {
				used = append(used, class)
			}
		}
		return fine("", "storage class %s", list(used))
	})
}

// classOf is the class that a disk gets, "" where there is none for it.
func classOf(disk Disk, classes []StorageClass) string {
	names := namesOf(classes)
	switch {
	case disk.MayBeClass != "" && slices.Contains(names, disk.MayBeClass):
		return disk.MayBeClass
	case disk.Class != "" && slices.Contains(names, disk.Class):
		return disk.Class
	case disk.Class != "":
		return ""
	}
	return defaultClass(classes)
}

// defaultClass is the default for disks of virtual machines, else for all claims, "" for none.
func defaultClass(classes []StorageClass) string {
	for _, isDefault := range []func(StorageClass) bool{
		func(s StorageClass) bool { return s.DefaultForVMs }, func(s StorageClass) bool { return s.Default },
	} {
		if i := slices.IndexFunc(classes, isDefault); i >= 0 {
			return classes[i].Name
		}
	}
	return ""
}

func namesOf(classes []StorageClass) []string {
	var names []string
	for _, class := range classes {
		names = append(names, class.Name)
	}
	slices.Sort(names)
	return names
}

// modes compares what disks ask for with what CDI knows of their classes.
func (c court) modes() Check {
	if len(c.needs.Disks) == 0 {
		return fine(CheckModes, "it has no disks")
	}
	return by(c, CheckModes, c.facts.StorageClasses, func(classes []StorageClass) Check {
		return by(c, CheckModes, c.facts.Profiles, func(profiles map[string][]ClaimSet) Check {
			var lost []string
			for _, disk := range c.needs.Disks {
				class := classOf(disk, classes)
				sets, known := profiles[class]
				if class == "" || !known {
					continue
				}
				if check := disk.suits(class, sets, c.facts.Config); check.Verdict != OK {
					return check
				}
				if slices.Contains(disk.HasAccess, corev1.ReadWriteMany) && !offers(sets, corev1.ReadWriteMany) {
					lost = append(lost, disk.Name)
				}
			}
			if len(lost) > 0 {
				return fine("", "no class there is ReadWriteMany, as %s is now: it could not be migrated live", list(lost))
			}
			return fine("", "the classes offer what the disks ask for")
		})
	})
}

// suits says whether a class offers what the disk asks for.
func (d Disk) suits(class string, sets []ClaimSet, config string) Check {
	if len(sets) == 0 && len(d.Access) == 0 {
		return refused(ReasonModes, "set claimPropertySets of StorageProfile "+class+" in "+config+
			", or PVC_ACCESS_MODE of the operator",
			"CDI does not know which access mode storage class %s takes, and disk %s asks for none", class, d.Name)
	}
	for _, set := range sets {
		if (d.Mode == "" || d.Mode == set.VolumeMode) && subset(d.Access, set.AccessModes) {
			return fine("", "")
		}
	}
	if len(sets) == 0 {
		return fine("", "")
	}
	var offered []string
	for _, set := range sets {
		for _, mode := range set.AccessModes {
			offered = append(offered, string(mode)+" "+string(set.VolumeMode))
		}
	}
	return refused(ReasonModes, "choose another storage class, or correct its StorageProfile in "+config,
		"disk %s asks for %s, and storage class %s offers %s", d.Name, d.asked(), class, list(offered))
}

func (d Disk) asked() string {
	var all []string
	for _, mode := range d.Access {
		all = append(all, string(mode))
	}
	return strings.TrimSpace(strings.Join(all, ", ") + " " + string(d.Mode))
}

func subset(some, all []corev1.PersistentVolumeAccessMode) bool {
	return !slices.ContainsFunc(some, func(mode corev1.PersistentVolumeAccessMode) bool {
		return !slices.Contains(all, mode)
	})
}

func offers(sets []ClaimSet, mode corev1.PersistentVolumeAccessMode) bool {
	return slices.ContainsFunc(sets, func(set ClaimSet) bool { return slices.Contains(set.AccessModes, mode) })
}

func (c court) disks() Check {
	if len(c.needs.Disks) == 0 {
		return fine(CheckDisks, "it has no disks")
	}
	return by(c, CheckDisks, c.facts.Disks, func(found []Found) Check {
		var left []string
		for _, each := range found {
			if !each.Mine {
				return refused(ReasonDiskTaken, "look whose it is, and delete or rename it",
					"%s is there and is not this Machine's", each.Object)
			}
			left = append(left, each.Object)
		}
		if len(left) > 0 {
			return fine("", "this Machine's own are there already: %s", list(left))
		}
		return fine("", "the names of its disks are free")
	})
}

// state looks for a storage class for the state of EFI and TPM.
func (c court) state() Check {
	if !c.needs.State {
		return fine(CheckState, "it keeps no state of EFI or TPM")
	}
	return by(c, CheckState, c.facts.KubeVirt, func(is KubeVirt) Check {
		return by(c, CheckState, c.facts.StorageClasses, func(classes []StorageClass) Check {
			class := classOf(Disk{Class: is.StateClass}, classes)
			if class == "" {
				return refused(ReasonStorageClass, "set spec.configuration.vmStateStorageClass of the KubeVirt of "+
					c.facts.Config, "the state of EFI and TPM needs storage class %s, which is not there",
					cmp.Or(is.StateClass, "default"))
			}
			return fine("", "the state of EFI and TPM would be in storage class %s", class)
		})
	})
}

func (c court) networks() Check {
	if len(c.needs.Networks) == 0 {
		return fine(CheckNetworks, "the pod network")
	}
	return by(c, CheckNetworks, c.facts.Attachments, func(there map[string]Attachment) Check {
		var made []string
		for _, network := range c.needs.Networks {
			has, found := there[network.Key]
			switch {
			case !found && network.Made:
				made = append(made, network.Key)
			case !found:
				return refused(ReasonNetwork, "create it in "+c.facts.Config,
					"there is no NetworkAttachmentDefinition %s, which the operator does not make", network.Key)
			case network.Made && has.VLAN != network.VLAN:
				return refused(ReasonVLAN, "correct or delete it in "+c.facts.Config,
					"NetworkAttachmentDefinition %s is of VLAN %d there, and has to be of %d", network.Key, has.VLAN, network.VLAN)
			}
		}
		if len(made) > 0 {
			return fine("", "the operator makes %s; whether nodes have the bridge and the VLAN is not known", list(made))
		}
		return fine("", "all networks are there")
	})
}
