// Command operator runs in a supervisor cluster and turns its Machines into KubeVirt
// VirtualMachines in remote clusters.
package main

import (
	"fmt"
	"os"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli"
)

func main() {
	root := app.Command()
	root.AddCommand(cli.Commands()...)
	if err := root.ExecuteContext(ctrl.SetupSignalHandler()); err != nil {
		fmt.Fprintln(os.Stderr, "operator:", err)
		os.Exit(cli.ExitCode(err))
	}
}
