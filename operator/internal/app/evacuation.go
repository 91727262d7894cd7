package app

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/evacuation"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/metrics"
)

// addEvacuations lets mgr empty clusters. machines has all Machines. The supervisor may have only the
// public definitions, of which none is for moves: then nothing is moved, until a start finds them.
func addEvacuations(mgr ctrl.Manager, supervisor client.Client, machines cache.Cache, options Options) error {
	for _, kind := range []string{"MachineMove", "Evacuation"} {
		if served, err := servedBy(mgr, kind); err != nil || !served {
			mgr.GetLogger().Info("No cluster can be emptied: the definition is not installed", "crd", kind)
			return err
		}
	}
	controller := evacuation.New(supervisor, evacuation.Options{
		Machines:  machines,
		Server:    mgr.GetAPIReader(),
		Namespace: options.Machine.ConfigsNamespace,
		Events:    mgr.GetEventRecorder("kubevirt-operator"),
	})
	if err := controller.SetupWithManager(mgr); err != nil {
		return fmt.Errorf("evacuation controller: %w", err)
	}
	return nil
}

// addMoveMetrics registers the metrics of moves. Where several processes share the Machines, the one
// that writes the configs' status counts, and the others time what they do.
func addMoveMetrics(mgr ctrl.Manager, options Options, known metrics.Known) (*metrics.Moves, error) {
	var counted client.Reader
	served, err := servedBy(mgr, "MachineMove")
	if err != nil {
		return nil, err
	}
	if served && options.WriteConfigStatus {
		counted = mgr.GetCache()
	}
	fleet := onlyFirst{Manager: mgr, share: options.part.share}
	moves := metrics.NewMoves(counted, fleet.Elected(), known, time.Now)
	return moves, ctrlmetrics.Registry.Register(moves)
}

// servedBy asks the supervisor whether one of our kinds is installed.
func servedBy(mgr ctrl.Manager, kind string) (bool, error) {
	own := vitistackv1alpha1.SchemeGroupVersion.WithKind(kind)
	_, err := mgr.GetRESTMapper().RESTMapping(own.GroupKind(), own.Version)
	if meta.IsNoMatchError(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for %s: %w", kind, err)
	}
	return true, nil
}
