// Package timed measures the operator's times against a bare loop that makes the same calls, in
// turn, in one run. Times on a shared machine are noise; the ratio of two that were taken one after
// the other is less so. The bare loop is measured against itself as well: where that ratio is far
// from 1, the machine was too busy for the others to mean anything.
//
//	b, err := timed.New(ctx, stage, timed.Sizes{Machines: 300, Pairs: 7, Changes: 60})
//	rows, err := b.Creation(ctx)
//
// Virtual machines are objects and nothing else here: New freezes KubeVirt.
package timed
