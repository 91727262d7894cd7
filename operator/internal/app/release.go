package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

func releaseCommand() *cobra.Command {
	var kubeconfig, lease string
	var all bool
	cmd := &cobra.Command{
		Use:   "release --all",
		Short: "Uninstall: take the operator's finalizers off all Machines and KubevirtConfigs; virtual machines stay",
		Long: "Take the operator's finalizers off all Machines and KubevirtConfigs, so that they can be deleted without it. Virtual machines stay\n" +
			"as they are, and Machines keep the record of where theirs is: an operator that is installed again goes on with them.\n" +
			"It refuses while an operator holds the lease.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !all {
				return errors.New("say --all to release every Machine and KubevirtConfig")
			}
			return release(cmd.Context(), cmd.OutOrStdout(), kubeconfig, lease)
		},
	}
	cmd.Flags().StringVar(&kubeconfig, "kubeconfig", "", "kubeconfig for the supervisor (default: KUBECONFIG, then the pod's service account)")
	cmd.Flags().StringVar(&lease, "leader-election-id", defaultLeaderElectionID, "name of the lease that must not be held")
	cmd.Flags().BoolVar(&all, "all", false, "every Machine and KubevirtConfig")
	return cmd
}

func release(ctx context.Context, out io.Writer, kubeconfig, lease string) error {
	config, err := restConfig(kubeconfig)
	if err != nil {
		return err
	}
	scheme, err := newScheme()
	if err != nil {
		return err
	}
	supervisor, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	if err := nobodyLeads(ctx, supervisor, lease); err != nil {
		return err
	}
	machines := &vitistackv1alpha1.MachineList{}
	if err := supervisor.List(ctx, machines); err != nil {
		return err
	}
	for i := range machines.Items {
		m := &machines.Items[i]
		released, err := unfinalize(ctx, supervisor, m, vitistackv1alpha1.FinalizerMachine)
		if err != nil {
			return fmt.Errorf("releasing Machine %s/%s: %w", m.Namespace, m.Name, err)
		}
		if ledger, err := vitistackv1alpha1.ParseLedger(m.Annotations[vitistackv1alpha1.AnnotationPlacement]); released && err == nil {
			fmt.Fprintf(out, "released Machine %s/%s; VirtualMachine %s stays in %s\n", m.Namespace, m.Name, ledger.VMName, ledger.Config)
		}
	}
	configs := &vitistackv1alpha1.KubevirtConfigList{}
	if err := supervisor.List(ctx, configs); err != nil {
		return err
	}
	for i := range configs.Items {
		c := &configs.Items[i]
		released, err := unfinalize(ctx, supervisor, c, vitistackv1alpha1.FinalizerKubevirtConfig)
		if err != nil {
			return fmt.Errorf("releasing KubevirtConfig %s: %w", c.Name, err)
		}
		if released {
			fmt.Fprintf(out, "released KubevirtConfig %s\n", c.Name)
		}
	}
	return nil
}

// unfinalize takes a finalizer off, and no other's. It reports whether it was there.
func unfinalize(ctx context.Context, supervisor client.Client, object client.Object, finalizer string) (released bool, err error) {
	err = retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		before := object.DeepCopyObject().(client.Object)
		if released = controllerutil.RemoveFinalizer(object, finalizer); !released {
			return nil
		}
		err := supervisor.Patch(ctx, object, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
		if err == nil {
			return nil
		}
		return errors.Join(err, client.IgnoreNotFound(supervisor.Get(ctx, client.ObjectKeyFromObject(object), object)))
	})
	return released, client.IgnoreNotFound(err)
}

// nobodyLeads returns an error while the lease of that name is held in any namespace: that operator would undo what is done here.
func nobodyLeads(ctx context.Context, supervisor client.Client, name string) error {
	leases := &coordinationv1.LeaseList{}
	if err := supervisor.List(ctx, leases, client.MatchingFields{"metadata.name": name}); err != nil {
		return fmt.Errorf("looking for a running operator: %w", err)
	}
	for _, lease := range leases.Items {
		spec := lease.Spec
		if spec.HolderIdentity == nil || *spec.HolderIdentity == "" || spec.RenewTime == nil || spec.LeaseDurationSeconds == nil {
			continue
		}
		if time.Since(spec.RenewTime.Time) < time.Duration(*spec.LeaseDurationSeconds)*time.Second {
			return fmt.Errorf("%s leads by lease %s/%s: stop the operator first", *spec.HolderIdentity, lease.Namespace, lease.Name)
		}
	}
	return nil
}
