// Package brake holds what would end many guests at once until a person says so: deletions of
// Machines, and changes that stop guests or need a restart.
//
//	b := brake.New(brake.Options{Rule: brake.DefaultRule, Cache: cache, Book: book})
//	verdict, err := b.Ask(ctx, brake.Question{Kind: brake.Deletion, Machine: machine, Config: config})
//
// Open decide.go first: it is pure, and says from counts whether one may go, has to wait a moment, or
// is held. brake.go answers; counted.go keeps the counts, from what was let go and from what the
// supervisor's cache shows; tally.go reads that cache; consent.go reads what people have let go;
// book.go writes down what must outlive the process. keeps.go remembers the VirtualMachines that a
// person kept for the next Machine of a name.
//
// # Guarantees
//
// While nobody consents, no more are let go within Rule.Window than Rule.Number, or Rule.Percent of
// the Machines of a scope, whichever is more: of a cluster, of a namespace, of the fleet.
//
// A deletion that is alone is neither held nor delayed.
//
// Who is held stays held until a person lets go. The Machine's own status is the record of that, so
// that it outlives the process; what was let go is written into a ConfigMap before anything is
// deleted.
//
// No lock is held during a call. At rest there is no call, no goroutine, no timer and nothing in
// memory for a Machine.
package brake
