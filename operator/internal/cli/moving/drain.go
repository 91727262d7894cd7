package moving

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/follow"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// drain is what a person says about emptying a cluster.
type drain struct {
	maxInFlight                 int32
	maxUnavailable, selector    string
	order                       string
	pauseOnFailure              bool
	pause, resume, end, watched bool
}

func drainCommand() *cobra.Command {
	var way reach.Flags
	var d drain
	cmd := &cobra.Command{
		Use:   "drain CLUSTER",
		Short: "Empty a cluster: let it take no new Machines, and move those that are there to others",
		Long: "Empty a cluster: let it take no new Machines, and move those that are there to others, a few at a time. It\n" +
			"makes an Evacuation, which the operator carries out. Called again it changes what the flags say, and shows\n" +
			"the one that is there. With --watch it ends with 0 where the cluster is empty, 1 where Machines stay or a\n" +
			"person must act first, and 3 where you stopped looking. Without, 0 means that it was asked for.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			change, err := d.change(cmd.Flags())
			if err != nil {
				return err
			}
			supervisor, err := way.Open(cmd.Context())
			if err != nil {
				return err
			}
			return d.run(cmd.Context(), supervisor, wished{cluster: args[0], change: change}, cmd.OutOrStdout())
		},
	}
	way.Add(cmd.Flags())
	flags := cmd.Flags()
	flags.Int32Var(&d.maxInFlight, "max-in-flight", 4, "how many moves are under way at once")
	flags.StringVar(&d.maxUnavailable, "max-unavailable", "",
		"how many Machines may be not Ready at once, as a number or a share (20%)")
	flags.StringVarP(&d.selector, "selector", "l", "", "of these Machines alone, by their labels")
	flags.StringVar(&d.order, "order", string(vitistackv1alpha1.EvacuateSmallestFirst),
		"SmallestFirst, LargestFirst, OldestFirst or Name")
	flags.BoolVar(&d.pauseOnFailure, "pause-on-failure", true, "begin no further move once one has failed")
	flags.BoolVarP(&d.watched, "watch", "w", false, "show it until it is over, pauses, or you press Ctrl-C")
	flags.BoolVar(&d.pause, "pause", false, "begin no further move; those under way go on")
	flags.BoolVar(&d.resume, "resume", false, "go on after --pause")
	flags.BoolVar(&d.end, "end", false, "end it: moves under way go on, no further one begins; the cluster stays cordoned")
	return cmd
}

// change reads the flags that were given, and says what they change.
func (d drain) change(flags *pflag.FlagSet) (func(*vitistackv1alpha1.EvacuationSpec), error) {
	if d.pause && d.resume || d.end && (d.pause || d.resume || d.watched) {
		return nil, errors.New("--pause, --resume and --end: want one of them, and no --watch beside --end")
	}
	var unavailable *intstr.IntOrString
	if d.maxUnavailable != "" {
		value := intstr.Parse(d.maxUnavailable)
		if _, err := intstr.GetScaledValueFromIntOrPercent(&value, 100, true); err != nil {
			return nil, fmt.Errorf("--max-unavailable %s: want a number or a share, for example 20%%", d.maxUnavailable)
		}
		unavailable = &value
	}
	selector, err := metav1.ParseToLabelSelector(d.selector)
	if err != nil {
		return nil, fmt.Errorf("--selector %s: %w", d.selector, err)
	}
	return func(spec *vitistackv1alpha1.EvacuationSpec) {
		for flag, set := range map[string]func(){
			"max-in-flight":    func() { spec.MaxInFlight = d.maxInFlight },
			"max-unavailable":  func() { spec.MaxUnavailable = unavailable },
			"selector":         func() { spec.Selector = selector },
			"order":            func() { spec.Order = vitistackv1alpha1.EvacuationOrder(d.order) },
			"pause-on-failure": func() { spec.PauseOnFailure = &d.pauseOnFailure },
		} {
			if flags.Changed(flag) {
				set()
			}
		}
		spec.Paused = d.pause || spec.Paused && !d.resume
	}, nil
}

// wished is what an Evacuation is to be like.
type wished struct {
	cluster string
	change  func(*vitistackv1alpha1.EvacuationSpec)
}

