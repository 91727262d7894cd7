package machine

import (
	"context"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
)

// handOverTime is how long a record that another shard wrote may lack the status that confirms it.
// After that whoever wrote it is taken for dead.
const handOverTime = 2 * time.Second

// handovers remembers since when Machines have a record of another shard that no status confirms. The
// zero value is empty. It is safe for concurrent use.
type handovers struct {
	mu     sync.Mutex
	locked map[types.NamespacedName]time.Time
}

// since notes a Machine, and returns when it was noted first.
func (h *handovers) since(key types.NamespacedName, now time.Time) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.locked == nil {
		h.locked = map[types.NamespacedName]time.Time{}
	}
	if _, found := h.locked[key]; !found {
		h.locked[key] = now
	}
	return h.locked[key]
}

// forget forgets a Machine.
func (h *handovers) forget(key types.NamespacedName) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.locked, key)
}

// handedOver returns how long to wait for the status of a Machine that another shard has just placed in
// a cluster of this one: without it the record is a request, for which all clusters are looked into.
func (r *MachineReconciler) handedOver(machine *vitistackv1alpha1.Machine, now time.Time) time.Duration {
	if r.share == nil {
		return 0
	}
	key := client.ObjectKeyFromObject(machine)
	if r.read(machine).Standing != custody.Unconfirmed || !isHeld(machine) {
		r.memory.handovers.forget(key)
		return 0
	}
	return max(0, handOverTime-now.Sub(r.memory.handovers.since(key, now)))
}

// handOver ends the pass of a shard that has placed a Machine in a cluster of another one: its status
// confirms the record, and goes on there.
func (r *MachineReconciler) handOver(placed place) error {
	if r.share.Owns(placed.machine) {
		return nil
	}
	return problem.Time(vitistackv1alpha1.ConditionRemoteReachable, vitistackv1alpha1.ReasonConnecting,
		"the replica of the operator that looks after %s goes on with it", placed.ledger.Config)
}

// awakeTime is how long one cluster that is being connected to keeps a choice among all waiting.
const awakeTime = 5 * time.Second

// awake has those clusters connected that are only while they are needed, and says which are not there
// yet. What they become is an event.
func (r *MachineReconciler) awake(ctx context.Context, configs []vitistackv1alpha1.KubevirtConfig) error {
	if r.share == nil {
		return nil
	}
	var asleep []string
	for i := range configs {
		name := configs[i].Name
		if r.share.Serves(name) {
			continue
		}
		_, _ = r.KubevirtClientMgr.GetClientForConfig(ctx, name) // wakes it; what its State says counts
		state, _ := r.KubevirtClientMgr.State(name)
		connecting := state.Reason == clientmgr.ReasonConnecting || state.Reason == clientmgr.ReasonNotSynced
		if state.Reason == clientmgr.ReasonAsleep || connecting && r.clock.Since(state.Since) < awakeTime {
			asleep = append(asleep, name)
		}
	}
	if len(asleep) == 0 {
		return nil
	}
	return problem.Time(vitistackv1alpha1.ConditionPlaced, vitistackv1alpha1.ReasonConnecting,
		"clusters of other shards are being connected to, to choose among them: %s", strings.Join(asleep, ", "))
}
