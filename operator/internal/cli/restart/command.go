package restart

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/status"
)

// verb is one of the commands.
type verb struct {
	name, short, long string
	annotation        string
	// value is what the annotation gets, "" where it is taken away. A fresh verb gets another one each
	// time.
	value string
	fresh bool
	// said is what the command says once that is written.
	said string
	// ended says whether a Machine shows that it was done; nil where a Machine does not show it.
	ended func(machine *vitistackv1alpha1.Machine, value string) bool
}

var verbs = []verb{
	{
		name: "restart", short: "Restart the guests of Machines",
		long: "Each one is restarted once. A guest that does not run is left alone. What waits for a restart\n" +
			"(RestartRequired) is brought in by it.",
		annotation: vitistackv1alpha1.AnnotationRestart, fresh: true, said: "is being restarted", ended: restarted,
	},
	{
		name: "pause-guest", short: "Pause the guests of Machines",
		long:       "They stay in memory and stand still until kubectl machine resume-guest.",
		annotation: vitistackv1alpha1.AnnotationPauseGuest, value: "true", said: "is being paused", ended: paused,
	},
	{
		name: "resume-guest", short: "Let paused guests of Machines go on",
		long:       "What somebody paused otherwise, for example with virtctl, stays paused.",
		annotation: vitistackv1alpha1.AnnotationPauseGuest, said: "goes on", ended: resumed,
	},
	{
		name: "resize", short: "Let Machines take the sizes of their class anew",
		long: "A class that is edited changes no virtual machine by itself. Where the new size needs a restart, the\n" +
			"Machine says RestartRequired; kubectl machine restart brings it in.",
		annotation: vitistackv1alpha1.AnnotationResize, fresh: true, said: "takes the sizes of its class anew",
	},
}

// Commands are the commands about guests.
func Commands() []*cobra.Command {
	var all []*cobra.Command
	for _, v := range verbs {
		all = append(all, v.command())
	}
	return all
}

func (v verb) command() *cobra.Command {
	var of reach.Subject
	var wait, halt bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   v.name + " (NAME | NAMESPACE/NAME)...",
		Short: v.short,
		Long: v.short + ". " + v.long + "\nIt annotates the Machine with " + v.annotation + "; the operator does the rest, " +
			"also when\nthis command has ended.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var keys []client.ObjectKey
			var supervisor *reach.Supervisor
			for _, arg := range args {
				opened, key, err := of.Open(cmd.Context(), arg)
				if err != nil {
					return err
				}
				supervisor, keys = opened, append(keys, key)
			}
			if halt {
				return byHalting(cmd.Context(), supervisor, keys, cmd.OutOrStdout())
			}
			value := v.value
			if v.fresh {
				value = token(time.Now())
			}
			if err := v.ask(cmd.Context(), supervisor, keys, value, cmd.OutOrStdout()); err != nil || !wait {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			return v.await(ctx, supervisor, keys, value, cmd.OutOrStdout())
		},
	}
	of.Add(cmd.Flags())
	if v.annotation == vitistackv1alpha1.AnnotationRestart {
		cmd.Flags().BoolVar(&halt, "halt", false, "for clusters where the operator may not restart guests: set\n"+
			"spec.runStrategy to Halted, wait until the guest has ended, for five minutes at most, and set it back")
	}
	if v.ended != nil {
		cmd.Flags().BoolVar(&wait, "wait", false,
			"wait until it is done: 0 where it is, 1 where a person must act first, 3 where it is not seen in time")
		cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "how long to wait")
	}
	return cmd
}

// byHalting restarts one Machine after the other.
func byHalting(
	ctx context.Context, supervisor *reach.Supervisor, keys []client.ObjectKey, out io.Writer,
) error {
	for _, key := range keys {
		if err := status.Restart(ctx, out, supervisor, key); err != nil {
			return err
		}
	}
	return nil
}

// token is a value that no command gave before.
func token(now time.Time) string {
	return now.UTC().Format("2006-01-02T15-04-05Z") + "-" + strings.ToLower(rand.Text()[:6])
}

// ask writes the annotation into every Machine. All are read before the first is changed.
func (v verb) ask(
	ctx context.Context, supervisor client.Client, keys []client.ObjectKey, value string, out io.Writer,
) error {
	var machines []*vitistackv1alpha1.Machine
	for _, key := range keys {
		machine, err := reach.Machine(ctx, supervisor, key)
		if err != nil {
			return err
		}
		machines = append(machines, machine)
	}
	for _, machine := range machines {
		before := machine.DeepCopy()
		if delete(machine.Annotations, v.annotation); value != "" {
			if machine.Annotations == nil {
				machine.Annotations = map[string]string{}
			}
			machine.Annotations[v.annotation] = value
		}
		if err := supervisor.Patch(ctx, machine, client.MergeFrom(before)); err != nil {
			return fmt.Errorf("annotating Machine %s: %w", client.ObjectKeyFromObject(machine), err)
		}
		fmt.Fprintf(out, "Machine %s %s.\n", client.ObjectKeyFromObject(machine), v.said)
	}
	return nil
}
