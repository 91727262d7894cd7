package status

import (
	"context"
	"fmt"
	"io"

	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// Restart stops a Machine and, whatever comes, starts it again: spec.runStrategy is Halted until the
// guest has ended, for five minutes at most, and then what it was.
func Restart(ctx context.Context, out io.Writer, supervisor *reach.Supervisor, key client.ObjectKey) error {
	machine, err := reach.Machine(ctx, supervisor, key)
	if err != nil {
		return err
	}
	was := machine.Spec.RunStrategy
	switch was {
	case vitistackv1alpha1.RunStrategyHalted:
		return exit.No(fmt.Errorf("machine %s is stopped already: kubectl machine start %s", key, key))
	case "":
		was = vitistackv1alpha1.RunStrategyAlways // what the operator takes that for
	}
	stop := power{
		strategy: string(vitistackv1alpha1.RunStrategyHalted), phase: vitistackv1alpha1.MachinePhaseStopped, wait: true,
	}
	start := power{strategy: string(was), phase: vitistackv1alpha1.MachinePhaseRunning, wait: true}
	stopped := stop.set(ctx, out, supervisor, key)
	if ctx.Err() != nil { // nobody waits any more
		ctx, start.wait = context.WithoutCancel(ctx), false
	}
	if err := start.set(ctx, out, supervisor, key); err != nil {
		return err
	}
	return stopped
}
