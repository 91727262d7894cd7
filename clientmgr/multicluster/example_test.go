package multicluster_test

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	mcbuilder "sigs.k8s.io/multicluster-runtime/pkg/builder"
	mcmanager "sigs.k8s.io/multicluster-runtime/pkg/manager"
	mcreconcile "sigs.k8s.io/multicluster-runtime/pkg/reconcile"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
	multicluster "github.com/vitistack/kubevirt-multicluster/clientmgr/multicluster"
)

// A controller of the Pods of all clusters.
func ExampleNew() {
	local, err := ctrl.NewManager(ctrl.GetConfigOrDie(), ctrl.Options{
		Cache: cache.Options{ByObject: clientmgr.SupervisorCache(true, "kubevirt-configs")},
	})
	if err != nil {
		return
	}
	remotes, err := clientmgr.NewKubevirtClientManager(local.GetClient(), local.GetCache(), clientmgr.Options{
		ConfigsNamespace: "kubevirt-configs",
		Options:          clusters.Options{Kinds: map[client.Object]cache.ByObject{&corev1.Pod{}: {}}},
	})
	if err != nil {
		return
	}
	if err := local.Add(remotes); err != nil {
		return
	}
	manager, err := mcmanager.WithMultiCluster(local, multicluster.New(remotes, multicluster.Options{}))
	if err != nil {
		return
	}
	err = mcbuilder.ControllerManagedBy(manager).Named("pods").For(&corev1.Pod{}).Complete(mcreconcile.Func(
		func(ctx context.Context, request mcreconcile.Request) (ctrl.Result, error) {
			cluster, err := manager.GetCluster(ctx, request.ClusterName)
			if err != nil {
				return ctrl.Result{}, err // not connected now: tried again
			}
			return ctrl.Result{}, cluster.GetClient().Get(ctx, request.NamespacedName, &corev1.Pod{})
		}))
	if err != nil {
		return
	}
	_ = manager.Start(ctrl.SetupSignalHandler())
}
