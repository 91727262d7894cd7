package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/orphan"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/removal"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// consent is what a person says about orphans.
type consent struct {
	uids      []string
	yes       bool
	olderThan time.Duration
}

func orphansCommand(by entry) *cobra.Command {
	var said consent
	cmd := &cobra.Command{
		Use:   "orphans [UID...]",
		Short: "List the virtual machines that no Machine claims; delete those of the UIDs given with --yes",
		Long: "List the virtual machines in all remote clusters that this supervisor made and no Machine claims any\n" +
			"more, and what is owed. With UIDs and --yes those are deleted, with their disks. Each must be in the list\n" +
			"and old enough: the Machine of a young one may be on its way out of a backup.",
		RunE: func(cmd *cobra.Command, uids []string) error {
			said.uids = uids
			return inSession(cmd.Context(), &by, func(ctx context.Context, s *session) error {
				return s.orphans(ctx, cmd.OutOrStdout(), said)
			})
		},
	}
	by.add(cmd.Flags())
	cmd.Flags().BoolVar(&said.yes, "yes", false, "delete the virtual machines of the UIDs given")
	cmd.Flags().DurationVar(&said.olderThan, "older-than", 10*time.Minute, "least age of a virtual machine to be deleted")
	return cmd
}

func (s *session) orphans(ctx context.Context, out io.Writer, said consent) error {
	all, err := s.findOrphans(ctx)
	if err != nil {
		return err
	}
	if len(said.uids) > 0 {
		return s.deleteOrphans(ctx, out, all, said)
	}
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "CLUSTER\tVIRTUAL MACHINE\tUID\tMACHINE\tAGE")
	for _, each := range all {
		age := duration.HumanDuration(time.Since(each.Object.CreationTimestamp.Time))
		machine := each.Object.Labels[vitistackv1alpha1.LabelSourceMachine]
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", each.Config, each.Name(), each.Object.UID, machine, age)
	}
	debts, err := removal.Book{Server: s.GetAPIReader(), Namespace: s.options.Machine.ConfigsNamespace}.Debts(ctx)
	if err != nil {
		return fmt.Errorf("reading the debts: %w", err)
	}
	for _, debt := range debts {
		owed := debt.Ledger
		fmt.Fprintf(table, "%s\t%s/%s\t%s\t%s\towed\n", owed.Config, owed.Namespace, owed.VMName, owed.VMUID, debt.Machine)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return exit.Incomplete(clientmgr.HealthError(s.silent))
}

// findOrphans asks every API server itself, the supervisor's last: a Machine that is made meanwhile
// claims its virtual machine.
func (s *session) findOrphans(ctx context.Context) ([]orphan.VM, error) {
	configs, err := s.remotes.ListKubevirtConfigs(ctx)
	if err == nil && len(configs) == 0 {
		err = reach.NoConfigs(ctx, s.GetAPIReader(), s.options.Machine.ConfigsNamespace)
	}
	if err != nil {
		return nil, err
	}
	mine := client.MatchingLabels(desired.SupervisorLabels(s.options.Machine.Desired.SupervisorUID))
	lists := map[string]*kubevirtv1.VirtualMachineList{}
	for _, config := range configs {
		live, err := s.remotes.Live(config.Name)
		vms := &kubevirtv1.VirtualMachineList{}
		if err == nil && s.silent[config.Name] == nil {
			err = live.List(ctx, vms, mine)
		}
		if err != nil {
			s.silent[config.Name] = err
			continue
		}
		lists[config.Name] = vms
	}
	machines := &metav1.PartialObjectMetadataList{}
	machines.SetGroupVersionKind(vitistackv1alpha1.SchemeGroupVersion.WithKind("MachineList"))
	if err := s.GetAPIReader().List(ctx, machines); err != nil {
		return nil, fmt.Errorf("listing the Machines: %w", err)
	}
	var known []client.Object
	for i := range machines.Items {
		known = append(known, &machines.Items[i])
	}
	claims := orphan.ClaimsOf(known)
	var all []orphan.VM
	for _, config := range configs {
		if vms, found := lists[config.Name]; found {
			all = append(all, claims.Without(config.Name, vms.Items)...)
		}
	}
	return all, nil
}

// deleteOrphans deletes those asked for, or says what it would do. It refuses all of them if it
// refuses one.
func (s *session) deleteOrphans(ctx context.Context, out io.Writer, all []orphan.VM, said consent) error {
	var chosen []orphan.VM
	for _, uid := range said.uids {
		i := slices.IndexFunc(all, func(each orphan.VM) bool { return string(each.Object.UID) == uid })
		switch {
		case i < 0:
			return errors.Join(fmt.Errorf("%s is not the UID of an orphan in a cluster that answers", uid),
				clientmgr.HealthError(s.silent))
		case time.Since(all[i].Object.CreationTimestamp.Time) < said.olderThan:
			return fmt.Errorf("%s of %s is younger than %s",
				all[i].Name(), all[i].Config, duration.HumanDuration(said.olderThan))
		}
		chosen = append(chosen, all[i])
	}
	payer := machine.NewMachineReconciler(s.GetClient(), s.GetScheme(), s.remotes,
		machine.WithSettings(s.options.Machine), machine.WithLiveReader(s.GetAPIReader())).Payer()
	for _, each := range chosen {
		if !said.yes {
			fmt.Fprintf(out, "would delete %s of %s; add --yes to do so\n", each.Name(), each.Config)
			continue
		}
		if err := s.pay(ctx, payer, each); err != nil {
			return fmt.Errorf("deleting %s of %s: %w", each.Name(), each.Config, err)
		}
		fmt.Fprintf(out, "deleted %s of %s\n", each.Name(), each.Config)
	}
	return nil
}
