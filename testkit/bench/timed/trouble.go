package timed

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/bench/report"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// trouble is what is wrong with the last cluster in a round: begin starts it and end ends it.
type trouble struct {
	begin, end func(ctx context.Context) error
}

func none(context.Context) error { return nil }

// blackHoled cuts a cluster off: nothing that is sent to it is answered.
func blackHoled(victim *fleet.Cluster) trouble {
	return trouble{
		begin: func(context.Context) error { return victim.SetFault(faults.Fault{Kind: faults.Blackhole}) },
		end:   func(context.Context) error { return victim.SetFault(faults.Fault{Kind: faults.Pass}) },
	}
}

// refusing lets a cluster refuse every VirtualMachine.
func (b *Bench) refusing(victim client.Client) trouble {
	return trouble{
		begin: func(ctx context.Context) error { return b.Refuse(ctx, victim) },
		end:   func(ctx context.Context) error { return b.Accept(ctx, victim) },
	}
}

// The rows of Trouble.
const (
	RowHealthy    = "one-of-four-healthy-against-itself"
	RowBlackHoled = "one-of-four-black-holed"
	RowRefusing   = "one-of-four-refusing"
)

// Trouble times the creation of Machines with a share of them in a last cluster that works, is cut
// off, or refuses them: those of the other clusters must not be later for it. It measures the rows
// that are wanted. A turn begins and ends with the cluster that works: that is the noise.
func (b *Bench) Trouble(ctx context.Context, wanted func(row string) bool) (rows []report.Row, err error) {
	all := b.Machines * (Involved + 1) / Involved
	b.Say("\n%d Machines over %d clusters, until those of %d exist; %d turns of the last one: healthy, "+
		"black-holed, refusing, healthy:", all, Involved+1, Involved, b.Pairs)
	var first, second, cut, refused []time.Duration
	victim := b.Fleet.Remotes[Involved]
	healthy := trouble{begin: none, end: none}
	note := fmt.Sprintf("%d Machines over %d clusters, until those of %d exist", all, Involved+1, Involved)
	for range b.Pairs {
		for _, arm := range []struct {
			row     string
			times   *[]time.Duration
			trouble trouble
		}{
			{RowHealthy, &first, healthy},
			{RowBlackHoled, &cut, blackHoled(victim)},
			{RowRefusing, &refused, b.refusing(b.Lookers[Involved])},
			{RowHealthy, &second, healthy},
		} {
			if arm.row != RowHealthy && !wanted(arm.row) {
				continue
			}
			took, err := b.round(ctx, round{clusters: Involved + 1, awaited: Involved, trouble: arm.trouble})
			if err != nil {
				return rows, err
			}
			*arm.times = append(*arm.times, took)
			b.Say("  %-36s %5.2f s", arm.row, took.Seconds())
		}
		// Whole turns count also where the next one does not come to its end.
		rows = []report.Row{report.Noise(RowHealthy, 1.05, ratios(first, second)).Noted("%s", note)}
		for row, times := range map[string][]time.Duration{RowBlackHoled: cut, RowRefusing: refused} {
			if len(times) > 0 {
				rows = append(rows, report.Median(row, report.Ratio, 1.05, ratios(times, means(first, second))).Noted("%s", note))
			}
		}
	}
	slices.SortFunc(rows[1:], func(a, b report.Row) int { return strings.Compare(a.Name, b.Name) })
	return rows, nil
}
