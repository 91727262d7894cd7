package scale

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/scale/figures"
)

// Counts are what the operator has done since it was started, but for the calls, which are those
// since the clusters were.
type Counts struct {
	// Passes are looks at a Machine.
	Passes int
	// Goroutines are those that there are now.
	Goroutines int
	// Supervisor are the operator's calls about Machines and their NetworkConfigurations, watches apart.
	Supervisor int
	// Remote are those about virtual machines and disks in all stand-ins, watches apart.
	Remote int
}

// Grow creates Machines at once, and waits until all of them run and the operator has nothing to
// do.
func (w *World) Grow(ctx context.Context, machines int) error {
	return w.fill(ctx, &figures.Cell{}, machines)
}

// Restart kills the operator, starts it again, and waits until it has nothing to do.
func (w *World) Restart(ctx context.Context) error {
	if err := w.operator.kill(); err != nil {
		return err
	}
	if err := w.operator.start(); err != nil {
		return err
	}
	return w.operator.settle(ctx)
}

// Counts reads them. The World must have been started with Options.Audit.
func (w *World) Counts(ctx context.Context) (counts Counts, err error) {
	now, err := w.operator.read(ctx)
	if err != nil {
		return counts, err
	}
	counts.Passes, counts.Goroutines = int(now.passes), int(now.goroutines)
	for _, server := range w.servers.All() {
		for call, number := range server.Calls() {
			verb, plural, about := strings.Cut(call, " ")
			if about && verb != "watch" && (strings.HasPrefix(plural, "virtualmachine") || plural == "datavolumes" ||
				plural == "persistentvolumeclaims") {
				counts.Remote += number
			}
		}
	}
	for _, resource := range []string{"machines", "networkconfigurations"} {
		calls, err := audit.Read(filepath.Join(w.fleet.Dir(), fleet.Supervisor+".audit.log"), audit.Filter{
			User: fleet.OperatorUser, Resource: resource,
		})
		if err != nil {
			return counts, err
		}
		for _, call := range calls {
			if call.Verb != "watch" {
				counts.Supervisor++
			}
		}
	}
	return counts, nil
}
