package app

import (
	"context"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/compatibility"
)

// addConfigStatus adds the writer of the KubevirtConfigs' status, where this process is the one
// that writes it.
func addConfigStatus(mgr ctrl.Manager, supervisor client.Client, options Options, remotes clientmgr.RemoteClusters) error {
	if !options.WriteConfigStatus {
		return nil
	}
	machines, err := allMachines(mgr, options)
	if err != nil {
		return fmt.Errorf("cache of all machines: %w", err)
	}
	schemas, err := compatibility.New()
	if err != nil {
		return err
	}
	reconciler := clusterstatus.NewReconciler(supervisor, remotes, clusterstatus.Options{
		ConfigsNamespace:        options.Machine.ConfigsNamespace,
		AllowUnverifiedIdentity: options.Machine.AllowUnverifiedIdentity,
		Machines:                machines,
		Live:                    mgr.GetAPIReader(),
		Schemas:                 schemas,
		Events:                  mgr.GetEventRecorder("kubevirt-operator"),
	})
	if err := reconciler.SetupWithManager(mgr); err != nil {
		return fmt.Errorf("config controller: %w", err)
	}
	return nil
}

// allMachines is the manager's cache, or where that selects some Machines, one of all of them,
// without what does not matter here.
func allMachines(mgr ctrl.Manager, options Options) (cache.Cache, error) {
	if options.WatchSelector.Empty() {
		return mgr.GetCache(), nil
	}
	all, err := cache.New(mgr.GetConfig(), cache.Options{
		Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(), HTTPClient: mgr.GetHTTPClient(), DefaultTransform: onlyMetadata,
	})
	if err != nil {
		return nil, err
	}
	if err := all.IndexField(context.Background(), &vitistackv1alpha1.Machine{}, clientmgr.IndexConfig, clientmgr.ByConfig); err != nil {
		return nil, err
	}
	return all, mgr.Add(all)
}

// onlyMetadata drops from a Machine what it does not need to be counted.
func onlyMetadata(object any) (any, error) {
	if each, isMachine := object.(*vitistackv1alpha1.Machine); isMachine {
		each.Spec, each.Status, each.ManagedFields = vitistackv1alpha1.MachineSpec{}, vitistackv1alpha1.MachineStatus{}, nil
	}
	return object, nil
}
