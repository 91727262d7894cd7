// Package rollout restarts and resizes many Machines, a few at a time, as a MachineRollout asks for
// it. It sets annotations of Machines; package machine does to the guests what they ask for.
//
//	controller := rollout.New(supervisor, rollout.Options{Machines: cache, Server: apiReader})
//	err := controller.SetupWithManager(mgr)
//
// Open decide.go first: it is pure, and decides from the Machines and the other MachineRollouts which
// Machines may begin, which are done, and what the status says. fate.go judges one Machine, choice.go
// says which ones are meant, size.go whether one differs from its class. controller.go gathers what is
// decided on and writes the status, ask.go asks the Machines, watches.go says what wakes it.
//
// # Guarantees
//
// A Machine stands in status.inFlight before anything is done to it, by a write that fails where the
// status is not the one that was decided on. So neither a stale cache, nor a process that dies, nor a
// second one that leads lets more Machines begin than spec.maxUnavailable allows.
//
// A Machine that is not healthy is never begun: it counts as unavailable instead. Nothing is known of
// a guest whose cluster is silent, and a guest that is broken already would never prove that what was
// done to it is harmless.
//
// A Machine leaves status.inFlight when its record says that its guest was restarted for this rollout,
// and it is healthy. Before it is asked it is read past the cache, and asked in the version that was
// read.
//
// Without a MachineRollout that is not over there is one watch of MachineRollouts, and nothing else.
//
// # Which Machines
//
//   - One that was created after the rollout is not part of it, and neither is one that is being
//     deleted.
//   - One that is being moved to another cluster waits until it has arrived.
//   - One with vitistack.io/paused is left out until that is taken off. So is one whose class cannot
//     give a size, and one whose class another controller writes.
//   - One that is switched off has no guest to restart: it is done at once.
//   - One that an older rollout is for, or that is under way in any other, waits until that is over.
package rollout
