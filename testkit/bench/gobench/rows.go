package gobench

import (
	"context"

	"github.com/vitistack/kubevirt-multicluster/testkit/bench/report"
)

// The rows of this package.
const (
	RowPair       = "heap-cached-pair"
	RowConnection = "heap-idle-connection"
	RowPlacement  = "placement-p50"
	RowGoroutines = "leaked-goroutines"
	RowTransports = "leaked-transports"
	RowFiles      = "leaked-files"
	RowHeap       = "leaked-heap"
)

// Heap measures what the operator's caches hold of a VirtualMachine and its instance with three
// interfaces, and what a connection holds that caches nothing.
func Heap(ctx context.Context, s Source) ([]report.Row, error) {
	figure := func(pattern, name, unit string) (float64, error) {
		results, err := s.Run(ctx, Benchmark{Package: "operator/internal/app", Pattern: pattern, Time: "1x"})
		if err != nil {
			return 0, err
		}
		return of(results, name, unit)
	}
	pair, err := figure("^BenchmarkCachedPair$/^three_interfaces$", "BenchmarkCachedPair/three_interfaces", "KiB/pair")
	if err != nil {
		return nil, err
	}
	// A pattern of two parts prints nothing of a benchmark that has no parts.
	connection, err := figure("^BenchmarkIdleConnection$", "BenchmarkIdleConnection", "KiB/connection")
	if err != nil {
		return nil, err
	}
	return []report.Row{
		report.Median(RowPair, report.KiB, 6, []float64{pair}).
			Noted("a VirtualMachine and its instance with three interfaces, of 10,000"),
		report.Median(RowConnection, report.KiB, 150, []float64{connection}).
			Noted("a connected cluster without Machines, of 40"),
	}, nil
}

// Placement measures one question to the four default strategies, each a process of its own, with
// 50 candidates whose facts are there.
func Placement(ctx context.Context, s Source) ([]report.Row, error) {
	results, err := s.Run(ctx, Benchmark{
		Package: "placement-plugins", Pattern: "^BenchmarkChain$/^Exec$/^50$", Time: "2000x",
	})
	if err != nil {
		return nil, err
	}
	p50, err := of(results, "BenchmarkChain/Exec/50", "p50-µs")
	if err != nil {
		return nil, err
	}
	return []report.Row{report.Median(RowPlacement, report.Millis, 1.5, []float64{p50 / 1000}).
		Noted("four plugins, 50 candidates, p50 of 2,000")}, nil
}

// Leaks rotates credentials and reconnects a thousand times each, and measures what is left of
// that. The bounds are what noise explains; the tests of these names use the same.
func Leaks(ctx context.Context, s Source) (rows []report.Row, err error) {
	results, err := s.Run(ctx, Benchmark{
		Package: "clientmgr/integration", Pattern: "^BenchmarkLeft$/^(rotations|reconnects)$", Time: "1x",
	})
	if err != nil {
		return nil, err
	}
	for _, each := range []struct {
		row, unit string
		rowUnit   report.Unit
		bound     float64
	}{
		{RowGoroutines, "goroutines", report.Count, 10},
		{RowTransports, "transports", report.Count, 0},
		{RowFiles, "files", report.Count, 6},
		{RowHeap, "heap-KiB", report.KiB, 512},
	} {
		var samples []float64
		for _, what := range []string{"rotations", "reconnects"} {
			value, err := of(results, "BenchmarkLeft/"+what, each.unit)
			if err != nil {
				return nil, err
			}
			samples = append(samples, value)
		}
		rows = append(rows, report.Most(each.row, each.rowUnit, each.bound, samples).
			Noted("the more of 1,000 rotations and 1,000 reconnects"))
	}
	return rows, nil
}
