package app

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// lookup returns the value of an environment variable, and whether it is set. os.LookupEnv is one.
type lookup func(name string) (value string, set bool)

// or returns the value of a variable, or otherwise where the variable is unset or empty.
func (l lookup) or(name, otherwise string) string {
	if value, _ := l(name); value != "" {
		return value
	}
	return otherwise
}

// readEnvironment sets what the environment says. An empty variable counts as unset, but for
// VM_NAME_PREFIX.
func (o *Options) readEnvironment(env lookup) error {
	o.Machine.ConfigsNamespace = env.or("KUBEVIRT_CONFIGS_NAMESPACE", "default")
	o.Machine.DefaultConfig = env.or("DEFAULT_KUBEVIRT_CONFIG", "")
	o.Machine.VMNamePrefix = desired.DefaultVMNamePrefix
	if prefix, set := env("VM_NAME_PREFIX"); set {
		o.Machine.VMNamePrefix = prefix // the empty one too: VirtualMachines are then called as their Machines
	}
	o.Machine.Desired.ManagedBy = env.or("MANAGED_BY", "")
	o.Machine.Desired.CPUModel = env.or("CPU_MODEL", "")
	o.Machine.Desired.StorageClassName = env.or("STORAGE_CLASS_NAME", "")
	o.Machine.Desired.CNIVersion = env.or("NETWORK_ATTACHMENT_DEFINITION_CNI_VERSION", "")
	o.Machine.Desired.MACSet = env.or("MAC_SET", "")
	if provider := env.or("NAME_MACHINE_PROVIDER", ""); provider != "" {
		o.Machine.Desired.MachineProviders = []string{provider}
	}
	if problems := validation.IsValidLabelValue(o.Machine.Desired.ManagedBy); len(problems) > 0 {
		return fmt.Errorf("MANAGED_BY is %q: %s", o.Machine.Desired.ManagedBy, strings.Join(problems, "; "))
	}
	if err := o.readChoices(env); err != nil {
		return err
	}
	return o.Log.readEnvironment(env)
}

// readChoices sets what is one of a few words.
func (o *Options) readChoices(env lookup) error {
	for _, choice := range []struct {
		name    string
		set     func(string)
		allowed []string
	}{
		{
			name:    "PVC_VOLUME_MODE",
			set:     func(v string) { o.Machine.Desired.VolumeMode = corev1.PersistentVolumeMode(v) },
			allowed: []string{"Block", "Filesystem"},
		},
		{
			name:    "PVC_ACCESS_MODE",
			set:     func(v string) { o.Machine.Desired.AccessMode = corev1.PersistentVolumeAccessMode(v) },
			allowed: []string{"ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"},
		},
		{
			name:    "IP_SOURCE",
			set:     func(v string) { o.Machine.Observed.IPSource = observed.IPSource(v) },
			allowed: []string{"vmi", "networkconfiguration"},
		},
	} {
		value, err := oneOf(choice.name, env.or(choice.name, ""), choice.allowed)
		if err != nil {
			return err
		}
		choice.set(value)
	}
	return nil
}

// oneOf refuses a value that is none of those allowed. "" is.
func oneOf(name, value string, allowed []string) (string, error) {
	for _, each := range append(allowed, "") {
		if value == each {
			return value, nil
		}
	}
	return "", fmt.Errorf("%s is %q: want one of %v", name, value, allowed)
}
