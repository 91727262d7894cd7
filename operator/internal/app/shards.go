package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/metrics"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/shards"
)

// part is this process's part of the fleet, and the lock that decides it. Both are nil where one
// process looks after everything.
type part struct {
	share *shards.Share
	lock  *shards.Lock
}

// partOf returns the part that this process will have, which is none before it is elected. It asks the
// supervisor whether the leases may be read: a shard that nobody may hold would have its Machines wait
// for ever.
func partOf(ctx context.Context, config *rest.Config, options Options) (part, error) {
	if options.Shards <= 1 {
		return part{}, nil
	}
	namespace, err := leaseNamespace(options)
	if err != nil {
		return part{}, err
	}
	host, err := os.Hostname()
	if err != nil {
		return part{}, fmt.Errorf("identity of this process: %w", err)
	}
	config = rest.AddUserAgent(config, "leader-election")
	config.Timeout = leaseCallTimeout
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return part{}, fmt.Errorf("client for the leases: %w", err)
	}
	identity := resourcelock.ResourceLockConfig{Identity: host + "_" + string(uuid.NewUUID())}
	leases := make([]resourcelock.Interface, options.Shards)
	for shard := range leases {
		leases[shard], err = resourcelock.NewWithLabels(resourcelock.LeasesResourceLock, namespace,
			shards.Name(options.LeaderElectionID, shard), clients.CoreV1(), clients.CoordinationV1(), identity, LeaseLabels())
		if err != nil {
			return part{}, fmt.Errorf("lease of shard %d: %w", shard, err)
		}
		if _, _, err := leases[shard].Get(ctx); apierrors.IsForbidden(err) {
			return part{}, fmt.Errorf("--shards=%d needs the rights to get and update the leases %s to %s: %w", options.Shards,
				shards.Name(options.LeaderElectionID, 0), shards.Name(options.LeaderElectionID, options.Shards-1), err)
		}
	}
	lock := shards.NewLock(leases, clock.RealClock{})
	return part{share: shards.NewShare(options.Shards, lock.Held), lock: lock}, nil
}

// leaseCallTimeout bounds a call about a lease: several fit before its holder gives up.
const leaseCallTimeout = 5 * time.Second

// podNamespace is where a pod finds the namespace that it is in.
const podNamespace = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// leaseNamespace is the namespace of the leases: the pod's, where none is named.
func leaseNamespace(options Options) (string, error) {
	if options.LeaderElectionNamespace != "" {
		return options.LeaderElectionNamespace, nil
	}
	text, err := os.ReadFile(podNamespace)
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("not in a pod: --shards needs --leader-election-namespace")
	}
	return strings.TrimSpace(string(text)), err
}

// serves is clientmgr.Options.Serves: nil where every cluster is this process's.
func (p part) serves() func(config string) bool {
	if p.share == nil {
		return nil
	}
	return p.share.Serves
}

// known says which KubevirtConfigs this process measures.
func (p part) known(remotes clientmgr.StateReporter) metrics.Known {
	return func(config string) bool {
		_, found := remotes.State(config)
		return found && p.share.Serves(config)
	}
}

// counts says which Machines this process counts, so that none is counted twice.
func (p part) counts(each *vitistackv1alpha1.Machine) bool {
	return machine.IsOurs(each) && p.share.Owns(each)
}

// metric tells which shard this process holds. Without --shards there is one shard, and the elected
// process holds it.
func (p part) metric(elected <-chan struct{}, options Options) *metrics.Shards {
	if p.lock != nil {
		return metrics.NewShards(options.LeaderElectionID, options.Shards, p.lock.Held)
	}
	return metrics.NewShards(options.LeaderElectionID, 1, func() (shard int, holds bool) {
		select {
		case <-elected:
			return 0, true
		default:
			return 0, false
		}
	})
}

// resourceLock is for ctrl.Options: nil for the manager's own.
func (p part) resourceLock() resourcelock.Interface {
	if p.lock == nil {
		return nil
	}
	return p.lock
}

// tell says in the log which shard was won.
func (p part) tell(mgr ctrl.Manager) error {
	if p.lock == nil {
		return nil
	}
	return mgr.Add(manager.RunnableFunc(func(context.Context) error {
		shard, _ := p.lock.Held()
		mgr.GetLogger().Info("Looking after the clusters of one shard", "shard", shard, "lease", p.lock.Describe())
		return nil
	}))
}

// onlyFirst is a manager whose runnables run where the first shard is held: those that are for the whole
// fleet.
type onlyFirst struct {
	ctrl.Manager
	share *shards.Share
}

// Add implements manager.Manager.
func (m onlyFirst) Add(r manager.Runnable) error {
	return m.Manager.Add(manager.RunnableFunc(func(ctx context.Context) error { // runs once elected
		if !m.share.IsFirst() {
			return nil
		}
		return r.Start(ctx)
	}))
}

// Elected implements manager.Manager: it is closed where this process is elected to the first shard.
func (m onlyFirst) Elected() <-chan struct{} {
	if m.share == nil {
		return m.Manager.Elected()
	}
	first := make(chan struct{})
	go func() {
		if <-m.Manager.Elected(); m.share.IsFirst() {
			close(first)
		}
	}()
	return first
}
