// Package clusterstatus tells people what is known of each remote cluster: it writes the status of
// KubevirtConfigs, keeps those that are in use from going, and has the metrics of them.
//
//	options := clusterstatus.Options{ConfigsNamespace: "kubevirt-configs"}
//	reconciler := clusterstatus.NewReconciler(mgr.GetClient(), remotes, options)
//	err := reconciler.SetupWithManager(mgr)
//
// What it guarantees:
//
//   - Status is a pure function. It is written where it says something new, never for a probe; a
//     count of Machines alone waits, so that many new Machines cost few writes.
//   - Everything is patched: what others have put into a status, and what this program does not
//     know of, stays.
//   - The identity of a cluster is recorded at first contact, and replaced by the one that a person
//     accepts and by no other.
//   - The finalizer goes after the API server itself has said that no Machine is placed in the
//     cluster.
//   - Nothing in it depends on whether KubevirtConfigs are namespaced.
package clusterstatus
