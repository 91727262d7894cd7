// Command operator runs in a supervisor cluster and turns its Machines into KubeVirt
// VirtualMachines in remote clusters. Called as kubectl-machine it is kubectl's plugin for the
// people who use them.
package main

import (
	"os"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
)

func main() {
	root := cli.Program(os.Args[0])
	err := root.ExecuteContext(ctrl.SetupSignalHandler())
	os.Exit(exit.Report(root.ErrOrStderr(), root.DisplayName(), err))
}
