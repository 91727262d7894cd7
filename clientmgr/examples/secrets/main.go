// Command secrets counts the ConfigMaps of many clusters. A cluster is a Secret with a label and a
// kubeconfig; the clusters come, go and change while it runs.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/secrets"
)

func main() {
	ctrl.SetLogger(zap.New())
	if err := run(ctrl.SetupSignalHandler()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	config, err := ctrl.GetConfig() // of the cluster that has the Secrets
	if err != nil {
		return err
	}
	which := secrets.Options{Namespace: "fleet"}
	home, err := ctrl.NewManager(config, ctrl.Options{
		Cache:   cache.Options{ByObject: secrets.Cache(which)},
		Metrics: metricsserver.Options{BindAddress: "0"},
	})
	if err != nil {
		return err
	}
	fleet, err := clusters.New(clusters.Options{Kinds: map[client.Object]cache.ByObject{&corev1.ConfigMap{}: {}}})
	if err != nil {
		return err
	}
	print := manager.RunnableFunc(func(ctx context.Context) error { return report(ctx, fleet) })
	for _, runs := range []manager.Runnable{fleet, secrets.New(home.GetCache(), fleet, which), print} {
		if err := home.Add(runs); err != nil {
			return err
		}
	}
	return home.Start(ctx)
}

// report prints a line a cluster each second.
func report(ctx context.Context, fleet *clusters.Manager) error {
	for ctx.Err() == nil {
		for _, state := range fleet.States() {
			cluster, err := fleet.Get(state.Config)
			if err != nil {
				fmt.Fprintln(os.Stdout, err) // it names the cluster, and what to do
				continue
			}
			found := &corev1.ConfigMapList{}
			err = cluster.Client().List(ctx, found) // from the cache
			fmt.Fprintln(os.Stdout, state.Config, len(found.Items), err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil
}
