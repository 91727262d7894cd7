package removal

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/provision"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// GiveUpAddresses deletes a Machine's NetworkConfigurations and lets them go. Their addresses are
// free only now that no guest uses them.
func GiveUpAddresses(
	ctx context.Context, supervisor side.Supervisor, machine *vitistackv1alpha1.Machine, options desired.Options,
) error {
	at := problem.At{Condition: vitistackv1alpha1.ConditionNetworkReady, Doing: "deleting the NetworkConfigurations"}
	configurations, err := provision.ConfigurationsOf(ctx, supervisor.Cache, machine, "")
	if err != nil {
		return problem.Supervisor(err, at)
	}
	for i := range configurations {
		nc := &configurations[i]
		if !desired.OwnsNetworkConfiguration(machine, nc, options) {
			continue
		}
		if err := provision.Unhold(ctx, supervisor.Writer, nc); err != nil {
			return problem.Supervisor(err, at)
		}
		if !nc.DeletionTimestamp.IsZero() {
			continue
		}
		uid := nc.UID
		err := client.IgnoreNotFound(supervisor.Writer.Delete(ctx, nc, client.Preconditions{UID: &uid}))
		if err != nil {
			return problem.Supervisor(err, at)
		}
	}
	return nil
}
