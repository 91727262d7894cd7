package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	placementhost "github.com/vitistack/kubevirt-multicluster/placement/host"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// Options are everything that can be set from outside.
type Options struct {
	// Kubeconfig is the file for the supervisor (--kubeconfig). "" means KUBECONFIG, and then the pod's own service account.
	Kubeconfig string
	// MetricsAddress serves metrics, ProbeAddress /healthz and /readyz. "0" serves none.
	MetricsAddress, ProbeAddress string
	// LeaderElect lets one of several replicas work; LeaderElectionID names their lease, in LeaderElectionNamespace.
	LeaderElect                               bool
	LeaderElectionID, LeaderElectionNamespace string
	// MaxConcurrentReconciles is the number of Machines worked on at once.
	MaxConcurrentReconciles int
	// WatchSelector selects the Machines that this process looks after, by label. Empty means all.
	WatchSelector labels.Selector
	// WriteConfigStatus makes this process the one that writes the KubevirtConfigs' status. Default: where WatchSelector is empty.
	WriteConfigStatus bool
	// PluginDir has the placement plugins, and their digests in SHA256SUMS.
	PluginDir string
	// PlacementConfig is the file that says which strategies place Machines. "" means seed.md's four.
	PlacementConfig string
	// SupervisorID tells what this supervisor made from what another one made. "" means the UID of its namespace kube-system.
	SupervisorID string
	// WarmStandby keeps connections to remote clusters while another replica leads.
	WarmStandby bool
	// Machine are the settings of the Machines' reconciler.
	Machine machine.Settings
	// Log is how logs are written.
	Log LogOptions

	said struct{ selector, writeConfigStatus, uniqueness string } // flags that complete reads
}

// The values of --uniqueness.
const (
	uniquenessStrict      = "Strict"
	uniquenessExceptFresh = "ExceptFresh"
)

// defaultLeaderElectionID is the lease of the public operator: the two never work side by side.
const defaultLeaderElectionID = "09393f52.vitistack.io"

// addFlags declares the flags. Their defaults are those of the environment where that has a say.
func (o *Options) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.said.selector, "watch-selector", "",
		"look after Machines with these labels alone, as in kubectl get -l; each such deployment needs a --leader-election-id of its own")
	flags.StringVar(&o.Kubeconfig, "kubeconfig", "", "kubeconfig for the supervisor (default: KUBECONFIG, then the pod's service account)")
	flags.StringVar(&o.MetricsAddress, "metrics-bind-address", "0", `address that serves metrics; "0" for none`)
	flags.StringVar(&o.ProbeAddress, "health-probe-bind-address", ":9992", `address that serves /healthz and /readyz; "0" for none`)
	flags.BoolVar(&o.LeaderElect, "leader-elect", false, "work only while holding the lease; for more than one replica")
	flags.StringVar(&o.LeaderElectionID, "leader-election-id", defaultLeaderElectionID, "name of the lease")
	flags.StringVar(&o.LeaderElectionNamespace, "leader-election-namespace", "", "namespace of the lease (default: the pod's)")
	flags.IntVar(&o.MaxConcurrentReconciles, "max-concurrent-reconciles", 16, "number of Machines worked on at once")
	flags.StringVar(&o.said.writeConfigStatus, "write-config-status", "",
		"true or false: write the status of KubevirtConfigs; one process does (default: true without --watch-selector)")
	flags.Lookup("write-config-status").NoOptDefVal = "true"
	o.addPlacementFlags(flags)
	flags.StringVar(&o.SupervisorID, "supervisor-id", "", "identity of this supervisor in labels (default: the UID of its namespace kube-system)")
	flags.BoolVar(&o.WarmStandby, "warm-standby", false, "keep connections to remote clusters while another replica leads")
	flags.StringVar(&o.said.uniqueness, "uniqueness", uniquenessExceptFresh,
		"ExceptFresh places a Machine that was seen being created while an uninvolved cluster is down; Strict waits for every cluster")
	flags.BoolVar(&o.Machine.AllowUnverifiedIdentity, "allow-unverified-identity", false,
		"place Machines also in clusters whose kubeconfig may not read the namespace kube-system")
}

