// Package scale measures what clusters and Machines cost the operator: a process of it, against a
// real supervisor, and remote clusters that are real or stand-ins.
//
//	world, err := scale.Start(ctx, scale.Options{Clusters: 100, Operator: "bin/operator"})
//	defer world.Stop()
//	cell, err := world.Measure(ctx, 1000) // then 5000: Machines stay
//
// A World has one number of clusters. Measure brings its Machines to a number and takes all figures
// at that size, one after the other. Package figures has what they mean, and prints them.
//
// Open measure.go first: it is the list of what is measured. world.go has the clusters, operator.go
// the process, follow.go what is seen of Machines and their virtual machines.
package scale
