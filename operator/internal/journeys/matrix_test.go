package journeys

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// outageTime is how long a disturbance lasts: longer than a call's time-out.
const outageTime = 8 * time.Second

// disturbances are what happens in the middle of a move from east to west. Each ends what it began.
var disturbances = map[string]func() error{
	"Killed": func() error {
		if err := world.operator.Kill(); err != nil {
			return err
		}
		return world.operator.Start()
	},
	"SourceFrozen":     func() error { return frozen(world.clusters[east]) },
	"TargetFrozen":     func() error { return frozen(world.clusters[west]) },
	"SupervisorFrozen": func() error { return frozen(world.fleet.Supervisor) },
	"SourceCut":        func() error { return cut(world.clusters[east]) },
	"TargetCut":        func() error { return cut(world.clusters[west]) },
}

func frozen(cluster *fleet.Cluster) error {
	if err := cluster.Freeze(); err != nil {
		return err
	}
	time.Sleep(outageTime)
	return cluster.Thaw()
}

func cut(cluster *fleet.Cluster) error {
	if err := cluster.SetFault(faults.Fault{Kind: faults.Blackhole}); err != nil {
		return err
	}
	time.Sleep(outageTime)
	return cluster.SetFault(faults.Fault{})
}

// mostWrites is more than the operator writes for one move.
const mostWrites = 26

// disturb moves a Machine and disturbs that after a number of writes. It reports whether there were
// as many.
func disturb(t *testing.T, what string, after int) (reached bool) {
	g := arrive(t, east, fmt.Sprintf("moves-%s-%d", lower(what), after), nil)
	before := identityOf(g.vm(east))
	seen := newTail(t, g.key.Namespace)
	g.moveTo(west)
	for !reached {
		reached = seen.until(after, 100*time.Millisecond)
		if g.wish().Status.Phase.Over() {
			break
		}
	}
	if reached {
		if err := disturbances[what](); err != nil {
			t.Fatal(err)
		}
	}
	g.tells(vitistackv1alpha1.MovePhaseSucceeded, vitistackv1alpha1.ReasonMoved)
	g.runsIn(west)
	g.reads(west)
	g.gone(east)
	if after := identityOf(g.vm(west)); before.UUID != after.UUID || fmt.Sprint(before.MACs) != fmt.Sprint(after.MACs) {
		t.Errorf("another guest: %+v, before %+v", after, before)
	}
	if err := onlyItsOwn(t.Context(), g); err != nil {
		t.Error(err)
	}
	return reached
}

// onlyItsOwn says what the target has beyond what the guest needs.
func onlyItsOwn(ctx context.Context, g *traveller) error {
	for _, name := range []string{"Secret", "ConfigMap"} {
		if left := listed(ctx, west, g.key.Namespace, "v1", name); len(left) > 0 {
			for _, each := range left {
				if len(each) > 5 && each[:5] == "move-" {
					return fmt.Errorf("%s %s is left", name, each)
				}
			}
		}
	}
	return nil
}

func lower(name string) string {
	text := []byte(name)
	for i := range text {
		text[i] |= 0x20
	}
	return string(text)
}

// TestDisturbed disturbs some moves at some of their writes, TestLongDisturbed all at all of them.
func TestDisturbed(t *testing.T) {
	observe(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for what := range disturbances {
		t.Run(what, func(t *testing.T) { disturb(t, what, 1+random.IntN(14)) })
	}
}

// TestLongDisturbed is the whole matrix.
func TestLongDisturbed(t *testing.T) {
	observe(t)
	for what := range disturbances {
		for after := 1; after <= mostWrites; after++ {
			reached := false
			t.Run(fmt.Sprintf("%s/%d", what, after), func(t *testing.T) { reached = disturb(t, what, after) })
			if !reached {
				break
			}
		}
	}
}

// reasonOf is the reason of a MachineMove's Ready.
func reasonOf(move *vitistackv1alpha1.MachineMove) string {
	ready := meta.FindStatusCondition(move.Status.Conditions, vitistackv1alpha1.ConditionReady)
	if ready == nil {
		return ""
	}
	return ready.Reason
}
