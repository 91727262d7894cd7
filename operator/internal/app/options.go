package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/brake"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	placementhost "github.com/vitistack/kubevirt-multicluster/placement/host"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// Options are everything that can be set from outside.
type Options struct {
	// Kubeconfig is the file for the supervisor (--kubeconfig). "" means KUBECONFIG, and then the
	// pod's own service account.
	Kubeconfig string
	// MetricsAddress serves metrics, ProbeAddress /healthz and /readyz. "0" serves none.
	MetricsAddress, ProbeAddress string
	// LeaderElect lets one of several replicas work; LeaderElectionID names their lease, in
	// LeaderElectionNamespace.
	LeaderElect                               bool
	LeaderElectionID, LeaderElectionNamespace string
	// Shards is among how many processes the clusters are shared out, each with a lease of its own.
	// More processes stand by.
	Shards int
	// MaxConcurrentReconciles is the number of Machines worked on at once.
	MaxConcurrentReconciles int
	// WatchSelector selects the Machines that this process looks after, by label. Empty means all.
	WatchSelector labels.Selector
	// WriteConfigStatus makes this process the one that writes the KubevirtConfigs' status.
	// Default: where WatchSelector is empty.
	WriteConfigStatus bool
	// PluginDir has the placement plugins, and their digests in SHA256SUMS.
	PluginDir string
	// PlacementConfig is the file that says which strategies place Machines. "" means the four
	// annotation, default, single and search.
	PlacementConfig string
	// SupervisorID tells what this supervisor made from what another one made. "" means the UID of
	// its namespace kube-system.
	SupervisorID string
	// WarmStandby keeps connections to remote clusters while another replica leads.
	WarmStandby bool
	// ClusterCacheMiB bounds what one remote cluster may fill its cache with, in MiB of JSON.
	ClusterCacheMiB int
	// Page are the settings of the Fleet page.
	Page PageOptions
	// LookInterval is the time between two looks at a cluster's KubeVirt, at its definitions, and for
	// virtual machines without a Machine.
	LookInterval time.Duration
	// Machine are the settings of the Machines' reconciler.
	Machine machine.Settings
	// Log is how logs are written.
	Log LogOptions

	part part // of the fleet, once Run knows it

	said struct{ selector, writeConfigStatus, uniqueness, brake string } // flags that complete reads
}

// The values of --uniqueness.
const (
	uniquenessStrict      = "Strict"
	uniquenessExceptFresh = "ExceptFresh"
)

// DefaultLeaderElectionID is the lease of the public operator: the two never work side by side in
// one namespace.
const DefaultLeaderElectionID = "09393f52.vitistack.io"

// LeaseLabels are the labels of the lease, whatever its name is, as a new map.
func LeaseLabels() map[string]string {
	return map[string]string{"app.kubernetes.io/name": "kubevirt-operator"}
}

// addFlags declares the flags. Their defaults are those of the environment where that has a say.
func (o *Options) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.said.selector, "watch-selector", "",
		"look after Machines with these labels alone, as in kubectl get -l; "+
			"each such deployment needs a --leader-election-id of its own")
	o.AddKubeconfigFlag(flags)
	flags.StringVar(&o.MetricsAddress, "metrics-bind-address", "0", `address that serves metrics; "0" for none`)
	flags.StringVar(&o.ProbeAddress, "health-probe-bind-address", ":9992",
		`address that serves /healthz and /readyz; "0" for none`)
	o.Page.addFlags(flags)
	flags.BoolVar(&o.LeaderElect, "leader-elect", false, "work only while holding the lease; for more than one replica")
	flags.StringVar(&o.LeaderElectionID, "leader-election-id", DefaultLeaderElectionID, "name of the lease")
	flags.StringVar(&o.LeaderElectionNamespace, "leader-election-namespace", "",
		"namespace of the lease (default: the pod's)")
	flags.IntVar(&o.Shards, "shards", 1,
		"share the clusters out among this many replicas, each with a lease of its own, so that each keeps the connections of "+
			"its part; run one replica more, which takes over for any; needs --leader-elect")
	flags.IntVar(&o.MaxConcurrentReconciles, "max-concurrent-reconciles", 16, "number of Machines worked on at once")
	flags.StringVar(&o.said.writeConfigStatus, "write-config-status", "",
		"true or false: write the status of KubevirtConfigs; one process does (default: true without --watch-selector)")
	flags.Lookup("write-config-status").NoOptDefVal = "true"
	o.AddPlacementFlags(flags)
	o.AddSupervisorIDFlag(flags)
	flags.BoolVar(&o.WarmStandby, "warm-standby", false, "keep connections to remote clusters while another replica leads")
	flags.IntVar(&o.ClusterCacheMiB, "cluster-cache-mib", 64,
		"MiB of JSON that one remote cluster may fill its cache with; one that sends more is disconnected for a while")
	flags.DurationVar(&o.LookInterval, "look-interval", 10*time.Minute,
		"time between two looks at a cluster's KubeVirt, at its definitions, and for virtual machines without a Machine, "+
			"which count once they were seen in two looks")
	flags.StringVar(&o.said.uniqueness, "uniqueness", uniquenessExceptFresh,
		"ExceptFresh places a Machine that was seen being created while an uninvolved cluster is down; "+
			"Strict waits for every cluster")
	flags.StringVar(&o.said.brake, "deletion-brake", brake.DefaultRule.String(),
		"hold deletions, and changes that stop guests, until a person lets them go: more than this number and more than "+
			"this share of the Machines of a cluster, a namespace or the fleet within this time; off for none")
	flags.BoolVar(&o.Machine.Desired.VLANFromSpec, "vlan-from-spec", false,
		"attach Machines by the VLAN that the spec of a static NetworkNamespace asks for; "+
			"who may write one can then join every network")
	flags.BoolVar(&o.Machine.LegacySupervisorPVCs, "legacy-supervisor-claims", false,
		"delete a Machine's PVCs in the supervisor too, where early layouts kept disks; needs the rights of api/rbac/claims")
}

