package clusterstatus

import (
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/orphan"
)

// vigil is what is remembered of the looks for orphans; one must be seen in two looks.
type vigil struct {
	next     time.Time
	suspects map[types.UID]struct{} // of the last look
	orphans  *[]string              // the verdict, as namespace/name, sorted; nil before there is one
}

// seekOrphans looks for virtual machines without a Machine, in caches alone. What it saw twice is
// believed once the API server itself has no Machine for it either.
func (p *pass) seekOrphans(ctx context.Context) {
	v := &p.record.vigil
	if left := v.next.Sub(p.now); left > 0 {
		p.wake(left)
		return
	}
	remote, err := p.remotes.GetClientForConfig(ctx, p.config.Name)
	if err != nil {
		return // its return is an event
	}
	vms := &kubevirtv1.VirtualMachineList{}
	if err := remote.List(ctx, vms, client.HasLabels{vitistackv1alpha1.LabelSupervisorUID}); err != nil {
		return
	}
	unclaimed, err := p.unclaimed(ctx, vms.Items)
	if err != nil {
		return
	}
	v.next = p.now.Add(p.options.LookInterval)
	p.wake(p.options.LookInterval)
	former := v.suspects
	v.suspects = map[types.UID]struct{}{}
	var ripe []kubevirtv1.VirtualMachine
	for _, each := range unclaimed {
		v.suspects[each.Object.UID] = struct{}{}
		if _, again := former[each.Object.UID]; again {
			ripe = append(ripe, each.Object)
		}
	}
	if len(v.suspects) > len(ripe) && len(ripe) == 0 && v.orphans == nil {
		return // there is no verdict before the second look
	}
	if v.orphans, err = p.confirm(ctx, ripe); err != nil {
		log.FromContext(ctx).Error(err, "Could not look for the Machines of orphans")
	}
}

// unclaimed are the virtual machines of the cluster to which no Machine in the cache lays claim. The
// Machines that are placed there are read first: most often they claim all, and the others, of
// which there may be a thousand times as many, need not be read.
func (p *pass) unclaimed(ctx context.Context, vms []kubevirtv1.VirtualMachine) ([]orphan.VM, error) {
	left, err := p.unclaimedBy(ctx, vms, client.MatchingFields{clientmgr.IndexConfig: p.config.Name})
	if err != nil || len(left) == 0 {
		return nil, err
	}
	vms = make([]kubevirtv1.VirtualMachine, len(left))
	for i := range left {
		vms[i] = left[i].Object
	}
	return p.unclaimedBy(ctx, vms)
}

// unclaimedBy are those to which none of some Machines lays claim.
func (p *pass) unclaimedBy(
	ctx context.Context, vms []kubevirtv1.VirtualMachine, which ...client.ListOption,
) ([]orphan.VM, error) {
	machines := &vitistackv1alpha1.MachineList{}
	if err := p.machines.List(ctx, machines, append(which, client.UnsafeDisableDeepCopy)...); err != nil {
		return nil, err
	}
	return orphan.ClaimsOf(pointers(machines.Items)).Without(p.config.Name, vms), nil
}

// confirm asks the API server itself for Machines, and returns the virtual machines that have none.
func (p *pass) confirm(ctx context.Context, ripe []kubevirtv1.VirtualMachine) (*[]string, error) {
	names := []string{}
	if len(ripe) == 0 {
		return &names, nil
	}
	machines, err := p.allMachines(ctx)
	if err != nil {
		return p.record.vigil.orphans, err
	}
	for _, each := range orphan.ClaimsOf(machines).Without(p.config.Name, ripe) {
		names = append(names, each.Name())
	}
	return &names, nil
}

func pointers[T any](items []T) []*T {
	all := make([]*T, len(items))
	for i := range items {
		all[i] = &items[i]
	}
	return all
}

// noOrphans is the condition of a verdict.
func noOrphans(orphans []string) metav1.Condition {
	if len(orphans) == 0 {
		return metav1.Condition{
			Type: vitistackv1alpha1.ConditionNoOrphans, Status: metav1.ConditionTrue,
			Reason: vitistackv1alpha1.ReasonNoOrphans, Message: "every virtual machine has its Machine",
		}
	}
	named, more := orphans[:min(maxNames, len(orphans))], ""
	if rest := len(orphans) - len(named); rest > 0 {
		more = fmt.Sprintf(" and %d more", rest)
	}
	return metav1.Condition{
		Type: vitistackv1alpha1.ConditionNoOrphans, Status: metav1.ConditionFalse,
		Reason: vitistackv1alpha1.ReasonOrphansFound,
		Message: fmt.Sprintf("without a Machine: %s%s; `operator orphans` lists and deletes them", strings.Join(named, ", "),
			more),
	}
}
