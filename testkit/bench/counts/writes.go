package counts

import (
	"context"

	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/report"
)

// The rows of Writes.
const (
	RowSupervisorWrites = "supervisor-writes-a-machine"
	RowRemoteWrites     = "remote-writes-a-machine"
)

// Writes counts the writes for each Machine from its creation until it runs and rests, Events and
// leases apart. A write that carries no Machine's name counts for every one.
func (b *Bench) Writes(ctx context.Context) ([]report.Row, error) {
	const namespace = "writes"
	b.Say("\n%d Machines, from their creation until they run: writes", b.Machines)
	since, err := b.run(ctx, namespace, b.Machines)
	if err != nil {
		return nil, err
	}
	names := make([]string, b.Machines)
	for i := range names {
		names[i] = name(i)
	}
	inSupervisor, err := writes(b.Fleet.Supervisor, namespace, since)
	if err != nil {
		return nil, err
	}
	inRemote, err := writes(b.Fleet.Remotes[0], namespace, since)
	if err != nil {
		return nil, err
	}
	var rows []report.Row
	for _, each := range []struct {
		row   string
		bound float64
		calls []audit.Call
	}{{RowSupervisorWrites, 5, inSupervisor}, {RowRemoteWrites, 2, inRemote}} {
		named, others := of(each.calls, names)
		samples := make([]float64, len(names))
		for i, name := range names {
			samples[i] = float64(named[name] + others)
		}
		b.Say("%s", audit.By(each.calls, func(c audit.Call) string { return c.Verb + " " + c.Kind() }))
		rows = append(rows, report.Most(each.row, report.Calls, each.bound, samples).
			Noted("the most of %d Machines, one after the other, created to Running", b.Machines))
	}
	return rows, b.Clean(ctx, namespace, false)
}
