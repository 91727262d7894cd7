package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
)

// nobodyLeads returns an error while an operator holds a lease in any namespace: that operator
// would undo what release does. named are names of leases beside the default one.
func nobodyLeads(ctx context.Context, supervisor client.Client, named []string) error {
	leases := &coordinationv1.LeaseList{}
	if err := supervisor.List(ctx, leases); err != nil {
		return fmt.Errorf("looking for a running operator: %w", err)
	}
	names := append([]string{app.DefaultLeaderElectionID}, named...)
	for i := range leases.Items {
		lease := &leases.Items[i]
		if isOperators(lease, names) && isHeld(lease, time.Now()) {
			return fmt.Errorf("%s leads by lease %s/%s: stop the operator first",
				*lease.Spec.HolderIdentity, lease.Namespace, lease.Name)
		}
	}
	return nil
}

// isOperators reports whether a lease is an operator's: by the labels that this release gives it,
// by its name, or by its holder, a pod of the Deployment of deploy/supervisor, whatever is put
// before its name. Leases of earlier releases have no label, and each deployment with a
// --watch-selector has a name of its own.
func isOperators(lease *coordinationv1.Lease, names []string) bool {
	if labels.SelectorFromSet(app.LeaseLabels()).Matches(labels.Set(lease.Labels)) || slices.Contains(names, lease.Name) {
		return true
	}
	holder := lease.Spec.HolderIdentity
	return holder != nil && strings.Contains(*holder, "kubevirt-operator")
}

// isHeld reports whether somebody holds a lease. Who is killed keeps it until it ends.
func isHeld(lease *coordinationv1.Lease, now time.Time) bool {
	spec := lease.Spec
	if spec.HolderIdentity == nil || *spec.HolderIdentity == "" {
		return false
	}
	return spec.RenewTime != nil && spec.LeaseDurationSeconds != nil &&
		now.Sub(spec.RenewTime.Time) < time.Duration(*spec.LeaseDurationSeconds)*time.Second
}
