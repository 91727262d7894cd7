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
//	decision, trace, err := host.Chain().Place(ctx, request)
//
// What the host guarantees: a plugin gets no environment, no credential and no open file of the
// operator; it runs only from a directory that others cannot write, and only with the pinned
// content; each call ends by its deadline; a crash, a hang, garbage or a flood of one plugin leaves
// the others, the operator and other Machines as they were; a call to a plugin that is not there is
// an [Unavailable] error, which the chain turns into the answer that the entry's policy asks for;
// no plugin outlives its host, however the host ends. Exec'd plugins share the operator's user, so
// this contains mistakes, not malice.
package plugin
