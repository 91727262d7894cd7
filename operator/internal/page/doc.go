// Package page serves the Fleet page: every cluster and every Machine, what is wrong with them and
// what changed last, to people whom the supervisor lets list them. It is read-only, and off unless
// it is given an address.
//
//	server, err := page.New(page.Options{Address: "127.0.0.1:8443", Gate: gate, Feed: feed})
//	err = mgr.Add(server)
//
// Open page.go first, then handlers.go for what is served to whom and stream.go for what is sent
// when. Who somebody is and what he may see is package access, what is shown package view, what
// changes package feed, and what this process measures package vitals. Package browser has the
// tests in a browser.
//
// # Guarantees
//
// No data without a verdict of the supervisor about the person who asks, and none beyond it: not
// the name of a Machine that he may not list. Verdicts count for a minute, also while a stream is
// open.
//
// Everything that a status says is untrusted text. The page's script only ever sets text, and its
// policy (CSP) admits no script, style, frame or address but its own.
//
// A person's token stays in this process: the browser gets the number of a session, in a cookie
// that scripts cannot read and other sites do not send.
//
// While nobody looks there is an open port, and nothing else: see package feed.
package page
