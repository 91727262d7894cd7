package app

import (
	"context"
	"errors"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/compatibility"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/startup"
)

// configStatus is what the writer of the KubevirtConfigs' status works with.
type configStatus struct {
	supervisor client.Client
	remotes    clientmgr.RemoteClusters
	startUp    *startup.Lines
	options    Options
}

// add lets mgr run the writer, where this process is the one that writes, and empty clusters and roll
// changes out.
func (c configStatus) add(mgr ctrl.Manager) error {
	if !c.options.WriteConfigStatus {
		return nil
	}
	machines, err := allMachines(mgr, c.options)
	if err != nil {
		return fmt.Errorf("cache of all machines: %w", err)
	}
	schemas, err := compatibility.New()
	if err != nil {
		return err
	}
	reconciler := clusterstatus.NewReconciler(c.supervisor, c.remotes, clusterstatus.Options{
		ConfigsNamespace:        c.options.Machine.ConfigsNamespace,
		AllowUnverifiedIdentity: c.options.Machine.AllowUnverifiedIdentity,
		Machines:                machines,
		Live:                    mgr.GetAPIReader(),
		Schemas:                 schemas,
		StartUp:                 c.startUp,
		LookInterval:            c.options.LookInterval,
		Serves:                  c.options.part.share.Serves,
		Events:                  mgr.GetEventRecorder("kubevirt-operator"),
	})
	if err := reconciler.SetupWithManager(mgr); err != nil {
		return fmt.Errorf("config controller: %w", err)
	}
	mgr = onlyFirst{Manager: mgr, share: c.options.part.share}
	return errors.Join(addEvacuations(mgr, c.supervisor, machines, c.options),
		addRollouts(mgr, c.supervisor, machines, c.options))
}

// allMachines is the manager's cache, or where that selects some Machines, one of all of them,
// without what does not matter here.
func allMachines(mgr ctrl.Manager, options Options) (cache.Cache, error) {
	if options.WatchSelector.Empty() {
		return mgr.GetCache(), nil
	}
	all, err := cache.New(mgr.GetConfig(), cache.Options{
		Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(), HTTPClient: mgr.GetHTTPClient(),
		DefaultTransform: onlyOutline,
	})
	if err != nil {
		return nil, err
	}
	err = all.IndexField(context.Background(), &vitistackv1alpha1.Machine{}, clientmgr.IndexConfig, clientmgr.ByConfig)
	if err != nil {
		return nil, err
	}
	return all, mgr.Add(all)
}

// onlyOutline drops from a Machine what it does not need to be counted, to be moved away, or to be in a
// rollout: how large it is and asks to be, and its conditions without their words.
func onlyOutline(object any) (any, error) {
	if each, isMachine := object.(*vitistackv1alpha1.Machine); isMachine {
		spec, status := each.Spec, each.Status
		each.Spec = vitistackv1alpha1.MachineSpec{
			Disks: spec.Disks, MachineClass: spec.MachineClass, InstanceType: spec.InstanceType, CPU: spec.CPU,
			Memory: spec.Memory, Provider: spec.Provider,
			ProviderConfig: vitistackv1alpha1.CloudProviderConfig{Name: spec.ProviderConfig.Name},
		}
		each.Status = vitistackv1alpha1.MachineStatus{CPUs: status.CPUs, Memory: status.Memory, Conditions: status.Conditions}
		each.ManagedFields = nil
		for i := range each.Status.Conditions {
			each.Status.Conditions[i].Message = ""
		}
	}
	return object, nil
}
