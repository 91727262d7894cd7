// Package chaos looks for a violation of what the operator promises: it plays random schedules of
// what people, clusters, networks and processes do to a fleet, while the observer watches all
// clusters from outside.
//
//	schedule := chaos.Generate(seed, time.Minute)
//	arena, err := chaos.Open(ctx, chaos.Options{Operator: "bin/operator", …})
//	result, err := arena.Run(ctx, schedule)
//
// A schedule is plain data and follows from its seed alone. It can be printed, stored, played again,
// and shrunk: [Shrink] leaves steps out as long as what is left still fails.
//
// A run plays the steps, then ends every fault, and does what the operator's conditions ask people
// for. All Machines must then become what their specs ask for within a minute. In the end the run
// deletes them all, and nothing of them may be left in any cluster.
//
// Open schedule.go first, then kinds.go, the list of all kinds of steps. The kinds are in the files
// step_*.go, each with what ends it. arena.go is what outlives a run, world.go what belongs to one,
// run.go the order of a run, person.go what people do when they are asked to.
//
// Only the goroutine of Run touches a world; the keeper of the operator's processes and the person
// have their own, and share what is guarded. A step that cannot be done because the world is as bad
// as it is, for example a creation while the supervisor is down, is noted and left out. Whether a
// fault is hit at exactly the same moment in a second run is up to the machine: a schedule can be
// played again, the interleaving of processes cannot.
package chaos
