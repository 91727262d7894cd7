package status

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

func pauseCommand() *cobra.Command {
	return holdCommand("pause", "Have the operator leave a Machine alone; its guest runs on", true)
}

func resumeCommand() *cobra.Command {
	return holdCommand("resume", "Have the operator look after a paused Machine again", false)
}

// holdCommand sets the annotation vitistack.io/paused, or takes it off.
func holdCommand(verb, short string, hold bool) *cobra.Command {
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
			return pause(cmd.Context(), cmd.OutOrStdout(), supervisor, key, hold)
		},
	}
	of.Add(cmd.Flags())
	return cmd
}

func pause(ctx context.Context, out io.Writer, supervisor *reach.Supervisor, key client.ObjectKey, hold bool) error {
	machine, err := reach.Machine(ctx, supervisor, key)
	if err != nil {
		return err
	}
	const annotation = vitistackv1alpha1.AnnotationPaused
	state := map[bool]string{
		true:  "is paused: the operator changes, moves and deletes nothing of it, and its guest runs on",
		false: "is not paused: the operator looks after it",
	}[hold]
	if (machine.Annotations[annotation] == "true") == hold {
		fmt.Fprintf(out, "Machine %s already %s.\n", key, state)
		return nil
	}
	before := machine.DeepCopy()
	if hold {
		if machine.Annotations == nil {
			machine.Annotations = map[string]string{}
		}
		machine.Annotations[annotation] = "true"
	} else {
		delete(machine.Annotations, annotation)
	}
	if err := supervisor.Patch(ctx, machine, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("changing Machine %s: %w", key, err)
	}
	fmt.Fprintf(out, "Machine %s now %s.\n", key, state)
	return nil
}
