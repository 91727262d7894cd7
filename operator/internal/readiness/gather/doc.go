// Package gather asks clusters for the facts that package readiness judges by.
//
//	gatherer := gather.New(remotes, gather.Options{})
//	facts := gatherer.All(ctx, targets, needs)
//
// It asks only when it is called, all clusters side by side and each for a bounded time. Each
// question stands alone: what is forbidden or not answered is one fact that is missing, with the
// right that it takes. What concerns a whole cluster or a namespace is remembered for half a minute
// (a refusal too, silence not), and asked once by many at the same time. Begin with gatherer.go.
//
// # Guarantees
//
// Nothing is written. Two questions are creations all the same: access reviews, which the server
// keeps nowhere, and the virtual machine itself with dryRun=All.
package gather
