package machine

import (
	"context"
	"slices"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/move"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/placement"
)

// Allowed says why a cluster takes no Machine from elsewhere, nil where it does.
func (r *MachineReconciler) Allowed(
	ctx context.Context, machine *vitistackv1alpha1.Machine, config string,
) error {
	configs, err := r.configs(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(configs, func(c vitistackv1alpha1.KubevirtConfig) bool { return c.Name == config }) {
		return problem.Person(vitistackv1alpha1.ConditionPlaced, vitistackv1alpha1.ReasonConfigNotFound,
			"KubevirtConfig %s not found", config)
	}
	return r.closed(ctx, configs, config, machine.Namespace)
}

// Target implements move.Targets: the cluster that is asked for, if it takes the guest and the guest
// can run there; for "" the one that the strategies choose among those, or else the one that it fits
// best.
func (r *MachineReconciler) Target(ctx context.Context, guest move.Guest, to string) (string, error) {
	if to != "" {
		return to, r.mayGo(ctx, guest, to)
	}
	configs, err := r.configs(ctx)
	if err != nil {
		return "", err
	}
	var open []vitistackv1alpha1.KubevirtConfig
	for _, config := range configs {
		state, _ := r.KubevirtClientMgr.State(config.Name)
		if state.ClusterUID != guest.Ledger.ClusterUID && r.mayGo(ctx, guest, config.Name) == nil {
			open = append(open, config)
		}
	}
	if len(open) == 0 {
		return "", problem.Person(vitistackv1alpha1.ConditionPlaced, vitistackv1alpha1.ReasonNoTarget,
			"no cluster is ready for the Machine")
	}
	return r.prefer(ctx, guest, open)
}

// mayGo says why a guest cannot go to a cluster, nil where it can.
func (r *MachineReconciler) mayGo(ctx context.Context, guest move.Guest, config string) error {
	const placed = vitistackv1alpha1.ConditionPlaced
	if err := r.Allowed(ctx, guest.Machine, config); err != nil {
		return err
	}
	state, _ := r.KubevirtClientMgr.State(config)
	switch {
	case state.ClusterUID != "" && state.ClusterUID == guest.Ledger.ClusterUID:
		return problem.Person(placed, vitistackv1alpha1.ReasonSameCluster,
			"KubevirtConfig %s leads to the cluster in which the Machine is; name another one", config)
	case !state.Ready():
		return problem.Cluster(placed, vitistackv1alpha1.ReasonTargetSilent, "%s gives no answer: %s", config, state.Message)
	case !isVerified(state):
		return problem.Cluster(placed, vitistackv1alpha1.ReasonIdentityUnverified,
			"the identity of %s is not known: the UID of its namespace kube-system could not be read", config)
	}
	return nil
}

// prefer asks the strategies about some clusters, as if the Machine had no place and named none.
func (r *MachineReconciler) prefer(
	ctx context.Context, guest move.Guest, open []vitistackv1alpha1.KubevirtConfig,
) (string, error) {
	bare := unrecorded(guest.Machine, vitistackv1alpha1.ParsePlacementTrace(
		guest.Machine.Annotations[vitistackv1alpha1.AnnotationPlacementTrace]))
	delete(bare.Annotations, vitistackv1alpha1.AnnotationKubevirtConfig)
	bare.Spec.KubevirtConfigRef = nil
	known := &facts{r: r, machine: bare, vmName: guest.Ledger.VMName, request: r.request(bare, open)}
	if !slices.ContainsFunc(open, func(c vitistackv1alpha1.KubevirtConfig) bool { return c.Name == known.request.Default }) {
		known.request.Default = ""
	}
	chosen, _, err := r.placer.Place(ctx, known.gather)
	isOpen := func(c vitistackv1alpha1.KubevirtConfig) bool { return c.Name == chosen.Config }
	if _, held := placement.AsHold(err); held {
		return "", answer(err)
	}
	if err == nil && slices.ContainsFunc(open, isOpen) {
		return chosen.Config, nil
	}
	return open[0].Name, nil // no strategy has an opinion on these: the best one
}
