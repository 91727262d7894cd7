package status

import (
	"github.com/spf13/cobra"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Commands are the commands about Machines.
func Commands() []*cobra.Command {
	return []*cobra.Command{
		listCommand(), statusCommand(), whereCommand(), startCommand(), stopCommand(), restartCommand(),
		pauseCommand(), resumeCommand(),
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
