package cluster

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// addition is what a person says about the cluster to add.
type addition struct {
	name       string
	supervisor reach.Flags
	kubeconfig string
	context    string
	server     string
	same       bool
	moves      bool
	guest      bool
	issue      issue
	yes, dry   bool
}

func addCommand() *cobra.Command {
	var a addition
	cmd := &cobra.Command{
		Use:   "add NAME --kubeconfig FILE [--context CONTEXT]",
		Short: "Let the operator into a remote cluster, and tell it of the cluster",
		Long: "Let the operator into a remote cluster, and tell it of the cluster. --kubeconfig and --context are yours\n" +
			"for the remote cluster; the supervisor is where kubectl leads, unless --supervisor-kubeconfig or\n" +
			"--supervisor-context say otherwise.\n\n" +
			"In the remote cluster it makes a namespace, a service account and its rights, and a token; in the supervisor\n" +
			"a Secret with a kubeconfig, and the KubevirtConfig NAME. It looks first, says what it will do, and asks.\n" +
			"It can be called again: what is as it should be stays, and a credential that works is kept.",
		Example: "  kubectl machine cluster add east --kubeconfig east.kubeconfig\n" +
			"  kubectl machine cluster add west --kubeconfig all.kubeconfig --context west --yes",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.name = args[0]
			return a.run(cmd.Context(), streams{in: cmd.InOrStdin(), out: cmd.OutOrStdout()})
		},
	}
	flags := cmd.Flags()
	a.supervisor.AddBeside(flags)
	addRemote(flags, &a.kubeconfig, &a.context)
	flags.StringVar(&a.server, "server", "",
		"address of the API server as the operator reaches it (default: the one in the kubeconfig)")
	flags.BoolVar(&a.same, "allow-supervisor", false, "let Machines run in the supervisor itself")
	flags.BoolVar(&a.moves, "with-moves", false,
		"also the rights to move Machines from and to this cluster, and to tell which ones can run there (deploy/docs/move.md)")
	flags.BoolVar(&a.guest, "with-guest", false,
		"also the rights to restart, pause and resume guests of this cluster (deploy/docs/restart.md)")
	a.issue.add(flags)
	flags.BoolVarP(&a.yes, "yes", "y", false, "do not ask")
	flags.BoolVar(&a.dry, "dry-run", false, "look, say what would be done, and end")
	cmd.MarkFlagsMutuallyExclusive("expires", "permanent")
	_ = cmd.MarkFlagRequired("kubeconfig")
	return cmd
}

// addRemote declares the flags that lead to a remote cluster.
func addRemote(flags *pflag.FlagSet, kubeconfig, context *string) {
	flags.StringVar(kubeconfig, "kubeconfig", "", "your kubeconfig of the remote cluster")
	flags.StringVar(context, "context", "", "context of the remote cluster (default: the current one)")
}

// streams are a person at a terminal.
type streams struct {
	in  io.Reader
	out io.Writer
}

func (a *addition) run(ctx context.Context, s streams) error {
	found, err := a.look(ctx)
	if err != nil {
		return err
	}
	found.describe(s.out)
	switch {
	case found.complete():
		fmt.Fprintf(s.out, "\nNothing is to be done: cluster %s is there, and its credential works.\n", a.name)
		return nil
	case a.dry:
		return nil
	case !a.yes:
		if err := ask(s, "Go on?"); err != nil {
			return err
		}
	}
	if err := found.make(ctx, s.out); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\nCluster %s is added. How it fares: kubectl machine cluster check %s\n", a.name, a.name)
	return nil
}

// ask wants a yes.
func ask(s streams, question string) error {
	fmt.Fprintf(s.out, "\n%s [y/N] ", question)
	answer, err := bufio.NewReader(s.in).ReadString('\n')
	if err != nil && answer == "" {
		fmt.Fprintln(s.out)
		return errors.New("nobody answered, so nothing was done: say --yes to go on without a question")
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errors.New("nothing was done")
}

// describe says what was found, and what will be done.
func (f *findings) describe(out io.Writer) {
	fmt.Fprintf(out, "Cluster %s at %s: Kubernetes %s, %s\n", f.name, f.kubeconfig.server(), f.kubernetes, f.kubevirt)
	fmt.Fprintf(out, "\nIn the remote cluster (%s):\n", f.identity)
	for _, each := range f.access {
		fmt.Fprintf(out, "  %s %s\n", each.found, each)
	}
	if f.credentialWorks {
		fmt.Fprintln(out, "  = the credential, which works")
	} else {
		fmt.Fprintf(out, "  + Secret %s/%s…, and a token for %s\n", f.account.Namespace, f.account.Name, f.issue)
	}
	fmt.Fprintf(out, "In the supervisor (%s):\n", f.supervisor.Config.Host)
	fmt.Fprintf(out, "  %s Secret %s\n", f.secretState(), f.secretKey)
	fmt.Fprintf(out, "  %s KubevirtConfig %s\n", f.configState(), nameOf(f.supervisor.Key(f.name)))
	fmt.Fprintln(out, "(+ is made, ~ is brought to this release, = stays)")
}

// make does what was said, and takes back what it made if it cannot be finished.
func (f *findings) make(ctx context.Context, out io.Writer) (err error) {
	var made []object
	defer func() {
		if err == nil {
			return
		}
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		if failed := undo(late, f.remote, made); failed != nil {
			err = errors.Join(err, failed)
		} else if len(made) > 0 {
			err = fmt.Errorf("%w (what was made in the remote cluster is taken back)", err)
		}
	}()
	for _, each := range f.access {
		if err := apply(ctx, f.remote, object{Unstructured: each.DeepCopy()}); err != nil {
			return fmt.Errorf("making %s: %w", each, err)
		}
		if each.found == absent {
			made = append(made, each)
		}
	}
	fmt.Fprintf(out, "\nThe operator's service account and rights are in the remote cluster.\n")
	kubeconfig := f.current
	if !f.credentialWorks {
		token, err := f.issue.token(ctx, f.remote, f.account, credentialLabels(f.supervisorUID, f.name))
		if token.secret.Object != nil {
			made = append(made, token.secret)
		}
		if err != nil {
			return err
		}
		if kubeconfig, err = f.kubeconfig.with(token.value); err != nil {
			return err
		}
		if err := proven(ctx, kubeconfig, f.identity, f.rights); err != nil {
			return fmt.Errorf("the new token was tried and does not do: %w", err)
		}
		fmt.Fprintf(out, "Its token works%s.\n", token.ends())
	}
	if err := f.register(ctx, kubeconfig); err != nil {
		return err
	}
	fmt.Fprintf(out, "KubevirtConfig %s and Secret %s are in the supervisor.\n", nameOf(f.supervisor.Key(f.name)),
		f.secretKey)
	return nil
}

// complete says whether all is as it should be.
func (f *findings) complete() bool {
	for _, each := range f.access {
		if each.found != asItIs {
			return false
		}
	}
	return f.secretState() == asItIs && f.configState() == asItIs
}
