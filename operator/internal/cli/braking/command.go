package braking

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// Commands are the commands about Machines.
func Commands() []*cobra.Command { return []*cobra.Command{confirmCommand(), keepCommand()} }

// confirmation is what is let go, until when, and how it is called.
type confirmation struct {
	annotation string
	until      string
	change     bool
}

func confirmCommand() *cobra.Command {
	var of chosen
	var change, dry bool
	var within time.Duration
	cmd := &cobra.Command{
		Use:   "confirm (NAME... | --namespace-all | --cluster CLUSTER)",
		Short: "Let deletions go that the brake holds, or with --change changes",
		Long: "Let deletions go that the brake holds, or with --change changes that stop guests or need a restart.\n" +
			"Machines that are named are let go once. A namespace or a cluster is let go for the time of --for, with all\n" +
			"that is asked of its Machines until then.",
		RunE: func(cmd *cobra.Command, args []string) error {
			supervisor, err := of.open(cmd, args)
			if err != nil {
				return err
			}
			if within <= 0 {
				return fmt.Errorf("--for is %s: want a time such as 30m", within)
			}
			c := confirmation{annotation: vitistackv1alpha1.AnnotationConfirmDeletion, change: change,
				until: time.Now().Add(within).UTC().Format(time.RFC3339)}
			if change {
				c.annotation = vitistackv1alpha1.AnnotationConfirmChange
			}
			return c.write(cmd.Context(), supervisor, &of, dry, cmd.OutOrStdout())
		},
	}
	of.add(cmd)
	cmd.Flags().DurationVar(&within, "for", 30*time.Minute, "for how long a namespace or a cluster is let go")
	cmd.Flags().BoolVar(&change, "change", false, "let changes go instead of deletions")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say only what would be let go")
	return cmd
}

// write says how many are held, and lets them go.
func (c confirmation) write(
	ctx context.Context, supervisor *reach.Supervisor, of *chosen, dry bool, out io.Writer,
) error {
	machines, err := of.find(ctx, supervisor)
	if err != nil {
		return err
	}
	held := slices.DeleteFunc(slices.Clone(machines), func(m vitistackv1alpha1.Machine) bool { return !c.holds(&m) })
	does := map[bool]string{false: "deleted with their disks", true: "changed, and may stop"}[c.change]
	fmt.Fprintf(out, "%s: %d virtual machines are held and will be %s:\n", of, len(held), does)
	list(out, held)
	if dry {
		return nil
	}
	switch {
	case of.cluster != "":
		config, err := supervisor.KubevirtConfig(ctx, of.cluster)
		if err != nil {
			return err
		}
		err = annotate(ctx, supervisor, config, c.annotation, c.until)
		return c.told(out, of.String()+", until "+c.until, err)
	case of.all:
		namespace := &corev1.Namespace{}
		if err := supervisor.Get(ctx, client.ObjectKey{Name: of.namespace}, namespace); err != nil {
			return fmt.Errorf("reading namespace %s: %w", of.namespace, err)
		}
		err = annotate(ctx, supervisor, namespace, c.annotation, c.until)
		return c.told(out, of.String()+", until "+c.until, err)
	}
	for i := range machines {
		name := client.ObjectKeyFromObject(&machines[i]).String()
		err := annotate(ctx, supervisor, &machines[i], c.annotation, "true")
		if err := c.told(out, "Machine "+name, err); err != nil {
			return err
		}
	}
	return nil
}

func (c confirmation) told(out io.Writer, what string, err error) error {
	if err == nil {
		kind := map[bool]string{false: "Deletions", true: "Changes"}[c.change]
		fmt.Fprintf(out, "%s are let go: %s.\n", kind, what)
	}
	return err
}

// holds reports whether the brake holds a Machine.
func (c confirmation) holds(machine *vitistackv1alpha1.Machine) bool {
	if !c.change {
		return isHeld(machine)
	}
	ready := machine.Status.Condition(vitistackv1alpha1.ConditionVirtualMachineReady)
	return ready != nil && ready.Reason == vitistackv1alpha1.ReasonChangeHeld
}

func isHeld(machine *vitistackv1alpha1.Machine) bool {
	held := machine.Status.Condition(vitistackv1alpha1.ConditionDeletionHeld)
	return held != nil && held.Status == "True"
}

func keepCommand() *cobra.Command {
	var of chosen
	var dry bool
	cmd := &cobra.Command{
		Use:   "keep (NAME... | --namespace-all | --cluster CLUSTER)",
		Short: "Let Machines whose deletion is held go, and keep their virtual machines",
		Long: "Let Machines whose deletion the brake holds go, and keep their virtual machines as they are: the\n" +
			"guests run on. The next Machine of the same name, as when its manifest is applied again, inherits the virtual machine.",
		RunE: func(cmd *cobra.Command, args []string) error {
			supervisor, err := of.open(cmd, args)
			if err != nil {
				return err
			}
			return keep(cmd.Context(), supervisor, &of, dry, cmd.OutOrStdout())
		},
	}
	of.add(cmd)
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say only what would be kept")
	return cmd
}

func keep(ctx context.Context, supervisor *reach.Supervisor, of *chosen, dry bool, out io.Writer) error {
	machines, err := of.find(ctx, supervisor)
	if err != nil {
		return err
	}
	held := slices.DeleteFunc(slices.Clone(machines), func(m vitistackv1alpha1.Machine) bool { return !isHeld(&m) })
	fmt.Fprintf(out, "%s: %d virtual machines are held and will be kept:\n", of, len(held))
	list(out, held)
	if dry {
		return nil
	}
	var failed []error
	for i := range held {
		failed = append(failed, annotate(ctx, supervisor, &held[i], vitistackv1alpha1.AnnotationKeepVM, "true"))
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	if len(of.names) > len(held) {
		return exit.Told(errors.New("what is not held is not kept: the rest is deleted already, or is not being deleted"),
			exit.Negative)
	}
	fmt.Fprintf(out, "%d Machines go and leave their virtual machines: apply the manifests again.\n", len(held))
	return nil
}

// annotate writes one annotation.
func annotate(ctx context.Context, to client.Client, object client.Object, key, value string) error {
	before := object.DeepCopyObject().(client.Object)
	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = value
	object.SetAnnotations(annotations)
	if err := to.Patch(ctx, object, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("annotating %s: %w", object.GetName(), err)
	}
	return nil
}

// maxListed bounds how many Machines are named.
const maxListed = 20

func list(out io.Writer, machines []vitistackv1alpha1.Machine) {
	for i := range machines[:min(len(machines), maxListed)] {
		fmt.Fprintf(out, "  %s/%s  %s\n", machines[i].Namespace, machines[i].Name, clusterOf(&machines[i]))
	}
	if more := len(machines) - maxListed; more > 0 {
		fmt.Fprintf(out, "  and %d more\n", more)
	}
}
