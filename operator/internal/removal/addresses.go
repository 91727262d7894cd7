package removal

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/provision"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// GiveUpAddresses deletes a Machine's NetworkConfigurations and lets them go. Their addresses are
// free only now that no guest uses them. The server is asked for them: after a restore of the
// supervisor the cache may have the Machine before it has these, and nobody would come back for them.
func GiveUpAddresses(
	ctx context.Context, supervisor side.Supervisor, machine *vitistackv1alpha1.Machine, options desired.Options,
) error {
	at := problem.At{Condition: vitistackv1alpha1.ConditionNetworkReady, Doing: "deleting the NetworkConfigurations"}
	configurations, err := provision.ConfigurationsOf(ctx, supervisor.Server, machine, "")
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

// KeepAddresses leaves a Machine's NetworkConfigurations, with the addresses of a guest that stays, for
// the next Machine of its name: they no longer belong to the Machine, so that they do not go with it,
// and nothing holds them where their namespace goes.
func KeepAddresses(
	ctx context.Context, supervisor side.Supervisor, machine *vitistackv1alpha1.Machine, options desired.Options,
) error {
	at := problem.At{Condition: vitistackv1alpha1.ConditionNetworkReady, Doing: "leaving the NetworkConfigurations"}
	configurations, err := provision.ConfigurationsOf(ctx, supervisor.Server, machine, "")
	if err != nil {
		return problem.Supervisor(err, at)
	}
	for i := range configurations {
		if !desired.OwnsNetworkConfiguration(machine, &configurations[i], options) {
			continue
		}
		left := configurations[i].DeepCopy()
		controllerutil.RemoveFinalizer(left, vitistackv1alpha1.FinalizerNetworkConfiguration)
		left.OwnerReferences = slices.DeleteFunc(left.OwnerReferences,
			func(owner metav1.OwnerReference) bool { return owner.UID == machine.UID })
		err := supervisor.Writer.Patch(ctx, left,
			client.MergeFromWithOptions(&configurations[i], client.MergeFromWithOptimisticLock{}))
		if client.IgnoreNotFound(err) != nil {
			return problem.Supervisor(err, at)
		}
	}
	return nil
}
