package app

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/classuse"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/metrics"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/rollout"
)

// addRollouts lets mgr carry MachineRollouts out, and count who uses a class. machines has all
// Machines. The supervisor may have only the public definitions, of which none is for rollouts: then
// classes alone are counted, until a start finds it.
func addRollouts(mgr ctrl.Manager, supervisor client.Client, machines cache.Cache, options Options) error {
	counter := classuse.New(supervisor, classuse.Options{
		Machines: machines, Ours: machine.IsOurs, Desired: options.Machine.Desired,
	})
	if err := counter.SetupWithManager(mgr); err != nil {
		return fmt.Errorf("counter of the use of classes: %w", err)
	}
	if served, err := servedBy(mgr, "MachineRollout"); err != nil || !served {
		mgr.GetLogger().Info("Nothing can be rolled out: the definition is not installed", "crd", "MachineRollout")
		return err
	}
	self, _, _ := strings.Cut(rest.DefaultKubernetesUserAgent(), "/")
	controller := rollout.New(supervisor, rollout.Options{
		Machines:  machines,
		Server:    mgr.GetAPIReader(),
		Namespace: options.Machine.ConfigsNamespace,
		Ours:      machine.IsOurs,
		Desired:   options.Machine.Desired,
		Self:      self,
		Events:    mgr.GetEventRecorder("kubevirt-operator"),
	})
	counted := metrics.NewRollouts(mgr.GetCache(), mgr.Elected())
	if err := errors.Join(controller.SetupWithManager(mgr), ctrlmetrics.Registry.Register(counted)); err != nil {
		return fmt.Errorf("rollout controller: %w", err)
	}
	return nil
}
