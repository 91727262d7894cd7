// Package evacuation empties clusters: for each Machine that an Evacuation chooses it makes a
// MachineMove, a few at a time.
//
//	controller := evacuation.New(supervisor, evacuation.Options{Machines: cache, Server: apiReader})
//	err := controller.SetupWithManager(mgr)
//
// Open decide.go first: it is pure, and decides from the Machines and the MachineMoves which ones may
// begin and what the status says. controller.go gathers what it decides on and does what it says;
// watches.go says what wakes it; gate.go holds moves back that were refused at first and could begin
// all at once.
//
// # Guarantees
//
// A Machine gets one MachineMove of an Evacuation: its name follows from the UIDs of both, so that
// neither a crash nor a stale cache makes a second one.
//
// Nothing is remembered but in the MachineMoves. A process that was killed goes on where it was.
//
// No more moves are under way than spec.maxInFlight: before a MachineMove is made, the ones that
// there are are read past the cache.
//
// Without an Evacuation there is one watch of Evacuations, one of MachineMoves, and nothing else.
package evacuation
