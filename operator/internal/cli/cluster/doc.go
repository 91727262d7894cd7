// Package cluster has what kubectl machine does with remote clusters: add, check, list, rotate and
// remove.
//
//	root.AddCommand(cluster.Command())
//
// Begin with add.go, whose steps are the longest; look.go is what it must know before it changes
// anything, and credential.go what the operator comes in with.
//
// # Guarantees
//
// add refuses before its first write, and takes back what it made where a later step fails. What it
// makes in a remote cluster are the objects of api/rbac/remote, the same as those of
// deploy/remote: the operator is tested with exactly these rights. Nothing of a credential is
// printed.
//
// # The credential
//
// It is a token of the operator's service account that is bound to a Secret of its own. Such a
// token ends when its Secret is deleted, wherever copies of it are, so that rotate and remove end
// it for certain; and it ends by itself in a year. Nobody renews it: the operator may write no
// Secret of the supervisor. A server that grants less than a month is therefore told of, and
// --permanent makes a token that ends with its Secret alone.
package cluster
