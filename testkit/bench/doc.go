// Package bench prints the numbers that the operator has to hold, row by row, all measured in one
// run. Its list of measurements is in the order in which they are told; packages counts, timed and
// gobench measure, stage is what they measure on, and report has the rows.
//
//	run, err := bench.Run(ctx, bench.Options{Operator: "bin/operator", Source: ".", Progress: os.Stderr})
//
// Measurements that need the same fleet follow each other on it. One that fails does not keep the
// others from being made; its error is returned at the end, beside all rows that there are.
package bench
