package status

import (
	"github.com/spf13/cobra"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Commands are the commands about Machines.
func Commands() []*cobra.Command {
	return []*cobra.Command{
		listCommand(), statusCommand(), whereCommand(), startCommand(), stopCommand(), pauseCommand(), resumeCommand(),
	}
}

// clusterOf is the cluster that a Machine is placed in, "" where it has no place.
func clusterOf(machine *vitistackv1alpha1.Machine) string {
	if ledger, err := vitistackv1alpha1.LedgerOf(machine); err == nil {
		return ledger.Config
	}
	if ref := machine.Status.KubevirtConfigRef; ref != nil {
		return ref.Name
	}
	return ""
}

// moving says from where to where a Machine is being moved, "" where it is not.
func moving(machine *vitistackv1alpha1.Machine) string {
	record, under, err := vitistackv1alpha1.MoveRecordOf(machine)
	switch {
	case !under:
		return ""
	case err != nil:
		return "its record cannot be read (" + err.Error() + ")"
	}
	way := record.From.Config + " → " + record.To.Config
	if record.Stage == vitistackv1alpha1.MoveAborting {
		way += ", given up"
	}
	return way + ", MachineMove " + record.Name
}
