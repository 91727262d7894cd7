// Command operator runs in a supervisor cluster and turns its Machines into KubeVirt VirtualMachines in remote clusters.
package main

import (
	"fmt"
	"os"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
)

func main() {
	if err := app.Command().ExecuteContext(ctrl.SetupSignalHandler()); err != nil {
		fmt.Fprintln(os.Stderr, "operator:", err)
		os.Exit(app.ExitCode(err))
	}
}
