package counts

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/stage"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// Remotes is how many remote clusters the stage needs. The third is cut off and the fourth refuses
// virtual machines where trouble is measured.
const Remotes = 4

// settled is how long nothing is asked about a namespace that has come to rest.
const settled = 10 * time.Second

// Sizes say how much is measured.
type Sizes struct {
	// Machines are created where each of them counts.
	Machines int
	// Rest is how long Machines at rest are looked at, and Failing those in trouble.
	Rest, Failing time.Duration
}

// Bench measures on one stage, one thing at a time.
type Bench struct {
	*stage.Stage
	Sizes
}

// run creates Machines that run in the first cluster, one after the other, and waits until all of
// them do and nothing is asked about them any more. One Machine more comes first, which makes what a
// namespace needs once; since is when it had that.
func (b *Bench) run(ctx context.Context, namespace string, count int) (since time.Time, err error) {
	if err := b.MakeNamespaces(ctx, namespace); err != nil {
		return since, err
	}
	config := b.Fleet.Remotes[0].Name
	if err := b.Admin.Create(ctx, stage.NewRunning(namespace, "first", config)); err != nil {
		return since, err
	}
	if err := b.UntilPhase(ctx, namespace, 1, vitistackv1alpha1.MachinePhaseRunning); err != nil {
		return since, err
	}
	if err := b.settle(ctx, namespace); err != nil {
		return since, err
	}
	since = time.Now()
	for i := range count {
		if err := b.Admin.Create(ctx, stage.NewRunning(namespace, name(i), config)); err != nil {
			return since, err
		}
		if err := b.UntilPhase(ctx, namespace, i+2, vitistackv1alpha1.MachinePhaseRunning); err != nil {
			return since, err
		}
	}
	return since, b.settle(ctx, namespace)
}

// name is a Machine's.
func name(i int) string { return fmt.Sprintf("m%03d", i) }

// settle waits until nothing has been asked about a namespace for a while.
func (b *Bench) settle(ctx context.Context, namespace string) error {
	last, since := -1, time.Now()
	return b.UntilWithin(ctx, stage.Patience, func(context.Context) error {
		calls, err := b.CallsEverywhere(audit.Filter{Namespace: namespace})
		if err != nil {
			return err
		}
		if len(calls) != last {
			last, since = len(calls), time.Now()
		}
		if time.Since(since) < settled {
			return fmt.Errorf("%d calls, and Machines do not come to rest", last)
		}
		return nil
	})
}

// writes are the operator's to one cluster in a namespace.
func writes(cluster *fleet.Cluster, namespace string, since time.Time) ([]audit.Call, error) {
	return stage.Calls(cluster, audit.Filter{Namespace: namespace, Since: since, Writes: true})
}

// of returns the calls that have a name in their path, and those that have none of the names.
func of(calls []audit.Call, names []string) (named map[string]int, others int) {
	named = map[string]int{}
	for _, call := range calls {
		whose := slices.IndexFunc(names, func(name string) bool { return strings.Contains(call.Name, name) })
		if whose < 0 {
			others++
			continue
		}
		named[names[whose]]++
	}
	return named, others
}

// looksAt are the operator's reads in a cluster that are about one Machine: by the name of its
// virtual machine or by the label with its UID.
func looksAt(cluster *fleet.Cluster, machine *vitistackv1alpha1.Machine) ([]audit.Call, error) {
	calls, err := stage.Calls(cluster, audit.Filter{Namespace: machine.Namespace})
	return slices.DeleteFunc(calls, func(call audit.Call) bool {
		return call.Writes() || call.Name != "vm-"+machine.Name && !strings.Contains(call.URI, string(machine.UID))
	}), err
}
