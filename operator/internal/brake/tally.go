package brake

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// tally is what the supervisor's cache showed at one moment.
type tally struct {
	at     time.Time
	totals map[Scope]int // placed Machines
	// going are the Machines that are being deleted and whose VirtualMachine nobody has begun to delete:
	// neither confirmed, nor kept, nor paused.
	going map[types.NamespacedName]seen
	// leaving are all that are being deleted.
	leaving map[types.UID]struct{}
}

// seen is one of the going.
type seen struct {
	uid    types.UID
	config string
	held   time.Time // since when its deletion is held, zero for not
}

// tallyAge is for how long a tally is good enough. What was let go is counted exactly; a tally only
// tells what else is on its way.
const tallyAge = 250 * time.Millisecond

// tally reads the cache.
func (b *Brake) tally(ctx context.Context, now time.Time) (*tally, error) {
	list := &vitistackv1alpha1.MachineList{}
	if err := b.options.Cache.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	t := &tally{at: now, totals: map[Scope]int{}, going: map[types.NamespacedName]seen{},
		leaving: map[types.UID]struct{}{}}
	consent := b.consent(ctx, Deletion, now)
	for i := range list.Items {
		machine := &list.Items[i]
		config := PlacedIn(machine)
		if config == "" {
			continue
		}
		for _, scope := range scopes(config, machine.Namespace) {
			t.totals[scope]++
		}
		if machine.DeletionTimestamp.IsZero() {
			continue
		}
		t.leaving[machine.UID] = struct{}{}
		if !asks(machine) {
			continue
		}
		if given, _ := consent.of(ctx, machine, config); !given {
			t.going[client.ObjectKeyFromObject(machine)] = seen{uid: machine.UID, config: config, held: heldSince(machine)}
		}
	}
	return t, nil
}

// asks reports whether a Machine that is being deleted will ask, or has asked, and nothing was done.
func asks(machine *vitistackv1alpha1.Machine) bool {
	return controllerutil.ContainsFinalizer(machine, vitistackv1alpha1.FinalizerMachine) && !Begun(machine) &&
		!Kept(machine) && !IsReleased(machine) && machine.Annotations[vitistackv1alpha1.AnnotationPaused] != "true"
}

// Begun reports whether the deletion of a Machine's VirtualMachine was begun: its disks were written
// down.
func Begun(machine *vitistackv1alpha1.Machine) bool {
	_, begun := machine.Annotations[vitistackv1alpha1.AnnotationPlacementDisks]
	return begun
}

// Kept reports whether a person wants the VirtualMachine of a Machine that is being deleted: the
// Machine says so, or its spec was changed after its deletion was held.
func Kept(machine *vitistackv1alpha1.Machine) bool {
	if machine.Annotations[vitistackv1alpha1.AnnotationKeepVM] == "true" {
		return true
	}
	held := machine.Status.Condition(vitistackv1alpha1.ConditionDeletionHeld)
	return IsHeld(machine) && held.ObservedGeneration > 0 && machine.Generation > held.ObservedGeneration
}

// IsHeld reports whether a Machine's status says that its deletion is held.
func IsHeld(machine *vitistackv1alpha1.Machine) bool { return !heldSince(machine).IsZero() }

// IsReleased reports whether a Machine's status says that its deletion was held and let go: the word of
// a person counts also where its time is over before the cluster has answered.
func IsReleased(machine *vitistackv1alpha1.Machine) bool {
	held := machine.Status.Condition(vitistackv1alpha1.ConditionDeletionHeld)
	return held != nil && held.Status == "False"
}

// heldSince is since when the status says so, zero for not.
func heldSince(machine *vitistackv1alpha1.Machine) time.Time {
	for i := range machine.Status.Conditions {
		c := &machine.Status.Conditions[i]
		if c.Type == vitistackv1alpha1.ConditionDeletionHeld && c.Status == "True" {
			return c.LastTransitionTime.Time
		}
	}
	return time.Time{}
}

// PlacedIn is the KubevirtConfig of a Machine's cluster, "" where it has no place.
func PlacedIn(machine *vitistackv1alpha1.Machine) string {
	if machine.Status.KubevirtConfigRef != nil {
		return machine.Status.KubevirtConfigRef.Name
	}
	ledger, err := vitistackv1alpha1.LedgerOf(machine)
	if err != nil {
		return ""
	}
	return ledger.Config
}

// scopes are those that a Machine is in.
func scopes(config, namespace string) []Scope {
	return []Scope{{Of: Cluster, Name: config}, {Of: Namespace, Name: namespace}, {Of: Fleet}}
}
