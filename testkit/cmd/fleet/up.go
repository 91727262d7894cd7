package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
)

func upCommand(dir *string) *cobra.Command {
	options := fleet.Options{}
	var mode string
	var detach bool
	cmd := &cobra.Command{
		Use:   "up --dir DIR",
		Short: "Start a fleet; it runs until Ctrl-C, or until `fleet down` where --detach is given",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if options.KubeVirt, err = parseMode(mode); err != nil {
				return err
			}
			options.Dir, options.Progress = *dir, cmd.OutOrStdout()
			if detach {
				return upDetached(cmd.Context(), *dir, cmd.OutOrStdout())
			}
			return up(cmd.Context(), options)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&options.Remotes, "remotes", 3, "number of remote clusters, 1 to 16")
	flags.StringVar(&mode, "kubevirt", kubevirt.Real.String(), "real: KubeVirt's own controllers; light: a stand-in for them")
	flags.BoolVar(&options.Audit, "audit", false, "write CLUSTER.audit.log to the folder")
	flags.IntVar(&options.BasePort, "base-port", 0, "first port, two for each cluster (default: free ones)")
	flags.BoolVar(&options.Terminate, "terminate", false, "let the proxies end TLS, so that faults reach connections that are open already")
	flags.BoolVar(&detach, "detach", false, "return when the fleet is ready, and leave it running")
	return cmd
}

// up runs a fleet until the context ends.
func up(ctx context.Context, options fleet.Options) error {
	f, err := fleet.Start(ctx, options)
	if err != nil {
		return err
	}
	server, err := serve(f)
	if err != nil {
		return errors.Join(err, f.Stop())
	}
	printReady(options.Progress, f)
	err = releaseOutput(f)
	if err == nil {
		<-ctx.Done()
	}
	return errors.Join(err, server.close(), f.Stop())
}

// printReady tells a person what there is and what to do with it.
func printReady(w io.Writer, f *fleet.Fleet) {
	printStatus(w, f.Status())
	fmt.Fprintf(w, `
The KubevirtConfigs:   kubectl --kubeconfig %s -n %s get kubevirtconfigs
The operator's rights: KUBECONFIG=%s
A remote cluster:      kubectl --kubeconfig %s get virtualmachines -A
`, f.Supervisor.Kubeconfig(), fleet.ConfigsNamespace, f.OperatorKubeconfig(), f.Remotes[0].Kubeconfig())
	if os.Getenv(detachedVariable) == "" {
		fmt.Fprintln(w, "Ctrl-C takes all of it down.")
	}
}

func parseMode(name string) (kubevirt.Mode, error) {
	for _, mode := range []kubevirt.Mode{kubevirt.Real, kubevirt.Light} {
		if mode.String() == name {
			return mode, nil
		}
	}
	return 0, fmt.Errorf("unknown mode %q for --kubevirt: want real or light", name)
}
