package guest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// A way leads into a guest.
type way struct {
	verb, short string
	// right is the subresource of virtualmachineinstances that it needs to get.
	right string
	// user says whether the argument may begin with USER@.
	user bool
}

// Commands are the commands that lead into a guest.
func Commands() []*cobra.Command {
	var all []*cobra.Command
	for _, w := range []way{
		{verb: "console", right: "console", short: "Open the serial console of a Machine's guest"},
		{verb: "vnc", right: "vnc", short: "Open the screen of a Machine's guest"},
		{verb: "ssh", right: "portforward", user: true, short: "Open a shell in a Machine's guest"},
	} {
		all = append(all, w.command())
	}
	return all
}

// visit is one call of a command.
type visit struct {
	way
	subject reach.Subject
	access  reach.Access
}

func (w way) command() *cobra.Command {
	v := visit{way: w}
	name := "(NAME | NAMESPACE/NAME)"
	if w.user {
		name = "[USER@]" + name
	}
	cmd := &cobra.Command{
		Use:   w.verb + " " + name + " [-- ARGUMENTS OF VIRTCTL]",
		Short: w.short,
		Long: w.short + ", with virtctl, KubeVirt's own client, which has to be installed. It takes the kubeconfig of\n" +
			"the remote cluster from the KubevirtConfig, if you may read that, or yours (--remote-kubeconfig,\n" +
			"--remote-context): the operator's own credential has no right to it unless somebody has given it.",
		Args: func(cmd *cobra.Command, args []string) error {
			if dash := cmd.ArgsLenAtDash(); dash >= 0 {
				args = args[:dash]
			}
			return cobra.ExactArgs(1)(cmd, args)
		},
		RunE: v.run,
	}
	v.subject.Add(cmd.Flags())
	v.access.Add(cmd.Flags())
	return cmd
}

func (v *visit) run(cmd *cobra.Command, args []string) error {
	virtctl, err := findVirtctl()
	if err != nil {
		return err
	}
	user, argument := "", args[0]
	if name, rest, found := strings.Cut(argument, "@"); found && v.user {
		user, argument = name+"@", rest
	}
	supervisor, key, err := v.subject.Open(cmd.Context(), argument)
	if err != nil {
		return err
	}
	machine, err := reach.Machine(cmd.Context(), supervisor, key)
	if err != nil {
		return err
	}
	ledger, err := reach.Place(machine)
	if err != nil {
		return exit.No(err)
	}
	config, err := supervisor.KubevirtConfig(cmd.Context(), ledger.Config)
	if err != nil {
		return err
	}
	remote, err := v.access.Open(cmd.Context(), supervisor, config)
	if err != nil {
		return err
	}
	if err := v.check(cmd.Context(), remote, ledger); err != nil {
		return err
	}
	call := append([]string{"--namespace", ledger.Namespace, v.target(user, ledger)}, args[1:]...)
	return v.start(cmd, supervisor, config, virtctl, call)
}

// check makes sure that the guest is this Machine's, that it runs, and that the caller may go to it.
func (v *visit) check(ctx context.Context, remote *reach.Cluster, ledger vitistackv1alpha1.Ledger) error {
	identity, err := remote.Identity(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("cluster %s: %w", ledger.Config, err)
	case identity != ledger.ClusterUID:
		return fmt.Errorf("the kubeconfig leads to cluster %s, but the Machine is in %s, which is %s",
			identity, ledger.Config, ledger.ClusterUID)
	}
	if err := v.allowed(ctx, remote, ledger); err != nil {
		return err
	}
	key := client.ObjectKey{Namespace: ledger.Namespace, Name: ledger.VMName}
	instance := &kubevirtv1.VirtualMachineInstance{}
	err = remote.Get(ctx, key, instance)
	switch {
	case client.IgnoreNotFound(err) != nil:
		return fmt.Errorf("reading the instance %s in cluster %s: %w", key, ledger.Config, err)
	case err != nil:
		return exit.No(fmt.Errorf("the guest does not run: there is no instance %s in cluster %s", key, ledger.Config))
	}
	for _, owner := range instance.OwnerReferences {
		if string(owner.UID) == ledger.VMUID {
			return nil
		}
	}
	if ledger.VMUID == "" {
		return errors.New("the guest is being made: its record does not name it yet")
	}
	return fmt.Errorf("the instance %s in cluster %s is another virtual machine's", key, ledger.Config)
}
