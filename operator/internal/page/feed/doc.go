// Package feed turns the supervisor's caches into rows, and what changes in them into batches of
// changed rows, for those who listen.
//
//	live := feed.New(mgr.GetCache(), feed.Options{})
//	listener, err := live.Listen(ctx)
//	defer listener.Close()
//	show(listener.First())
//	for batch := range listener.Batches() { change(batch) }
//
// While nobody listens there is no handler on an informer, no goroutine, no row and no timer. The
// first listener brings them, the last one takes them away: see run.go. All listeners share the
// rows.
//
// The history of what was seen lives as long as somebody listens. What happened before is read from
// the times that conditions carry, each one's last transition, so that it is true after a restart
// as well and nothing has to be kept.
//
// A listener that does not take its batches is dropped: it has to begin anew, and nobody waits for
// it. There are at most Options.MaxListeners.
package feed
