// Package faults is a proxy that stands in front of one kube-apiserver and can be told, while it
// runs, to misbehave in the ways that networks and API servers do.
//
//	proxy, err := faults.Start(faults.Options{
//		Target: "127.0.0.1:6443", TargetCA: "ca.crt", ServingCert: "apiserver.crt", ServingKey: "apiserver.key",
//	})
//	...
//	fault, err := faults.ParseFault("latency=2s", "write")
//	err = proxy.Set(fault)       // what was there before ends
//	err = proxy.Set(faults.Fault{}) // back to pass
//
// # Faults
//
// One fault is on at a time; each acts within a scope.
//
//	pass            nothing; connections that come in now are passed through untouched
//	blackhole       nothing is answered, and what is connected falls silent
//	reset           connections (requests) are reset
//	refuse          nothing listens; what is connected is cut; the port stays reserved
//	latency=2s      the round trip takes this much longer; throughput stays as it is
//	errors=0.3      this share of requests is answered 500
//	unauthorized    requests are answered 401
//	stall           watches, open and new, stay open and silent
//	cut             open watches end once; pass from then on
//
//	all             the whole connection, or every request where the fault answers requests
//	dial            the start of new connections; those that are there live on
//	list            GET without watch, which is every read
//	watch           GET with watch=true
//	write           POST, PUT, PATCH, DELETE
//
// refuse knows all and dial; errors and unauthorized know all, list, watch and write; stall and cut
// know all and watch, which is the same. ParseFault refuses everything else.
//
// On a connection (all, dial) a black hole is a partition that heals: when it ends, what both ends
// sent meanwhile arrives, also a write whose caller has long given up. On a request (list, watch,
// write) it swallows: the request never reaches the server and is never answered, not even
// afterwards: a caller without a deadline, as a reflector is when it opens a watch, hangs for good.
// A response or a watch already under way is withheld, and goes on when the fault ends, as it does
// with stall.
//
// # Pass-through and termination
//
// Connections are passed through, TLS end to end, while no fault needs to see requests. errors,
// unauthorized, stall and the scopes list, watch and write do: Set then ends the passed-through
// connections cleanly (FIN), so that clients come back, and terminates TLS on new ones with the API
// server's own certificate. Terminated connections live on when such a fault ends. cut on a
// passed-through connection can only end the whole connection, with whatever call is in flight on
// it.
//
// Options.Terminate terminates from the first byte. Only so does a stall hit streams that are
// already open, and cut end watches (by a clean end of stream) and nothing else. A client-go
// reflector takes an end within the first second without an event for an error and lists again, so
// let a watch be older than that before it is cut.
//
// A terminated request reaches the API server with the same identity: bearer tokens travel as they
// are; the user of a client certificate, verified against Options.ClientCA, travels in front-proxy
// headers (X-Remote-User and so on, as in the API server's usual --requestheader flags). Such
// headers that a client sends are stripped. A certificate that does not verify is answered 401
// unless the request has a token too, as the API server does. The files are read anew at each
// handshake and each verification; while one is half written, its last good content counts.
//
// # Guarantees
//
// When Set returns, the fault acts on every byte and request that comes after. Close ends
// everything and waits for it. A target that is down looks like a reset, because the proxy's own
// port listens; Set(refuse) makes it look as without a proxy.
package faults