// addPlacementFlags declares the flags that say which strategies there are.
func (o *Options) addPlacementFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.PluginDir, "plugin-dir", "", "folder of the placement plugins (default: plugins beside the operator's binary)")
	flags.StringVar(&o.PlacementConfig, "placement-config", "",
		"YAML file of the placement strategies; read again when it changes (default: annotation, default, single, search)")
}

// plugins is where it stands which strategies there are.
func (o *Options) plugins() placementhost.Source {
	return placementhost.Source{Dir: o.PluginDir, File: o.PlacementConfig}
}

// readEnvironment sets what the environment says. getenv is os.Getenv.
func (o *Options) readEnvironment(getenv func(string) string) error {
	or := func(name, otherwise string) string {
		if value := getenv(name); value != "" {
			return value
		}
		return otherwise
	}
	o.Machine.ConfigsNamespace = or("KUBEVIRT_CONFIGS_NAMESPACE", "default")
	o.Machine.DefaultConfig = getenv("DEFAULT_KUBEVIRT_CONFIG")
	o.Machine.VMNamePrefix = or("VM_NAME_PREFIX", desired.DefaultVMNamePrefix)
	o.Machine.Desired.ManagedBy = getenv("MANAGED_BY")
	o.Machine.Desired.CPUModel = getenv("CPU_MODEL")
	o.Machine.Desired.StorageClassName = getenv("STORAGE_CLASS_NAME")
	o.Machine.Desired.CNIVersion = getenv("NETWORK_ATTACHMENT_DEFINITION_CNI_VERSION")
	o.Machine.Desired.MACSet = getenv("MAC_SET")
	if provider := getenv("NAME_MACHINE_PROVIDER"); provider != "" {
		o.Machine.Desired.MachineProviders = []string{provider}
	}
	for _, choice := range []struct {
		name    string
		set     func(string)
		allowed []string
	}{
		{"PVC_VOLUME_MODE", func(v string) { o.Machine.Desired.VolumeMode = volumeMode(v) }, []string{"Block", "Filesystem"}},
		{"PVC_ACCESS_MODE", func(v string) { o.Machine.Desired.AccessMode = accessMode(v) }, []string{"ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"}},
		{"IP_SOURCE", func(v string) { o.Machine.Observed.IPSource = observed.IPSource(v) }, []string{"vmi", "networkconfiguration"}},
	} {
		value, err := oneOf(choice.name, getenv(choice.name), choice.allowed)
		if err != nil {
			return err
		}
		choice.set(value)
	}
	return o.Log.readEnvironment(getenv)
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

// complete fills in what depends on where the program is, and refuses what cannot work.
func (o *Options) complete() error {
	if o.MaxConcurrentReconciles < 1 {
		return fmt.Errorf("--max-concurrent-reconciles is %d: want at least 1", o.MaxConcurrentReconciles)
	}
	var err error
	if o.WatchSelector, err = labels.Parse(o.said.selector); err != nil {
		return fmt.Errorf("--watch-selector: %w", err)
	}
	o.WriteConfigStatus = o.WatchSelector.Empty()
	if said := o.said.writeConfigStatus; said != "" {
		if o.WriteConfigStatus, err = strconv.ParseBool(said); err != nil {
			return fmt.Errorf("--write-config-status is %q: want true or false", said)
		}
	}
	if _, err := oneOf("--uniqueness", o.said.uniqueness, []string{uniquenessStrict, uniquenessExceptFresh}); err != nil {
		return err
	}
	o.Machine.StrictUniqueness = o.said.uniqueness == uniquenessStrict
	if o.LeaderElect && !o.WatchSelector.Empty() && o.LeaderElectionID == defaultLeaderElectionID {
		return fmt.Errorf("--watch-selector needs a --leader-election-id of its own")
	}
	return o.completePluginDir()
}

// completePluginDir looks for the plugins beside the program.
func (o *Options) completePluginDir() error {
	if o.PluginDir != "" {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("looking for the plugins: %w", err)
	}
	o.PluginDir = filepath.Join(filepath.Dir(self), "plugins")
	return nil
}
