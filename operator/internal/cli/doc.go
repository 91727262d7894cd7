// Package cli has the sub-commands of the operator: each does one thing for a person and ends.
//
//	root := app.Command()
//	root.AddCommand(cli.Commands()...)
//
// Begin with commands.go, the list of them. Those that need the remote clusters open a session
// (session.go), which connects as the operator does, with package app's options and manager, but
// leads nothing.
//
// # Guarantees
//
// explain, replay, and orphans without --yes change nothing. Orphans are deleted in the same steps
// and under the same checks as what a Machine leaves behind, and release takes off no finalizer but
// the operator's own.
package cli
