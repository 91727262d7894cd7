// Package gobench runs Go benchmarks of other modules and makes rows of what they report. What a
// process holds or does inside cannot be seen from outside it, and testkit knows the API alone: the
// benchmarks stand beside the code that they measure.
//
//	rows, err := gobench.Heap(ctx, gobench.Source{Dir: ".", Progress: os.Stderr})
package gobench
