// Package move takes Machines from one cluster to another. It sees, lets the judge of package
// custody/moves decide, does the one thing that is to be done, and sees again; so that a process may
// end anywhere.
//
//	mover := move.NewReconciler(supervisor, clusters, …)
//	err := mover.SetupWithManager(mgr)
//
// begin.go is what comes before the first write, look.go what is seen, act.go what is done, status.go
// what people are told. Every read that a decision rests on is past the caches, and directly before
// each write in a remote cluster the Machine is read once more: a former leader stops there.
//
// While no Machine is moved nothing of this costs a call.
package move
