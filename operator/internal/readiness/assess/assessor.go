package assess

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness/gather"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// Clusters are the remote clusters, and which there are. clientmgr.RemoteClusters is one.
type Clusters interface {
	gather.Clusters
	ListKubevirtConfigs(ctx context.Context) ([]vitistackv1alpha1.KubevirtConfig, error)
}

// Options say how Machines become virtual machines.
type Options struct {
	// Supervisor reads Machines (by clientmgr.IndexConfig too), classes and networks; Live the labels
	// of namespaces.
	Supervisor side.SupervisorCache
	Live       side.SupervisorServer
	// Desired and VMNamePrefix are the operator's settings.
	Desired      desired.Options
	VMNamePrefix string
	// Gather tunes the questions to the clusters.
	Gather gather.Options
}

// Assessor is safe for concurrent use.
type Assessor struct {
	clusters Clusters
	options  Options
	gatherer *gather.Gatherer
	clock    clock.PassiveClock
}

// New returns an Assessor that has asked nothing.
func New(clusters Clusters, options Options) *Assessor {
	if options.Gather.Clock == nil {
		options.Gather.Clock = clock.RealClock{}
	}
	return &Assessor{clusters: clusters, options: options, gatherer: gather.New(clusters, options.Gather),
		clock: options.Gather.Clock}
}

// All judges every cluster. The reports are sorted by readiness.Sort. The error says why it is not
// known what the Machine needs, or which clusters there are.
func (a *Assessor) All(ctx context.Context, machine *vitistackv1alpha1.Machine) ([]readiness.Report, error) {
	configs, err := a.clusters.ListKubevirtConfigs(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing KubevirtConfigs: %w", err)
	}
	return a.among(ctx, machine, configs)
}

// One judges one cluster.
func (a *Assessor) One(
	ctx context.Context, machine *vitistackv1alpha1.Machine, config string,
) (readiness.Report, error) {
	configs, err := a.clusters.ListKubevirtConfigs(ctx)
	if err != nil {
		return readiness.Report{}, fmt.Errorf("listing KubevirtConfigs: %w", err)
	}
	configs = slices.DeleteFunc(configs, func(c vitistackv1alpha1.KubevirtConfig) bool { return c.Name != config })
	if len(configs) == 0 {
		return readiness.Report{}, fmt.Errorf("%w: %s", clientmgr.ErrConfigNotFound, config)
	}
	reports, err := a.among(ctx, machine, configs)
	if err != nil {
		return readiness.Report{}, err
	}
	return reports[0], nil
}

func (a *Assessor) among(
	ctx context.Context, machine *vitistackv1alpha1.Machine, configs []vitistackv1alpha1.KubevirtConfig,
) ([]readiness.Report, error) {
	needs, err := a.Needs(ctx, machine)
	if err != nil {
		return nil, err
	}
	reports := a.Judge(ctx, needs, a.Targets(ctx, machine, configs))
	readiness.Sort(reports)
	return reports, nil
}

// Judge gathers the facts of the targets and judges each, in their order.
func (a *Assessor) Judge(ctx context.Context, needs readiness.Needs, targets []gather.Target) []readiness.Report {
	reports := make([]readiness.Report, 0, len(targets))
	for _, facts := range a.gatherer.All(ctx, targets, needs) {
		reports = append(reports, readiness.Judge(needs, facts, a.clock.Now()))
	}
	return reports
}

// Placed lets the guest of a Machine that was placed count in the facts that are remembered of its
// cluster, so that many at once do not all go to one.
func (a *Assessor) Placed(config string, guest readiness.Size) { a.gatherer.Placed(config, guest) }

// Targets are clusters with what the supervisor knows of them.
func (a *Assessor) Targets(
	ctx context.Context, machine *vitistackv1alpha1.Machine, configs []vitistackv1alpha1.KubevirtConfig,
) []gather.Target {
	targets := make([]gather.Target, 0, len(configs))
	for i := range configs {
		targets = append(targets, gather.Target{
			Config: configs[i].Name, Door: a.door(ctx, &configs[i], machine.Namespace),
			Machines: a.machines(ctx, configs[i].Name),
		})
	}
	return targets
}

// door is what a KubevirtConfig says about new Machines of a namespace. Its labels are read only
// where a selector looks at them.
func (a *Assessor) door(
	ctx context.Context, config *vitistackv1alpha1.KubevirtConfig, namespace string,
) readiness.Fact[readiness.Door] {
	labels := map[string]string{}
	if allowed := config.Spec.AllowedNamespaces; allowed != nil && allowed.Selector != nil {
		read := &corev1.Namespace{}
		err := a.options.Live.Get(ctx, client.ObjectKey{Name: namespace}, read)
		if client.IgnoreNotFound(err) != nil {
			return readiness.Fact[readiness.Door]{Missing: &readiness.Missing{
				Reason: readiness.ReasonSilent, Message: "reading namespace " + namespace + ": " + err.Error(),
			}}
		}
		labels = read.Labels
	}
	return readiness.Seen(readiness.Door{
		Paused: config.Spec.Paused, Terminating: !config.DeletionTimestamp.IsZero(),
		Allowed: config.Allows(namespace, labels),
	}, a.clock.Now())
}

// machines counts the Machines that are placed in a cluster, by the supervisor's cache.
func (a *Assessor) machines(ctx context.Context, config string) readiness.Fact[int64] {
	placed := &vitistackv1alpha1.MachineList{}
	err := a.options.Supervisor.List(ctx, placed, client.MatchingFields{clientmgr.IndexConfig: config},
		client.UnsafeDisableDeepCopy)
	if err != nil {
		return readiness.Fact[int64]{Missing: &readiness.Missing{
			Reason: readiness.ReasonSilent, Message: "counting the Machines of " + config + ": " + err.Error(),
		}}
	}
	return readiness.Seen(int64(meta.LenList(placed)), a.clock.Now())
}
