// Command pictures draws the rows of a bench as SVG:
//
//	pictures bench.json docs/bench
//
// Each picture has the rows of one kind: a bar for the value, a dot for each turn, a line for the
// bound. It is a module of its own, because a plotting library would drag the dependencies of the
// workspace; it knows the JSON of package testkit/bench/report and nothing else of it.
package main
