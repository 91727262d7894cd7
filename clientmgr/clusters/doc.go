// Package clusters keeps one connection to each of many Kubernetes clusters.
//
// It knows names and kubeconfigs, and nothing of where they come from: a source calls Put and
// Remove. Package secrets is one, for Secrets with a label; package clientmgr is another, for
// KubevirtConfigs.
//
//	kinds := map[client.Object]cache.ByObject{&corev1.Pod{}: {}}
//	manager, err := clusters.New(clusters.Options{Kinds: kinds})
//	...
//	manager.Put("east", clusters.Wish{Kubeconfig: file})
//	east, err := manager.Get("east")
//	err = east.Client().List(ctx, pods)
//
// What it guarantees:
//
//   - A look-up never dials and never waits: it answers with a Cluster, or with a *ConnectionError
//     that says why there is none and since when.
//   - One cluster has one goroutine of its own. A cluster that hangs, refuses or lies delays no other
//     one.
//   - A Cluster is handed out only after every declared kind has synced on this connection, and its
//     reads fail with a typed error as soon as the connection is not to be trusted. Silence is never
//     reported as NotFound.
//   - A rotated token, client certificate, CA or address is taken over in place: watches go on,
//     nothing is listed again.
//   - A name that begins to lead to another cluster is stopped, not followed, until the Wish accepts
//     the new identity.
//   - A kubeconfig is untrusted input: what would run a program, read a file or skip TLS is refused,
//     by field name.
//
// Nothing of a kubeconfig's credentials or addresses enters an error, a log line, a metric or a
// State.
//
// The order in which to read: options.go, manager.go and get.go (what you call), errors.go and
// state.go (what you get), cluster.go (how one cluster is served).
package clusters
