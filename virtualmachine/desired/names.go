package desired

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// DefaultVMNamePrefix is what VM_NAME_PREFIX means where it is not set.
const DefaultVMNamePrefix = "vm-"

const (
	// nameDigest is the number of hexadecimal digits of a shortened name: enough that a collision
	// cannot be searched for.
	nameDigest = 16
	// uidDigits is the number of digits of a Machine's UID in the names of what belongs to it.
	uidDigits = 8
	// networkConfigurationNameMax is the longest spec.name of a NetworkConfiguration.
	networkConfigurationNameMax = 32
)

var (
	// shortened is what names look like that shorten made. Names that look so by themselves are
	// shortened too: no name that is kept can then equal one that was made.
	shortened = regexp.MustCompile(`-[0-9a-f]{16}$`)

	vmNamePrefix = regexp.MustCompile(`^([a-z0-9][-a-z0-9]{0,31})?$`)

	// workerName and controlPlaneName are the long names that a cluster's operator gives to the
	// Machines of its pools.
	workerName       = regexp.MustCompile(`^(.+?)-worker(-.+)?-pool-([0-9]+)$`)
	controlPlaneName = regexp.MustCompile(`^(.+)-control-plane-([0-9]+)$`)

	networkConfigurationName = regexp.MustCompile(`^[A-Za-z0-9_-]{2,32}$`)
)

// VMName is the name of a Machine's VirtualMachine: the prefix (VM_NAME_PREFIX, "" is none) and the
// Machine's name. Where that is no DNS label, because it is longer than 63 characters or has dots,
// it is cut and ends in a hash of the whole. Different Machines get different names. A [*Refusal]
// of reason NameTooLong says that no valid name can be made.
func VMName(prefix, machineName string) (string, error) {
	if !vmNamePrefix.MatchString(prefix) {
		return "", refuse(vitistackv1alpha1.ReasonNameTooLong,
			"the prefix %q of VirtualMachines must be at most 32 lower case letters, digits and '-', and begin with a letter or digit", prefix)
	}
	if problems := validation.IsDNS1123Subdomain(machineName); len(problems) > 0 {
		return "", refuse(vitistackv1alpha1.ReasonNameTooLong, "no VirtualMachine can be named after %q: %s", machineName,
			strings.Join(problems, "; "))
	}
	return shorten(prefix+machineName, validation.DNS1123LabelMaxLength), nil
}

// DataVolumeName is the name of the DataVolume, and of the PersistentVolumeClaim, behind a disk. It
// carries eight digits of the Machine's UID, so that a Machine that is made again never meets the
// disks of an earlier one.
func DataVolumeName(vmName, diskName string, machineUID types.UID) string {
	return ownName(vmName+"-"+diskName, machineUID)
}

// CloudInitSecretName is the name of the remote Secret that holds a Machine's cloud-init data.
func CloudInitSecretName(vmName string, machineUID types.UID) string {
	return ownName(vmName+"-cloudinit", machineUID)
}

// NetworkConfigurationName is the spec.name of a Machine's NetworkConfiguration: 2 to 32 letters,
// digits, '-' and '_'. <c>-worker-pool-<n> becomes <c>-wrk<n>, <c>-control-plane-<n> becomes
// <c>-ctp<n>, and what still does not fit is cut and ends in a hash of the Machine's name.
func NetworkConfigurationName(machineName string) string {
	name, unique := machineName, true
	if m := workerName.FindStringSubmatch(name); m != nil {
		name, unique = m[1]+"-wrk"+m[3], m[2] == ""
	} else if m := controlPlaneName.FindStringSubmatch(name); m != nil {
		name = m[1] + "-ctp" + m[2]
	}
	if unique && networkConfigurationName.MatchString(name) {
		return name
	}
	return cut(strings.ReplaceAll(name, ".", "-"), networkConfigurationNameMax-uidDigits-1) + "-" +
		digest(machineName, uidDigits)
}

// ownName shortens a name so that it and the digits of the UID are a DNS label.
func ownName(name string, machineUID types.UID) string {
	return shorten(name, validation.DNS1123LabelMaxLength-uidDigits-1) + "-" + UIDDigits(machineUID)
}

// UIDDigits are the first eight hexadecimal digits of a UID, or of its hash where it does not begin
// with any.
func UIDDigits(uid types.UID) string {
	plain := strings.ToLower(strings.ReplaceAll(string(uid), "-", ""))
	if len(plain) >= uidDigits {
		if _, err := hex.DecodeString(plain[:uidDigits]); err == nil {
			return plain[:uidDigits]
		}
	}
	return digest(string(uid), uidDigits)
}

// shorten makes a DNS label of at most limit characters out of a DNS subdomain, injectively.
func shorten(name string, limit int) string {
	if len(name) <= limit && len(validation.IsDNS1123Label(name)) == 0 && !shortened.MatchString(name) {
		return name
	}
	return cut(strings.ReplaceAll(name, ".", "-"), limit-nameDigest-1) + "-" + digest(name, nameDigest)
}

func cut(name string, limit int) string {
	return strings.TrimRight(name[:min(limit, len(name))], "-")
}

func digest(s string, digits int) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:digits]
}
