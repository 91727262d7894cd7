// Package follow shows how something goes on, until it is over or a person stops looking.
//
//	return follow.Follow(ctx, cmd.OutOrStdout(), view)
package follow
