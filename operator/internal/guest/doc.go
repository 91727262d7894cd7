// Package guest restarts, pauses and resumes the guests of Machines, through the subresources that
// KubeVirt has for that.
//
//	restart := guest.Restart{Token: token, Record: record, Recorded: found}.Decide(seen, now)
//	err := guest.Call{Config: "cluster-east", Namespace: "team-a", Name: "vm-web", Verb: guest.VerbRestart}.
//		Ask(ctx, clusters)
//
// Open restart.go and pause.go first: they are pure, and decide from the Machine's record and a live
// look at the VirtualMachine and its instance what to do next. ask.go has the one call.
//
// # Guarantees
//
// What is asked for is recorded in the Machine before. A restart that is done is never asked for
// again. One that may have been asked for is asked for again only where the same instance is still
// there, is not about to stop, and every call of before has ended: see [AskAgain]. Only an instance
// whose UID is in the record is resumed.
package guest
