package clusters

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// EventHandler maps what happens in the remote clusters to reconcile requests. Its functions run on
// goroutines of the Source that they were given to; they may read caches but should not do I/O.
type EventHandler struct {
	// Object maps a remote object that was added, changed or deleted (then it is the last known
	// state). Updates that changed nothing (equal resourceVersions) are left out; a changed object is
	// mapped before and after. The object is shared: it must not be mutated. nil means that objects
	// wake nobody.
	Object func(ctx context.Context, cluster string, object client.Object) []reconcile.Request
	// State is called when a cluster's State has changed, connects and disconnects included; several
	// changes may come as one call. It is called once more after Remove, when Manager.State does not
	// find the cluster. A nil State asks for none of this.
	State func(ctx context.Context, cluster string) []reconcile.Request
	// Backlog is called after State, at the same events, for requests that can wait: they get a low
	// priority, as the objects that a cluster has when it connects do, and equal ones that come within
	// a moment (200 ms) come once. Queues without priorities take them like all others. nil asks for
	// none of this.
	Backlog func(ctx context.Context, cluster string) []reconcile.Request
}
