// Package plugin runs placement strategies as processes of their own, over go-plugin and gRPC.
//
// A plugin author writes
//
//	func main() { plugin.Serve(zone.Strategy{}) }
//
// and the operator
//
//	host := plugin.NewHost(plugin.Options{Dir: "/plugins", Entries: entries, Logger: logger})
//	if err := host.Start(ctx); err != nil { ... } // the entries make no sense
//	defer host.Close()
//	decision, trace, err := host.Place(ctx, placement.Given(request))
//
// What the host guarantees: a plugin gets no environment, no credential and no open file of the
// operator; it runs only from a directory that others cannot write, and only with the pinned
// content; each call ends by its deadline; a crash, a hang, garbage or a flood of one plugin leaves
// the others, the operator and other Machines as they were; a call to a plugin that is not there is
// an [Unavailable] error, which the chain turns into the answer that the entry's policy asks for;
// no plugin outlives its host, however the host ends. Exec'd plugins share the operator's user, so
// this contains mistakes, not malice.
//
// # How it works
//
// Open host.go first: a [Host] has one keeper (keeper.go) for each entry. Each keeper has one
// goroutine, which brings its plugin up (launch.go for an executable, dial.go for a side-car),
// watches it, and starts it again with back-off. The state that a call sees is behind the keeper's
// own lock, and no lock is held during I/O. All processes are started by one locked thread
// (spawner.go), because the kernel kills a child when the thread that started it ends.
//
// # What was traded away
//
// A plugin is a process, so a decision costs some tenths of a millisecond and 12 MB of memory. In
// return a crash or a hang stays inside it. The process is killed before go-plugin's own Kill is
// called: no plugin gets the time that Kill would give.
package plugin