// AddKubeconfigFlag declares the flag for the way to the supervisor.
func (o *Options) AddKubeconfigFlag(flags *pflag.FlagSet) {
	flags.StringVar(&o.Kubeconfig, "kubeconfig", "",
		"kubeconfig for the supervisor (default: KUBECONFIG, then the pod's service account)")
}

// AddSessionFlags declares the flags of a command that connects once to the supervisor and its
// clusters and then ends.
func (o *Options) AddSessionFlags(flags *pflag.FlagSet) {
	o.AddKubeconfigFlag(flags)
	o.AddSupervisorIDFlag(flags)
}

// AddSupervisorIDFlag declares the flag for what tells this supervisor's objects from another's.
func (o *Options) AddSupervisorIDFlag(flags *pflag.FlagSet) {
	flags.StringVar(&o.SupervisorID, "supervisor-id", "",
		"identity of this supervisor in labels (default: the UID of its namespace kube-system)")
}

// AddPlacementFlags declares the flags that say which strategies there are and which clusters they
// may choose.
func (o *Options) AddPlacementFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&o.Machine.AllowUnverifiedIdentity, "allow-unverified-identity", false,
		"place Machines also in clusters whose kubeconfig may not read the namespace kube-system")
	flags.StringVar(&o.PluginDir, "plugin-dir", "",
		"folder of the placement plugins (default: plugins beside the operator's binary)")
	flags.StringVar(&o.PlacementConfig, "placement-config", "",
		"YAML file of the placement strategies; read again when it changes (default: annotation, default, single, search)")
}

// Plugins is where it stands which strategies there are.
func (o *Options) Plugins() placementhost.Source {
	return placementhost.Source{Dir: o.PluginDir, File: o.PlacementConfig}
}

// complete fills in what depends on where the program is, and refuses what cannot work.
func (o *Options) complete() error {
	if o.MaxConcurrentReconciles < 1 {
		return fmt.Errorf("--max-concurrent-reconciles is %d: want at least 1", o.MaxConcurrentReconciles)
	}
	if err := o.checkShards(); err != nil {
		return err
	}
	if o.ClusterCacheMiB < 1 {
		return fmt.Errorf("--cluster-cache-mib is %d: want at least 1", o.ClusterCacheMiB)
	}
	if o.LookInterval < time.Second {
		return fmt.Errorf("--look-interval is %s: want at least 1s", o.LookInterval)
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
	if o.Machine.Brake, err = brake.ParseRule(o.said.brake); err != nil {
		return fmt.Errorf("--deletion-brake: %w", err)
	}
	o.Machine.StrictUniqueness = o.said.uniqueness == uniquenessStrict
	if o.LeaderElect && !o.WatchSelector.Empty() && o.LeaderElectionID == DefaultLeaderElectionID {
		return fmt.Errorf("--watch-selector needs a --leader-election-id of its own")
	}
	return errors.Join(o.checkSupervisorID(), o.completePluginDir(), o.Page.check())
}

// mostShards bounds how many leases a replica that stands by asks for each second.
const mostShards = 64

// checkShards refuses shards that nobody could hold.
func (o *Options) checkShards() error {
	switch {
	case o.Shards < 1 || o.Shards > mostShards:
		return fmt.Errorf("--shards is %d: want 1 to %d", o.Shards, mostShards)
	case o.Shards > 1 && !o.LeaderElect:
		return fmt.Errorf("--shards needs --leader-elect: each replica holds the lease of one shard")
	case o.Shards > 1 && o.WarmStandby:
		return fmt.Errorf("--warm-standby does not go with --shards: whose clusters a standby will serve is not known before")
	}
	return nil
}

// CompleteSession reads the environment for a command that connects once and then ends. Such a
// command looks at every Machine, connects without leading, and serves nothing.
func (o *Options) CompleteSession() error {
	o.WatchSelector, o.WarmStandby = labels.Everything(), true
	o.MetricsAddress, o.ProbeAddress = "0", "0"
	return errors.Join(o.readEnvironment(os.LookupEnv), o.checkSupervisorID(), o.completePluginDir())
}

// checkSupervisorID refuses an identity that cannot stand in a label: nothing with it could be
// made, nor found again.
func (o *Options) checkSupervisorID() error {
	if o.SupervisorID == "" {
		return nil
	}
	if err := desired.CheckSupervisorUID(o.SupervisorID); err != nil {
		return fmt.Errorf("--supervisor-id: %w", err)
	}
	return nil
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
