package fleet

import (
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/exports"
)

// maxRemotes is a bound against typing errors: each remote takes about half a GiB.
const maxRemotes = 16

// Options say what a fleet consists of. The zero value is a supervisor and one remote in a
// temporary folder.
type Options struct {
	// Dir is the folder for kubeconfigs, data and logs. It is made if absent, and what the fleet put
	// into it is removed when the fleet stops. Default: a temporary folder.
	Dir string
	// Remotes is the number of remote clusters, 1 to 16. Default: 1.
	Remotes int
	// Alone leaves the supervisor without a remote: its clusters are stand-ins, for example. Remotes
	// does not count then.
	Alone bool
	// KubeVirt says whether remotes run KubeVirt's own controllers (kubevirt.Real, the default) or
	// ours that stand in for them (kubevirt.Light).
	KubeVirt kubevirt.Mode
	// Audit makes each API server write an audit log, NAME.audit.log in Dir.
	Audit bool
	// Moves gives the operator the rights in the remotes that moving Machines takes.
	Moves bool
	// Guest gives the operator the rights in the remotes that restarting and pausing guests takes.
	Guest bool
	// BasePort is the first of two ports for each cluster, its API server's and its proxy's. Default:
	// free ports.
	BasePort int
	// Terminate makes the proxies end TLS from the first connection on: a fault like stall can then
	// hold watches that are already open.
	Terminate bool
	// MinFree is the room, in bytes, that the folder's disk must have. Default: 256 MiB for each
	// cluster.
	MinFree uint64
	// Progress receives a line for each step, one at a time. Default: none.
	Progress io.Writer

	binaries         controlplane.Binaries
	kubeVirtBinaries kubevirt.Binaries
	hosts            *exports.Names // what DNS answers to all clusters
	started          time.Time
}

// minFree is for one cluster. It takes 130 MiB at first, of which etcd's log has 128.
const minFree = 256 << 20

// complete fills in the defaults and refuses what cannot work, before anything is started.
func (o *Options) complete() (err error) {
	if o.Remotes == 0 {
		o.Remotes = 1
	}
	if o.Remotes < 1 || o.Remotes > maxRemotes {
		return fmt.Errorf("%d remotes: want 1 to %d", o.Remotes, maxRemotes)
	}
	if o.Alone {
		o.Remotes = 0
	}
	if o.MinFree == 0 {
		o.MinFree = minFree * uint64(len(o.names()))
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	o.Progress = &lockedWriter{to: o.Progress}
	o.started = time.Now()
	o.hosts = exports.NewNames()
	if o.binaries, err = controlplane.FindBinaries(); err != nil {
		return err
	}
	if o.kubeVirtBinaries, err = kubevirt.FindBinaries(); err != nil {
		return err
	}
	if _, last := o.ports(o.Remotes); o.BasePort != 0 && (o.BasePort < 1024 || last > 65535) {
		return fmt.Errorf("base port %d: want ports from 1024 to 65535", o.BasePort)
	}
	if o.Dir == "" {
		return nil
	}
	o.Dir, err = filepath.Abs(o.Dir)
	return err
}

// reservePorts keeps the ports that were asked for, until the clusters have them.
func (o *Options) reservePorts() (release func(), err error) {
	var all []*controlplane.Port
	release = func() {
		for _, port := range all {
			_ = port.Close() // a socket that was never used
		}
	}
	if o.BasePort == 0 {
		return release, nil
	}
	_, last := o.ports(o.Remotes)
	for number := o.BasePort; number <= last; number++ {
		port, err := controlplane.ReservePort(number)
		if err != nil {
			release()
			return nil, err
		}
		all = append(all, port)
	}
	return release, nil
}

// names returns the clusters' names, the supervisor's first.
func (o Options) names() []string { return append([]string{Supervisor}, clusterNames(o.Remotes)...) }

// clusterNames returns the names of a number of remotes.
func clusterNames(remotes int) []string {
	names := []string{"cluster-east", "cluster-west", "cluster-north"}
	for i := len(names) + 1; i <= remotes; i++ {
		names = append(names, fmt.Sprintf("cluster-%d", i))
	}
	return names[:remotes]
}

// ports returns the API server's and the proxy's port of the i-th cluster, the supervisor being 0;
// zeros mean free ones.
func (o Options) ports(i int) (api, proxy int) {
	if o.BasePort == 0 {
		return 0, 0
	}
	return o.BasePort + 2*i, o.BasePort + 2*i + 1
}

// lockedWriter lets clusters that start side by side write to one writer.
type lockedWriter struct {
	mu sync.Mutex
	to io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}

// say writes a line of progress.
func (o Options) say(cluster, format string, args ...any) {
	fmt.Fprintf(o.Progress, "%6.1fs  %-14s %s\n", time.Since(o.started).Seconds(), cluster, fmt.Sprintf(format, args...))
}
