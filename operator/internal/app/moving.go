package app

import (
	"errors"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/evacuation"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/metrics"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/move"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/removal"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
)

// moving lets mgr move Machines between clusters, and look after what moves leave behind.
func moving(
	mgr ctrl.Manager, supervisor client.Client, machines *machine.MachineReconciler, times *metrics.Moves,
	options Options,
) error {
	if served, err := servedBy(mgr, "MachineMove"); err != nil || !served {
		mgr.GetLogger().Info("No Machine can be moved: the definition is not installed", "crd", "MachineMove")
		return err
	}
	server, told := side.SupervisorServer{Reader: mgr.GetAPIReader()}, mgr.GetEventRecorder("kubevirt-operator")
	warden := &removal.Warden{
		Book:     machines.Payer().Book,
		Clusters: machines.KubevirtClientMgr, Server: server, Events: told,
		SupervisorUID: options.Machine.Desired.SupervisorUID,
	}
	machines.Payer().Buried = warden.Remember
	gate := &evacuation.Gate{Reader: mgr.GetCache()}
	mover := &move.Reconciler{
		Supervisor: supervisor, Live: mgr.GetAPIReader(), Clusters: machines.KubevirtClientMgr, Targets: machines,
		Warden: warden, Payer: machines.Payer(), Events: told, Selector: options.WatchSelector,
		Owns: options.part.share.Owns,
		Turn: gate.Pass, Left: gate.Leave, Ended: times.Ended, Options: options.Machine.Desired, Clock: clock.RealClock{},
	}
	return errors.Join(warden.SetupWithManager(mgr), mover.SetupWithManager(mgr))
}
