package moving

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/follow"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

func moveCommand() *cobra.Command {
	var of reach.Subject
	var w wish
	var live bool
	cmd := &cobra.Command{
		Use:   "move (NAME | NAMESPACE/NAME) [--to CLUSTER | --anywhere]",
		Short: "Move a Machine to another cluster: stop it, copy its disks, start it there",
		Long: "Move a Machine to another cluster: stop it, copy its disks, start it there. The operator does it, also when\n" +
			"this command has ended; --watch shows how far it is, now or later. Until the Machine is at the target,\n" +
			"--abort brings everything back to as it was. With --watch it ends with 0 where the Machine was moved, 1 where\n" +
			"it was not or a person must act first, and 3 where you stopped looking. Without, 0 means that it was asked for.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := w.check(); err != nil {
				return err
			}
			supervisor, key, err := of.Open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return w.run(cmd.Context(), supervisor, key, live, cmd.OutOrStdout())
		},
	}
	of.Add(cmd.Flags())
	flags := cmd.Flags()
	flags.StringVar(&w.to, "to", "", "the cluster that it goes to")
	flags.BoolVar(&w.anywhere, "anywhere", false, "to the cluster that it fits best, which the operator chooses")
	flags.BoolVarP(&live, "watch", "w", false, "show the move until it is over, stands still, or you press Ctrl-C")
	flags.BoolVar(&w.abort, "abort", false, "give up the move that is under way")
	flags.StringVar(&w.keep, "keep", "",
		"Source or Target: which copy counts where the move that is under way asks for it; the other one is lost")
	flags.StringToStringVar(&w.timeouts, "timeout", nil,
		"how long steps may take, for example stop=10m,copy=1h (also: export, start)")
	return cmd
}

func (w wish) run(
	ctx context.Context, supervisor *reach.Supervisor, key client.ObjectKey, live bool, out io.Writer,
) error {
	act := w.order
	if !w.asks() {
		if !live && !w.abort && w.keep == "" {
			return fmt.Errorf("where to? --to CLUSTER, or --anywhere; --watch and --abort are for a move that is under way")
		}
		act = w.answer
	}
	move, err := act(ctx, supervisor, key, out)
	if err != nil || move == nil {
		return err
	}
	if live {
		return follow.Follow(ctx, out, moveView{supervisor: supervisor, key: client.ObjectKeyFromObject(move)})
	}
	if !w.abort && w.keep == "" {
		fmt.Fprintf(out, "kubectl machine move %s --watch shows how far it is.\n", key)
	}
	return nil
}

// moveView shows one MachineMove.
type moveView struct {
	supervisor client.Reader
	key        client.ObjectKey
}

// Look implements follow.View.
func (v moveView) Look(ctx context.Context) (follow.Picture, error) {
	move := &vitistackv1alpha1.MachineMove{}
	if err := v.supervisor.Get(ctx, v.key, move); err != nil {
		return follow.Picture{}, fmt.Errorf("reading MachineMove %s: %w", v.key, err)
	}
	return pictureOf(move, time.Now()), nil
}

// lasting is how long a move must have stood still for a person to be told that it does. What an
// operator sees of two clusters at one moment may be of two moments.
const lasting = 5 * time.Second

// pictureOf is a move as people see it. It is pure.
func pictureOf(move *vitistackv1alpha1.MachineMove, now time.Time) follow.Picture {
	p := follow.Picture{Text: stepsOf(move)}
	switch still, since := standsStill(move.Status.Conditions, move.Generation); {
	case move.Status.Phase == vitistackv1alpha1.MovePhaseSucceeded:
		p.Over = true
	case move.Status.Phase.Over(), still && now.Sub(since) >= lasting:
		p.Over, p.Code = true, exit.Negative
	}
	return p
}
