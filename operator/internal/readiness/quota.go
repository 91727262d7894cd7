package readiness

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func sortedKeys[K cmp.Ordered, V any](of map[K]V) []K { return slices.Sorted(maps.Keys(of)) }

// quota adds what the virtual machine takes to what is used of each quota of the namespace.
func (c court) quota() Check {
	return by(c, CheckQuota, c.facts.Quotas, func(quotas []corev1.ResourceQuota) Check {
		if len(quotas) == 0 {
			return fine("", "namespace %s has no quota", c.needs.VM.Namespace)
		}
		return c.sized(CheckQuota, func(size Size) Check {
			takes := c.takes(size)
			if missing := c.facts.StorageClasses.missing(c.now); missing != nil && slices.ContainsFunc(quotas, isPerClass) {
				return c.unknown(CheckQuota, *missing)
			}
			for _, quota := range quotas {
				if !concernsLaunchers(quota) {
					continue
				}
				for _, name := range sortedKeys(quota.Status.Hard) {
					hard, used, more := quota.Status.Hard[name], quota.Status.Used[name], takes[name]
					if more == 0 {
						continue
					}
					after := used.DeepCopy()
					after.Add(amount(name, more))
					if after.Cmp(hard) > 0 {
						return refused(ReasonQuota, "ask for more in ResourceQuota "+quota.Name+" of namespace "+
							c.needs.VM.Namespace+" in "+c.facts.Config, "quota %s has %s of %s in use; it takes %s more of at most %s",
							quota.Name, text(used), name, text(amount(name, more)), text(hard))
					}
				}
			}
			return fine("", "the quotas of namespace %s leave room", c.needs.VM.Namespace)
		})
	})
}

// concernsLaunchers reports whether a quota counts launcher Pods and claims. They have no deadline
// and request something.
func concernsLaunchers(quota corev1.ResourceQuota) bool {
	if quota.Spec.ScopeSelector != nil {
		return false // which priority class a launcher gets is not known here
	}
	return !slices.ContainsFunc(quota.Spec.Scopes, func(scope corev1.ResourceQuotaScope) bool {
		return scope != corev1.ResourceQuotaScopeNotTerminating && scope != corev1.ResourceQuotaScopeNotBestEffort
	})
}

// isPerClass reports whether a quota counts the claims of single storage classes.
func isPerClass(quota corev1.ResourceQuota) bool {
	for name := range quota.Status.Hard {
		if strings.Contains(string(name), perClass) {
			return true
		}
	}
	return false
}

const perClass = ".storageclass.storage.k8s.io/"

// takes is what counts against quotas: CPUs in thousandths, everything else in its own unit.
func (c court) takes(size Size) map[corev1.ResourceName]int64 {
	takes := map[corev1.ResourceName]int64{
		corev1.ResourceCPU: size.MilliCPU, corev1.ResourceRequestsCPU: size.MilliCPU,
		corev1.ResourceMemory: size.MemoryBytes, corev1.ResourceRequestsMemory: size.MemoryBytes,
		corev1.ResourceLimitsMemory: size.MemoryBytes,
		corev1.ResourcePods:         1, "count/pods": 1, "count/virtualmachines.kubevirt.io": 1,
		"count/virtualmachineinstances.kubevirt.io": 1,
	}
	disks := int64(len(c.needs.Disks))
	takes[corev1.ResourcePersistentVolumeClaims], takes["count/persistentvolumeclaims"] = disks, disks
	classes := c.facts.StorageClasses.Value
	for class, bytes := range c.needs.claims(func(disk Disk) string { return classOf(disk, classes) }) {
		takes[corev1.ResourceRequestsStorage] += bytes
		if class != "" {
			takes[corev1.ResourceName(class+perClass+"requests.storage")] = bytes
		}
	}
	return takes
}

func amount(name corev1.ResourceName, value int64) resource.Quantity {
	switch {
	case name == corev1.ResourceCPU || name == corev1.ResourceRequestsCPU:
		return *resource.NewMilliQuantity(value, resource.DecimalSI)
	case strings.Contains(string(name), "memory") || strings.Contains(string(name), "storage"):
		return *resource.NewQuantity(value, resource.BinarySI)
	}
	return *resource.NewQuantity(value, resource.DecimalSI)
}

func text(quantity resource.Quantity) string { return quantity.String() }

// limits compares the guest and its disks with the limit ranges of the namespace.
func (c court) limits() Check {
	return by(c, CheckLimits, c.facts.Limits, func(ranges []corev1.LimitRange) Check {
		return c.sized(CheckLimits, func(size Size) Check {
			for _, each := range ranges {
				for _, item := range each.Spec.Limits {
					if over := c.over(item, size); over != "" {
						return refused(ReasonLimit, "ask for more in LimitRange "+each.Name+" of namespace "+
							c.needs.VM.Namespace+" in "+c.facts.Config, "limit range %s: %s", each.Name, over)
					}
				}
			}
			return fine("", "within the limit ranges of namespace %s", c.needs.VM.Namespace)
		})
	})
}

// over says what is more than an item allows, "" where nothing is.
func (c court) over(item corev1.LimitRangeItem, size Size) string {
	exceeds := func(name corev1.ResourceName, value int64) string {
		most, limited := item.Max[name]
		has := amount(name, value)
		if limited && has.Cmp(most) > 0 {
			return fmt.Sprintf("%s of a %s is %s, and may be %s", name, item.Type, text(has), text(most))
		}
		return ""
	}
	switch item.Type {
	case corev1.LimitTypePod, corev1.LimitTypeContainer:
		return cmp.Or(exceeds(corev1.ResourceCPU, size.MilliCPU), exceeds(corev1.ResourceMemory, size.MemoryBytes))
	case corev1.LimitTypePersistentVolumeClaim:
		for _, disk := range c.needs.Disks {
			if over := exceeds(corev1.ResourceStorage, disk.Bytes); over != "" {
				return over
			}
		}
	}
	return ""
}
