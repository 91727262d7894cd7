package timed

import (
	"context"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/bench/report"
)

// The rows of Creation.
const (
	RowBare     = "bare-loop-against-itself"
	RowCreation = "creation"
)

// Creation times how long it takes from the first Machine until all VirtualMachines exist. The bare
// loop runs twice a turn: what it differs from itself by is what the machine's noise does. One turn
// more comes first and is not counted: processes that were idle since they started are slow for
// some seconds, the one that has more code the longer.
func (b *Bench) Creation(ctx context.Context) ([]report.Row, error) {
	b.Say("\n%d Machines over %d clusters, 1 + %d turns of bare loop, operator, bare loop:",
		b.Machines, Involved, b.Pairs)
	var first, second, operator []time.Duration
	for range 1 + b.Pairs {
		for _, arm := range []struct {
			times *[]time.Duration
			maker maker
		}{{&first, b.bareLoop}, {&operator, nil}, {&second, b.bareLoop}} {
			took, err := b.round(ctx, round{
				clusters: Involved, awaited: Involved, maker: arm.maker, trouble: trouble{begin: none, end: none},
			})
			if err != nil {
				return nil, err
			}
			*arm.times = append(*arm.times, took)
		}
		b.Say("  %5.2f s  %5.2f s  %5.2f s", last(first), last(operator), last(second))
	}
	first, second, operator = first[1:], second[1:], operator[1:]
	return []report.Row{
		report.Noise(RowBare, 1.05, ratios(first, second)).Noted("%d Machines over %d clusters", b.Machines, Involved),
		report.Median(RowCreation, report.Ratio, 1.15, ratios(operator, means(first, second))).
			Noted("%d Machines over %d clusters, until all virtual machines exist", b.Machines, Involved),
	}, nil
}