func (d drain) run(ctx context.Context, supervisor *reach.Supervisor, wish wished, out io.Writer) error {
	name := wish.cluster
	if _, err := supervisor.KubevirtConfig(ctx, name); err != nil {
		return err
	}
	evacuation, err := find(ctx, supervisor, name)
	if err != nil {
		return err
	}
	if d.end {
		return end(ctx, supervisor, evacuation, name, out)
	}
	if !d.pause {
		if err := cordon(ctx, supervisor, name, true, out); err != nil {
			return err
		}
	}
	if evacuation, err = d.ask(ctx, supervisor, evacuation, wish, out); err != nil {
		return err
	}
	if d.watched {
		return follow.Follow(ctx, out, drainView{supervisor: supervisor, evacuation: evacuation})
	}
	fmt.Fprintf(out, "kubectl machine drain %s --watch shows how far it is.\n", name)
	return nil
}

// ask makes the Evacuation of a cluster, or changes the one that is there.
func (d drain) ask(
	ctx context.Context, supervisor *reach.Supervisor, there *vitistackv1alpha1.Evacuation, wish wished, out io.Writer,
) (*vitistackv1alpha1.Evacuation, error) {
	if there == nil {
		if d.pause || d.resume {
			return nil, exit.No(fmt.Errorf("cluster %s is not being emptied", wish.cluster))
		}
		return begin(ctx, supervisor, wish, out)
	}
	before := there.DeepCopy()
	wish.change(&there.Spec)
	patch := client.MergeFrom(before)
	if data, err := patch.Data(there); err != nil || string(data) == "{}" {
		fmt.Fprintf(out, "Evacuation %s/%s is there already.\n", there.Namespace, there.Name)
		return there, err
	}
	if err := supervisor.Patch(ctx, there, patch); err != nil {
		return nil, fmt.Errorf("changing Evacuation %s: %w", there.Name, err)
	}
	fmt.Fprintf(out, "Evacuation %s/%s is changed.\n", there.Namespace, there.Name)
	return there, nil
}

// begin makes the Evacuation.
func begin(
	ctx context.Context, supervisor *reach.Supervisor, wish wished, out io.Writer,
) (*vitistackv1alpha1.Evacuation, error) {
	evacuation := &vitistackv1alpha1.Evacuation{}
	evacuation.Namespace, evacuation.Name = supervisor.Namespace, wish.cluster
	evacuation.Spec.Config = wish.cluster
	wish.change(&evacuation.Spec)
	if err := supervisor.Create(ctx, evacuation); err != nil {
		return nil, explained("making Evacuation "+wish.cluster, err)
	}
	fmt.Fprintf(out, "Evacuation %s/%s is made: the Machines of %s go to other clusters.\n", evacuation.Namespace,
		evacuation.Name, wish.cluster)
	return evacuation, nil
}

// find returns the Evacuation of a cluster, whatever it is called, or nil.
func find(ctx context.Context, supervisor *reach.Supervisor, config string) (*vitistackv1alpha1.Evacuation, error) {
	all := &vitistackv1alpha1.EvacuationList{}
	if err := supervisor.List(ctx, all, client.InNamespace(supervisor.Namespace)); err != nil {
		return nil, explained("listing Evacuations", err)
	}
	for i := range all.Items {
		if all.Items[i].Spec.Config == config && all.Items[i].DeletionTimestamp == nil {
			return &all.Items[i], nil
		}
	}
	return nil, nil
}

