// Command kubevirtconfigs prints the VirtualMachines of all clusters that KubevirtConfigs name,
// each time that one changes.
package main

import (
	"context"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
)

const namespace = "kubevirt-configs"

// vms is an empty VirtualMachine: without a type of its own, so that KubeVirt's API need not be
// built in.
func vms() *unstructured.Unstructured {
	vm := &unstructured.Unstructured{}
	vm.SetGroupVersionKind(schema.GroupVersionKind{Group: "kubevirt.io", Version: "v1", Kind: "VirtualMachine"})
	return vm
}

func main() {
	ctrl.SetLogger(zap.New())
	if err := run(ctrl.SetupSignalHandler()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, vitistackv1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	config, err := ctrl.GetConfig() // of the supervisor
	if err != nil {
		return err
	}
	supervisor, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:  scheme,
		Cache:   cache.Options{ByObject: clientmgr.SupervisorCache(true, namespace)},
		Metrics: metricsserver.Options{BindAddress: "0"},
	})
	if err != nil {
		return err
	}
	remotes, err := clientmgr.NewKubevirtClientManager(supervisor.GetClient(), supervisor.GetCache(), clientmgr.Options{
		ConfigsNamespace: namespace,
		Options:          clusters.Options{Kinds: map[client.Object]cache.ByObject{vms(): {}}},
	})
	if err != nil {
		return err
	}
	if err := supervisor.Add(remotes); err != nil {
		return err
	}
	source := remotes.Source(clientmgr.EventHandler{
		Object: func(_ context.Context, config string, vm client.Object) []reconcile.Request {
			fmt.Fprintln(os.Stdout, config, vm.GetNamespace(), vm.GetName(), vm.GetResourceVersion())
			return nil // a controller returns what is to be reconciled
		},
		State: func(_ context.Context, config string) []reconcile.Request {
			if state, found := remotes.State(config); found {
				fmt.Fprintln(os.Stdout, config, state.Phase, state.Message)
			}
			return nil
		},
	})
	err = ctrl.NewControllerManagedBy(supervisor).Named("print").WatchesRawSource(source).
		Complete(reconcile.Func(func(context.Context, reconcile.Request) (reconcile.Result, error) {
			return reconcile.Result{}, nil
		}))
	if err != nil {
		return err
	}
	return supervisor.Start(ctx)
}
