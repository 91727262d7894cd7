package removal

import (
	"context"
	"errors"

	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/provision"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// DeleteSupervisorPVCs deletes the Machine's PVCs in the supervisor, where early layouts kept
// disks. It needs a right that only the flag --legacy-supervisor-claims asks for.
func DeleteSupervisorPVCs(
	ctx context.Context, supervisor side.Supervisor, machine *vitistackv1alpha1.Machine, options desired.Options,
) error {
	at := problem.At{Condition: ready, Doing: "deleting PVCs in the supervisor"}
	all := desired.Labels(machine, options)
	labels := client.MatchingLabels{
		vitistackv1alpha1.LabelMachineUID:    all[vitistackv1alpha1.LabelMachineUID],
		vitistackv1alpha1.LabelSupervisorUID: all[vitistackv1alpha1.LabelSupervisorUID],
	}
	pvcs := provision.MetadataOf(claim)
	if err := supervisor.Server.List(ctx, pvcs, client.InNamespace(machine.Namespace), labels); err != nil {
		return problem.Supervisor(err, at)
	}
	var failed []error
	for i := range pvcs.Items {
		uid := pvcs.Items[i].UID
		failed = append(failed, client.IgnoreNotFound(supervisor.Writer.Delete(ctx, &pvcs.Items[i],
			client.Preconditions{UID: &uid})))
	}
	return problem.Supervisor(errors.Join(failed...), at)
}
