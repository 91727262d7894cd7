// Package counts measures how often the operator asks API servers, by their own audit logs. Counts
// do not depend on how busy the machine is.
//
//	b := &counts.Bench{Stage: s, Sizes: counts.Sizes{Machines: 30, Rest: time.Minute}}
//	rows, err := b.Writes(ctx)
//
// The stage needs four remotes and audit logs. Guests run. Each measurement has a namespace of its
// own, and calls are told apart by it; what is for no Machine, as the probe of a cluster, has none.
package counts
