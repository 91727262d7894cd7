package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
)

func upCommand(dir *string, options fleet.Options) *cobra.Command {
	var mode string
	var detach, held bool
	cmd := &cobra.Command{
		Use:   "up --dir DIR",
		Short: "Start a fleet; it runs until Ctrl-C, or until `fleet down` where --detach is given",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if options.KubeVirt, err = parseMode(mode); err != nil {
				return err
			}
			if options.Remotes == 0 { // which fleet.Options takes for its default
				return errors.New("0 remotes: want 1 to 16")
			}
			options.Dir, options.Progress = *dir, cmd.OutOrStdout()
			switch {
			case held:
				return upHeld(cmd.Context(), options)
			case detach:
				return upDetached(cmd, *dir)
			default:
				return up(cmd.Context(), options, func(*fleet.Fleet) error {
					fmt.Fprintln(options.Progress, "Ctrl-C takes all of it down.")
					return nil
				})
			}
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&options.Remotes, "remotes", 3, "number of remote clusters, 1 to 16")
	flags.StringVar(&mode, "kubevirt", kubevirt.Real.String(),
		"real: KubeVirt's own controllers; light: a stand-in for them")
	flags.BoolVar(&options.Audit, "audit", false, "write CLUSTER.audit.log to the folder")
	flags.IntVar(&options.BasePort, "base-port", 0, "first port, two for each cluster (default: free ones)")
	flags.BoolVar(&options.Terminate, "terminate", false,
		"let the proxies end TLS, so that faults reach connections that are open already")
	flags.BoolVar(&detach, detachFlag, false, "return when the fleet is ready, and leave it running")
	flags.BoolVar(&held, heldFlag, false, "")
	_ = flags.MarkHidden(heldFlag)
	return cmd
}

// upHeld runs a fleet for a process that waits until it is ready and then leaves.
func upHeld(ctx context.Context, options fleet.Options) error {
	var h holder
	ctx, cancel := h.watch(ctx)
	defer cancel()
	return up(ctx, options, h.release)
}

// up runs a fleet until the context ends; ready is called once, when it can be used.
func up(ctx context.Context, options fleet.Options, ready func(*fleet.Fleet) error) error {
	f, err := fleet.Start(ctx, options)
	if err != nil {
		return cmp.Or(ctx.Err(), err)
	}
	server, err := serve(f)
	if err != nil {
		return errors.Join(err, f.Stop())
	}
	printReady(options.Progress, f)
	if err = ready(f); err == nil {
		<-ctx.Done()
	}
	return errors.Join(err, server.close(), f.Stop())
}

// printReady tells a person what there is and what to do with it.
func printReady(w io.Writer, f *fleet.Fleet) {
	_ = printStatus(w, f.Status())
	fmt.Fprintf(w, `
The KubevirtConfigs:   kubectl --kubeconfig %s -n %s get kubevirtconfigs
A remote cluster:      kubectl --kubeconfig %s get virtualmachines -A
The operator's rights: export KUBEVIRT_CONFIGS_NAMESPACE=%[2]s KUBECONFIG=%[4]s
`, quoted(f.Supervisor.Kubeconfig()), fleet.ConfigsNamespace, quoted(f.Remotes[0].Kubeconfig()), quoted(f.OperatorKubeconfig()))
}

// quoted returns a path as a shell takes it.
func quoted(path string) string {
	if strings.ContainsFunc(path, func(r rune) bool { return !strings.ContainsRune(plain, r) }) {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}

// plain are the characters that mean nothing to a shell.
const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+:@%,="

func parseMode(name string) (kubevirt.Mode, error) {
	for _, mode := range []kubevirt.Mode{kubevirt.Real, kubevirt.Light} {
		if mode.String() == name {
			return mode, nil
		}
	}
	return 0, fmt.Errorf("unknown mode %q for --kubevirt: want real or light", name)
}
