// Package placement is the contract between the operator, which must choose one remote cluster for
// each Machine, and the strategies that know how to choose.
//
// A [Strategy] gets a [Request] (the Machine, every candidate cluster and what is known about each)
// and gives one of four answers: a [Decision] that names a cluster, the empty Decision (no
// opinion), a [Hold] (not now, ask again) or a [Refusal] (stop, a person must act). Any other error
// is a failure of the strategy, not an answer. A [Chain] asks strategies in order and takes the
// first decision:
//
//	chain := placement.Chain{{Strategy: placement.Explicit{}}}
//	decision, trace, err := chain.Place(ctx, placement.Given(request))
//
// Everything here is pure: no I/O, no clock, no log, no mutated argument; equal requests get equal
// answers. The package imports the standard library alone, so that a strategy never depends on
// Kubernetes. All types are safe for concurrent use as long as no goroutine changes them.
//
// The packages below speak this contract: plugin runs strategies as processes of their own,
// placementtest is the conformance suite that every strategy passes.
package placement
