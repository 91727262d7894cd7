// Package soak lets the operator work for a long time with many Machines that come, change and go,
// while something breaks each minute, and judges whether its process keeps its size.
//
//	result, err := soak.Run(ctx, soak.Options{Operator: "bin/operator", Time: 30 * time.Minute, Progress: os.Stderr})
//	err = result.Report.Text(os.Stdout) // heap-growth 1.012 1.1 PASS
//
// # How it judges
//
// Samples are compared at equal load alone: as many Machines as ever, and nothing broken for a
// moment. For each size of the process there are two rows. GROWTH is the middle of the last third of
// the samples over that of the first third: it finds what came at once. DRIFT is how much the size
// grew for certain from the first sample to the last, in percent: the slope of Theil and Sen at the
// lower end of its confidence interval. It finds what leaks slowly, and is near 0 where a size only
// goes up and down.
//
// Begin with run.go; judge.go and slope.go are pure.
package soak
