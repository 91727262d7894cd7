package evacuation

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Gate holds moves back that an Evacuation made and that did not begin at once. Many of them may have
// been refused for one cause, and all of them could begin in the moment in which that is mended. The
// zero value with a Reader works; its methods are safe for concurrent use.
type Gate struct {
	// Reader reads MachineMoves and Evacuations from the cache.
	Reader client.Reader

	mu     sync.Mutex
	locked map[types.UID]map[types.UID]bool // moves that were let through and may not show it yet
}

// Pass says whether a move may begin now; held says what it waits for, "" where it may. A move that
// belongs to no Evacuation, or has begun, may. It is asked before anything is written for a move.
func (g *Gate) Pass(ctx context.Context, move *vitistackv1alpha1.MachineMove) (held string, err error) {
	uid := types.UID(move.Labels[vitistackv1alpha1.LabelEvacuation])
	if uid == "" || begun(move) {
		return "", nil
	}
	evacuation, err := g.evacuation(ctx, uid)
	switch {
	case err != nil:
		return "", err
	case evacuation == nil:
		return "its Evacuation is gone: delete this MachineMove, and make another one if it is still wanted", nil
	case evacuation.Spec.Paused:
		return fmt.Sprintf("Evacuation %s is paused", evacuation.Name), nil
	}
	moves := &vitistackv1alpha1.MachineMoveList{}
	err = g.Reader.List(ctx, moves, client.UnsafeDisableDeepCopy,
		client.MatchingLabels{vitistackv1alpha1.LabelEvacuation: string(uid)})
	if err != nil {
		return "", fmt.Errorf("listing the MachineMoves of Evacuation %s: %w", evacuation.Name, err)
	}
	if !g.room(move.UID, evacuation, moves.Items) {
		return fmt.Sprintf("Evacuation %s has as many moves under way as its spec.maxInFlight allows", evacuation.Name), nil
	}
	return "", nil
}

// room takes a place for a move where there is one.
func (g *Gate) room(
	move types.UID, evacuation *vitistackv1alpha1.Evacuation, moves []vitistackv1alpha1.MachineMove,
) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	let := g.locked[evacuation.UID]
	taken := map[types.UID]bool{}
	for i := range moves {
		each := &moves[i]
		if !each.Status.Phase.Over() && (begun(each) || let[each.UID]) {
			taken[each.UID] = true
		}
	}
	most := int(cmp.Or(evacuation.Spec.MaxInFlight, defaultMaxInFlight))
	free := taken[move] || len(taken) < most
	if free {
		taken[move] = true
	}
	if g.locked == nil {
		g.locked = map[types.UID]map[types.UID]bool{}
	}
	g.locked[evacuation.UID] = taken // what is over is forgotten with it
	return free
}

// Leave gives the place back of a move that was let through and did not begin after all.
func (g *Gate) Leave(move *vitistackv1alpha1.MachineMove) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.locked[types.UID(move.Labels[vitistackv1alpha1.LabelEvacuation])], move.UID)
}

func (g *Gate) evacuation(ctx context.Context, uid types.UID) (*vitistackv1alpha1.Evacuation, error) {
	all := &vitistackv1alpha1.EvacuationList{}
	if err := g.Reader.List(ctx, all, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing Evacuations: %w", err)
	}
	for i := range all.Items {
		if all.Items[i].UID == uid {
			return &all.Items[i], nil
		}
	}
	return nil, nil
}
