// Package reach is how a command of a person's reaches the supervisor and, through it or beside it,
// a remote cluster.
//
//	var way reach.Flags
//	way.Add(cmd.Flags())
//	supervisor, err := way.Open(ctx)
//	remote, err := supervisor.Remote(ctx, config)
//
// Unlike a session of the operator's own commands it needs no cache and no leadership, and every
// read is live. A command uses the rights of who calls it. What it may not read is told as what is
// missing, in the server's own words.
//
// # Guarantees
//
// The kubeconfig in a KubevirtConfig's Secret is read as the operator reads it, and refused for the
// same reasons: nothing in it can start a program on the computer of the person who looks.
package reach