// end deletes the Evacuation, and gives up its moves that have not begun.
func end(
	ctx context.Context, supervisor *reach.Supervisor, evacuation *vitistackv1alpha1.Evacuation, name string,
	out io.Writer,
) error {
	if evacuation == nil {
		return exit.No(fmt.Errorf("cluster %s is not being emptied", name))
	}
	if err := supervisor.Delete(ctx, evacuation); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting Evacuation %s: %w", evacuation.Name, err)
	}
	moves, err := movesOf(ctx, supervisor, evacuation)
	if err != nil {
		return err
	}
	under := 0
	for i := range moves {
		move := &moves[i]
		switch {
		case move.Status.Phase.Over():
		case move.Status.Phase == "" || move.Status.Phase == vitistackv1alpha1.MovePhasePending:
			before := move.DeepCopy()
			move.Spec.Abort = true
			if err := supervisor.Patch(ctx, move, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
				return fmt.Errorf("giving up MachineMove %s/%s: %w", move.Namespace, move.Name, err)
			}
		default:
			under++
		}
	}
	fmt.Fprintf(out, "Evacuation %s/%s is gone; %d moves under way go on. Cluster %s takes no new Machines before "+
		"kubectl machine uncordon %s.\n", evacuation.Namespace, evacuation.Name, under, name, name)
	return nil
}

func movesOf(
	ctx context.Context, supervisor client.Reader, evacuation *vitistackv1alpha1.Evacuation,
) ([]vitistackv1alpha1.MachineMove, error) {
	moves := &vitistackv1alpha1.MachineMoveList{}
	err := supervisor.List(ctx, moves, client.MatchingLabels{vitistackv1alpha1.LabelEvacuation: string(evacuation.UID)})
	if err != nil {
		return nil, explained("listing MachineMoves", err)
	}
	return moves.Items, nil
}

// drainView shows one Evacuation with its moves that are under way.
type drainView struct {
	supervisor client.Reader
	evacuation *vitistackv1alpha1.Evacuation
}

// Look implements follow.View.
func (v drainView) Look(ctx context.Context) (follow.Picture, error) {
	evacuation := &vitistackv1alpha1.Evacuation{}
	if err := v.supervisor.Get(ctx, client.ObjectKeyFromObject(v.evacuation), evacuation); err != nil {
		return follow.Picture{}, fmt.Errorf("reading Evacuation %s: %w", v.evacuation.Name, err)
	}
	moves, err := movesOf(ctx, v.supervisor, evacuation)
	if err != nil {
		return follow.Picture{}, err
	}
	return drainPicture(evacuation, moves), nil
}

// drainPicture is an Evacuation as people see it. It is pure.
func drainPicture(evacuation *vitistackv1alpha1.Evacuation, moves []vitistackv1alpha1.MachineMove) follow.Picture {
	out, status := &strings.Builder{}, evacuation.Status
	if status.ObservedGeneration < evacuation.Generation {
		fmt.Fprintf(out, "Evacuation %s/%s  nothing was said about it yet: does an operator run?\n", evacuation.Namespace,
			evacuation.Name)
		return follow.Picture{Text: out.String()}
	}
	fmt.Fprintf(out, "Evacuation %s/%s  %s  %d of %d moved, %d under way, %d left\n", evacuation.Namespace,
		evacuation.Name,
		cmp.Or(status.Phase, vitistackv1alpha1.EvacuationMoving), status.Moved, status.Total, status.Moving, status.Left)
	if ready := meta.FindStatusCondition(status.Conditions, vitistackv1alpha1.ConditionReady); ready != nil {
		fmt.Fprintf(out, "  %s: %s\n", ready.Reason, ready.Message)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i := range moves {
		move := &moves[i]
		if still, _ := standsStill(move.Status.Conditions, 0); !still && !move.Status.Phase.Over() {
			fmt.Fprintf(table, "  … %s/%s\t→ %s\t%s\t%s\n", move.Namespace, move.Spec.MachineName,
				cmp.Or(move.Status.To, "?"), cmp.Or(move.Status.Phase, vitistackv1alpha1.MovePhasePending), move.Status.Progress)
		}
	}
	for _, left := range status.Stays {
		fmt.Fprintf(table, "  ✗ %s\t%s\t%s\n", left.Machine, left.Reason, left.Message)
	}
	_ = table.Flush() // into memory
	p := follow.Picture{Text: out.String()}
	switch status.Phase {
	case vitistackv1alpha1.EvacuationSucceeded:
		p.Over = true
	case vitistackv1alpha1.EvacuationIncomplete, vitistackv1alpha1.EvacuationPaused:
		// What is under way is still worth looking at.
		p.Over, p.Code = status.Moving == 0, exit.Negative
	}
	return p
}
