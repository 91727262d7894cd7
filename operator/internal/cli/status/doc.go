// Package status shows people their Machines: one on one screen, all in a table, or in one line
// where it is; and starts and stops them.
//
//	root.AddCommand(status.Commands()...)
//
// Begin with gather.go, which reads both sides of one Machine; tree.go draws what was read. The two
// are apart so that a test of what people see needs no cluster.
//
// # Guarantees
//
// Only start and stop write, and they write spec.runStrategy of the Machine and nothing else: the
// operator does the rest. A side that cannot be read is told with the server's words, never left
// out in silence.
package status
