// Package multicluster offers the connections of a clientmgr.KubevirtClientManager as a Provider of
// sigs.k8s.io/multicluster-runtime, so that controllers written for that run on the clusters that
// KubevirtConfigs describe.
//
//	provider := multicluster.New(clusters, multicluster.Options{})
//	manager, err := mcmanager.New(supervisor, provider, mcmanager.Options{})
//	...
//	err = manager.GetLocalManager().Add(clusters)
//
// What it guarantees:
//
//   - A cluster is engaged when it is connected and its caches have synced, so that engaging waits
//     for nothing. One that hangs delays no other.
//   - It stays engaged through loss of contact and rotated credentials: reads then fail with the
//     client manager's typed errors, and watches go on where they were. It is disengaged when its
//     connection is dropped: its KubevirtConfig or Secret is gone, another cluster answers, its
//     data was restored.
//   - Only a name without a KubevirtConfig is ErrClusterNotFound, which multicluster-runtime does
//     not try again.
//   - A cluster that could not be engaged is tried again with back-off. Each index is added to each
//     cluster once; what no cluster could ever have is refused at once.
//   - Informers are shared: a controller that ends removes its handlers and nothing else.
package multicluster
