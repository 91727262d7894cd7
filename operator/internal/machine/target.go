package machine

import (
	"context"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/move"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness"
	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
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
	const placed = vitistackv1alpha1.ConditionPlaced
	configs, err := r.configs(ctx)
	if err != nil {
		return "", err
	}
	if to != "" {
		configs = slices.DeleteFunc(configs, func(c vitistackv1alpha1.KubevirtConfig) bool { return c.Name != to })
	}
	if err := r.awake(ctx, configs); err != nil {
		return "", err
	}
	if to != "" {
		if err := r.mayGo(ctx, guest, to); err != nil {
			return "", err
		}
	} else {
		leaving := r.evacuated(ctx)
		configs = slices.DeleteFunc(configs, func(c vitistackv1alpha1.KubevirtConfig) bool {
			return slices.Contains(leaving, c.Name) || r.mayGo(ctx, guest, c.Name) != nil
		})
	}
	reports, err := r.wouldFit(ctx, guest, configs)
	if err != nil {
		return "", err
	}
	refuses := func(report readiness.Report) bool { return report.Verdict == readiness.No }
	ready := slices.DeleteFunc(slices.Clone(reports), refuses)
	switch {
	case to != "" && len(ready) == 0:
		return "", problem.Person(placed, vitistackv1alpha1.ReasonTargetNotReady, "the Machine cannot run in %s: %s", to,
			lacks(reports[0]))
	case to != "":
		return to, nil
	case len(ready) == 0:
		message := "no cluster is ready for the Machine"
		for _, report := range reports {
			message += "; " + report.Config + ": " + lacks(report)
		}
		return "", problem.Person(placed, vitistackv1alpha1.ReasonNoTarget, "%s", message)
	}
	open := make([]vitistackv1alpha1.KubevirtConfig, 0, len(ready)) // the best one first
	for _, report := range ready {
		i := slices.IndexFunc(configs, func(c vitistackv1alpha1.KubevirtConfig) bool { return c.Name == report.Config })
		open = append(open, configs[i])
	}
	return r.prefer(ctx, guest, open)
}

// evacuated are the KubevirtConfigs whose clusters are being emptied. Where the definition is not
// installed there are none.
func (r *MachineReconciler) evacuated(ctx context.Context) []string {
	var names []string
	list := &vitistackv1alpha1.EvacuationList{}
	if err := r.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return nil
	}
	for i := range list.Items {
		if list.Items[i].DeletionTimestamp.IsZero() && list.Items[i].Status.Phase != vitistackv1alpha1.EvacuationSucceeded {
			names = append(names, list.Items[i].Spec.Config)
		}
	}
	return names
}

// lacks is what a report says first against a cluster, and what helps.
func lacks(report readiness.Report) string {
	first, found := report.First()
	if !found {
		return ""
	}
	if first.Do == "" {
		return first.Message
	}
	return first.Message + "; " + first.Do
}

// wouldFit judges the clusters by the very virtual machine that the move would make there.
func (r *MachineReconciler) wouldFit(
	ctx context.Context, guest move.Guest, configs []vitistackv1alpha1.KubevirtConfig,
) ([]readiness.Report, error) {
	needs, err := r.assessor.Needs(ctx, guest.Machine)
	if err != nil {
		return nil, problem.Cluster(vitistackv1alpha1.ConditionPlaced, vitistackv1alpha1.ReasonRetrying, "%s", err.Error())
	}
	if needs.VM, err = guest.Sample(desired.Labels(guest.Machine, r.settings.Desired)); err != nil {
		return nil, problem.Pure(err, vitistackv1alpha1.ConditionPlaced)
	}
	reports := r.assessor.Judge(ctx, needs, r.assessor.Targets(ctx, guest.Machine, configs))
	readiness.Sort(reports)
	return reports, nil
}

// mayGo says why a guest cannot go to a cluster, whatever that has; nil where it may.
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
	isDefault := func(c vitistackv1alpha1.KubevirtConfig) bool { return c.Name == known.request.Default }
	if !slices.ContainsFunc(open, isDefault) {
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
