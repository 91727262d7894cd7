// Package clientmgr hands out clients for the remote clusters that KubevirtConfigs describe.
//
// A process creates one KubevirtClientManager from the client and the cache of its supervisor
// cluster, starts it, and then asks it by name:
//
//	options := clientmgr.Options{ConfigsNamespace: "kubevirt-configs"}
//	manager, err := clientmgr.NewKubevirtClientManager(supervisor, supervisorCache, options)
//	...
//	remote, err := manager.GetClientForConfig(ctx, "cluster-east")
//
// What it guarantees:
//
//   - A look-up never dials and never waits: it answers with a client, or with a *ConnectionError
//     that says why there is none and since when.
//   - One cluster has one goroutine of its own. A cluster that hangs, refuses or lies delays no
//     other one.
//   - A client is handed out only after every declared kind has synced on this connection, and its
//     reads fail with a typed error as soon as the connection is not to be trusted. Silence is
//     never reported as NotFound.
//   - A rotated token, client certificate, CA or address is taken over in place: watches go on,
//     nothing is listed again.
//   - A KubevirtConfig that begins to point at another cluster is stopped, not followed, until a
//     person accepts the new identity.
//   - A kubeconfig is untrusted input: what would run a program, read a file or skip TLS is
//     refused, by field name.
//
// Nothing of a Secret enters an error, a log line, a metric or a State.
//
// Tests use MockClientManager.
package clientmgr
