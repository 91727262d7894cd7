package rolling

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/follow"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

func statusCommand() *cobra.Command {
	var of reach.Subject
	var watched bool
	cmd := &cobra.Command{
		Use:   "status (NAME | NAMESPACE/NAME)",
		Short: "Show how far a rollout is",
		Long: "Show how far a rollout is, and which Machines it waits for. It ends with 1 where it stands still until a\n" +
			"person acts.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			supervisor, key, err := of.Open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			view := rolloutView{supervisor: supervisor, key: key}
			if watched {
				return follow.Follow(cmd.Context(), cmd.OutOrStdout(), view)
			}
			now, err := view.Look(cmd.Context())
			if err != nil {
				return err
			}
			fmt.Fprint(cmd.OutOrStdout(), now.Text)
			return exit.Said(now.Code)
		},
	}
	of.Way.Add(cmd.Flags())
	addNamespace(cmd, &of)
	cmd.Flags().BoolVarP(&watched, "watch", "w", false, "show it until it is over, pauses, or you press Ctrl-C")
	return cmd
}

func addNamespace(cmd *cobra.Command, of *reach.Subject) {
	cmd.Flags().StringVarP(&of.Namespace, "namespace", "n", "", "namespace of the MachineRollout (default: the context's)")
}

// changeCommand changes the spec of a rollout.
func changeCommand(
	verb, short, now string, change func(*vitistackv1alpha1.MachineRolloutSpec),
) *cobra.Command {
	var of reach.Subject
	cmd := &cobra.Command{
		Use:   verb + " (NAME | NAMESPACE/NAME)",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			supervisor, key, err := of.Open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			rollout, err := read(cmd.Context(), supervisor, key)
			if err != nil {
				return err
			}
			if err := apply(cmd.Context(), supervisor, rollout, change); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "MachineRollout %s %s.\n", key, now)
			return nil
		},
	}
	of.Way.Add(cmd.Flags())
	addNamespace(cmd, &of)
	return cmd
}

func apply(
	ctx context.Context, supervisor client.Writer, rollout *vitistackv1alpha1.MachineRollout,
	change func(*vitistackv1alpha1.MachineRolloutSpec),
) error {
	key := client.ObjectKeyFromObject(rollout)
	if phase := rollout.Status.Phase; phase.Over() {
		return exit.No(fmt.Errorf("MachineRollout %s is over: %s", key, phase))
	}
	before := rollout.DeepCopy()
	change(&rollout.Spec)
	if err := supervisor.Patch(ctx, rollout, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("changing MachineRollout %s: %w", key, err)
	}
	return nil
}

func read(
	ctx context.Context, supervisor client.Reader, key client.ObjectKey,
) (*vitistackv1alpha1.MachineRollout, error) {
	rollout := &vitistackv1alpha1.MachineRollout{}
	err := supervisor.Get(ctx, key, rollout)
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("there is no MachineRollout %s in namespace %s", key.Name, key.Namespace)
	}
	if err != nil {
		return nil, explained("reading MachineRollout "+key.String(), err)
	}
	return rollout, nil
}

// rolloutView shows one MachineRollout.
type rolloutView struct {
	supervisor client.Reader
	key        client.ObjectKey
}

// Look implements follow.View.
func (v rolloutView) Look(ctx context.Context) (follow.Picture, error) {
	rollout, err := read(ctx, v.supervisor, v.key)
	if err != nil {
		return follow.Picture{}, err
	}
	return pictureOf(rollout, time.Now()), nil
}

// pictureOf is a rollout as people see it. It is pure.
func pictureOf(rollout *vitistackv1alpha1.MachineRollout, now time.Time) follow.Picture {
	out, status := &strings.Builder{}, rollout.Status
	name := rollout.Namespace + "/" + rollout.Name
	if status.ObservedGeneration < rollout.Generation && !status.Phase.Over() {
		fmt.Fprintf(out, "MachineRollout %s  nothing was said about it yet: does an operator run?\n", name)
		return follow.Picture{Text: out.String()}
	}
	fmt.Fprintf(out, "MachineRollout %s  %s  %d of %d done, %d under way, %d not healthy\n", name,
		cmp.Or(status.Phase, vitistackv1alpha1.RolloutProgressing), status.Updated, status.Total, len(status.InFlight),
		status.Unavailable)
	if ready := meta.FindStatusCondition(status.Conditions, vitistackv1alpha1.ConditionReady); ready != nil {
		fmt.Fprintf(out, "  %s: %s\n", ready.Reason, ready.Message)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, entry := range status.InFlight {
		fmt.Fprintf(table, "  … %s\t%s\n", entry.Machine, duration.HumanDuration(now.Sub(entry.Since.Time)))
	}
	for _, left := range status.Stays {
		fmt.Fprintf(table, "  ✗ %s\t%s\t%s\n", left.Machine, left.Reason, strings.Join(strings.Fields(left.Message), " "))
	}
	_ = table.Flush() // into memory
	p := follow.Picture{Text: out.String()}
	switch status.Phase {
	case vitistackv1alpha1.RolloutSucceeded:
		p.Over = true
	case vitistackv1alpha1.RolloutAborted, vitistackv1alpha1.RolloutPaused, vitistackv1alpha1.RolloutIncomplete:
		p.Over, p.Code = true, exit.Negative
	}
	return p
}
