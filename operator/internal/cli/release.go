package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
)

func releaseCommand(by entry) *cobra.Command {
	var leases []string
	var all bool
	cmd := &cobra.Command{
		Use:   "release --all",
		Short: "Uninstall: take the operator's finalizers off all its objects; virtual machines stay",
		Long: "Take the operator's finalizers off all Machines, NetworkConfigurations and KubevirtConfigs, so that they\n" +
			"can be deleted without it. Virtual machines stay as they are, and Machines keep the record of where theirs\n" +
			"is: an operator that is installed again goes on with them. Finalizers of others stay, also the public\n" +
			"operator's, " + vitistackv1alpha1.FinalizerMachinePublic + ": where that operator is not run any more, take it\n" +
			"off by hand.\n" +
			"It refuses while an operator holds a lease, in whatever namespace. It knows an operator's lease by its\n" +
			"label, by its name or by its holder's. It refuses, too, while a Machine is being moved: what the move has\n" +
			"made on both sides would be left to nobody.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !all {
				return errors.New("say --all to release every Machine, NetworkConfiguration and KubevirtConfig")
			}
			return release(cmd.Context(), cmd.OutOrStdout(), &by, leases)
		},
	}
	by.addKubeconfig(cmd.Flags())
	cmd.Flags().StringArrayVar(&leases, "leader-election-id", nil,
		"name of a lease that must not be held, beside "+app.DefaultLeaderElectionID+"; one for each deployment")
	cmd.Flags().BoolVar(&all, "all", false, "every Machine, NetworkConfiguration and KubevirtConfig")
	return cmd
}

func release(ctx context.Context, out io.Writer, by *entry, leases []string) error {
	config, err := by.open(ctx, &by.options)
	if err != nil {
		return err
	}
	scheme, err := app.NewScheme()
	if err != nil {
		return err
	}
	supervisor, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	return releaseQuiet(ctx, out, supervisor, leases)
}

// releaseQuiet releases all where nobody works on it: no operator leads, and no Machine is being moved.
func releaseQuiet(ctx context.Context, out io.Writer, supervisor client.Client, leases []string) error {
	if err := nobodyLeads(ctx, supervisor, leases); err != nil {
		return err
	}
	if err := nothingMoves(ctx, supervisor); err != nil {
		return err
	}
	return releaseAll(ctx, out, supervisor)
}

// nothingMoves refuses while Machines are being moved: the guest is off, the disks are half way, and
// the operator alone ends that. It names each of them.
func nothingMoves(ctx context.Context, supervisor client.Reader) error {
	machines := &vitistackv1alpha1.MachineList{}
	err := supervisor.List(ctx, machines)
	if meta.IsNoMatchError(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("listing every Machine: %w", err)
	}
	var moving []string
	for i := range machines.Items {
		machine := &machines.Items[i]
		if !controllerutil.ContainsFinalizer(machine, vitistackv1alpha1.FinalizerMachine) {
			continue
		}
		if record, under, err := vitistackv1alpha1.MoveRecordOf(machine); under {
			text := nameOf(machine)
			if err == nil {
				text += fmt.Sprintf(" (MachineMove %s, from %s to %s)", record.Name, record.From.Config, record.To.Config)
			}
			moving = append(moving, text)
		}
	}
	if len(moving) == 0 {
		return nil
	}
	slices.Sort(moving)
	return fmt.Errorf("nothing was released: Machines are being moved: %s; start the operator again and wait until they "+
		"have arrived (kubectl machine move NAME --watch), or have them brought back (kubectl machine move NAME --abort)",
		strings.Join(moving, ", "))
}

// releaseAll takes our finalizers off. NetworkConfigurations follow the Machines that own them.
func releaseAll(ctx context.Context, out io.Writer, supervisor client.Client) error {
	for _, each := range []struct {
		kind, finalizer string
		list            client.ObjectList
	}{
		{"Machine", vitistackv1alpha1.FinalizerMachine, &vitistackv1alpha1.MachineList{}},
		{
			"NetworkConfiguration", vitistackv1alpha1.FinalizerNetworkConfiguration,
			&vitistackv1alpha1.NetworkConfigurationList{},
		},
		{"KubevirtConfig", vitistackv1alpha1.FinalizerKubevirtConfig, &vitistackv1alpha1.KubevirtConfigList{}},
	} {
		err := supervisor.List(ctx, each.list)
		if meta.IsNoMatchError(err) {
			continue // the definition is gone, and its objects with it
		}
		if err != nil {
			return fmt.Errorf("listing every %s: %w", each.kind, err)
		}
		err = meta.EachListItem(each.list, func(item runtime.Object) error {
			object := item.(client.Object)
			name := nameOf(object)
			released, err := unfinalize(ctx, supervisor, object, each.finalizer)
			if err != nil {
				return fmt.Errorf("releasing %s %s: %w", each.kind, name, err)
			}
			if released {
				fmt.Fprintf(out, "released %s %s%s\n", each.kind, name, stays(object))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// nameOf is NAMESPACE/NAME, or NAME where the kind has no namespaces.
func nameOf(object client.Object) string {
	if object.GetNamespace() == "" {
		return object.GetName()
	}
	return object.GetNamespace() + "/" + object.GetName()
}

// stays says which virtual machine of a Machine stays, and where. "" where there is none.
func stays(object client.Object) string {
	ledger, err := vitistackv1alpha1.LedgerOf(object)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("; VirtualMachine %s stays in %s", ledger.VMName, ledger.Config)
}

// unfinalize takes a finalizer off, and no other's. It reports whether it was there.
func unfinalize(
	ctx context.Context, supervisor client.Client, object client.Object, finalizer string,
) (released bool, err error) {
	err = retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		before := object.DeepCopyObject().(client.Object)
		if released = controllerutil.RemoveFinalizer(object, finalizer); !released {
			return nil
		}
		err := supervisor.Patch(ctx, object, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
		if err == nil {
			return nil
		}
		return errors.Join(err, client.IgnoreNotFound(supervisor.Get(ctx, client.ObjectKeyFromObject(before), object)))
	})
	return released, client.IgnoreNotFound(err)
}
