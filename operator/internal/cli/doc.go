// Package cli is the command line: the operator with its sub-commands, and kubectl machine, which
// is the same program under the name kubectl-machine.
//
//	root := cli.Program(os.Args[0])
//	err := root.ExecuteContext(ctx)
//	os.Exit(exit.Report(root.ErrOrStderr(), root.DisplayName(), err))
//
// Begin with commands.go, the list of the operator's, and plugin.go, that of kubectl machine. What
// the two have in common is here: it needs the placement plugins or all clusters at once, and opens
// a session (session.go), which connects as the operator does, with package app's options and
// manager, but leads nothing. The rest is in rooms of its own: cluster, status, render, report;
// reach is how these get into a cluster, exit what they end with.
//
// # Guarantees
//
// explain, replay, and orphans without --yes change nothing. Orphans are deleted in the same steps
// and under the same checks as what a Machine leaves behind, and release takes off no finalizer but
// the operator's own.
package cli
