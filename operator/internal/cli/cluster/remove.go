package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/removal"
)

// releaseTimeout is how long the operator may take to let a KubevirtConfig go.
const releaseTimeout = time.Minute

// named is how many Machines a refusal names.
const named = 5

func removeCommand() *cobra.Command {
	var way reach.Flags
	var yes bool
	cmd := &cobra.Command{
		Use:   "remove NAME",
		Short: "Forget a remote cluster, and end the operator's credential for it",
		Long: "Forget a remote cluster, and end the operator's credential for it. It refuses while Machines are there or\n" +
			"something is owed to it. The service account and its rights stay in the remote cluster, without a token;\n" +
			"kubectl delete -k deploy/remote takes them away.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			supervisor, err := way.Open(cmd.Context())
			if err != nil {
				return err
			}
			return remove(cmd.Context(), supervisor, args[0], yes, streams{in: cmd.InOrStdin(), out: cmd.OutOrStdout()})
		},
	}
	way.AddBeside(cmd.Flags())
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

func remove(ctx context.Context, supervisor *reach.Supervisor, name string, yes bool, s streams) error {
	config, err := supervisor.KubevirtConfig(ctx, name)
	if err != nil {
		return err
	}
	if err := unused(ctx, supervisor, name); err != nil {
		return err
	}
	secret, content, err := supervisor.Kubeconfig(ctx, config)
	if err != nil && !apierrors.IsNotFound(err) && secret == nil {
		return err
	}
	fmt.Fprintf(s.out, "Cluster %s: no Machine is there. KubevirtConfig %s goes, its Secret with the kubeconfig, "+
		"and the token in it.\n", name, nameOf(supervisor.Key(name)))
	if !yes {
		if err := ask(s, "Go on?"); err != nil {
			return err
		}
	}
	if err := forget(ctx, supervisor, config); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "KubevirtConfig %s is gone.\n", nameOf(supervisor.Key(name)))
	left := endOwn(ctx, content, s)
	if secret != nil {
		if err := supervisor.Delete(ctx, secret); client.IgnoreNotFound(err) != nil {
			return errors.Join(left, fmt.Errorf("deleting the Secret of cluster %s: %w", name, err))
		}
		fmt.Fprintf(s.out, "Secret %s is gone.\n", client.ObjectKeyFromObject(secret))
	}
	return exit.Incomplete(left)
}

// unused refuses a cluster in which something of ours is.
func unused(ctx context.Context, supervisor *reach.Supervisor, name string) error {
	machines := &metav1.PartialObjectMetadataList{}
	machines.SetGroupVersionKind(vitistackv1alpha1.SchemeGroupVersion.WithKind("MachineList"))
	if err := supervisor.List(ctx, machines); err != nil {
		return fmt.Errorf("looking for Machines in cluster %s: %w", name, err)
	}
	var there []string
	for i := range machines.Items {
		if slices.Contains(clientmgr.ByConfig(&machines.Items[i]), name) {
			there = append(there, client.ObjectKeyFromObject(&machines.Items[i]).String())
		}
	}
	if len(there) > 0 {
		return exit.No(fmt.Errorf("cluster %s has Machines (%d: %s): delete them first", name, len(there), some(there)))
	}
	debts, err := removal.Book{Server: supervisor.Client, Namespace: supervisor.Namespace}.Debts(ctx)
	if err != nil {
		return fmt.Errorf("reading what is owed to cluster %s: %w", name, err)
	}
	for _, debt := range debts {
		if debt.Ledger.Config == name {
			there = append(there, debt.Ledger.Namespace+"/"+debt.Ledger.VMName)
		}
	}
	if len(there) > 0 {
		return exit.No(fmt.Errorf(
			"cluster %s has virtual machines that are still to be deleted (%d: %s): kubectl machine debts",
			name, len(there), some(there),
		))
	}
	return nil
}

// some names a few.
func some(all []string) string {
	slices.Sort(all)
	if more := len(all) - named; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:named], ", "), more)
	}
	return strings.Join(all, ", ")
}

// forget deletes the KubevirtConfig and waits until the operator has let it go: it looks once more
// for Machines, which may have been placed since.
func forget(ctx context.Context, supervisor *reach.Supervisor, config *vitistackv1alpha1.KubevirtConfig) error {
	if err := supervisor.Delete(ctx, config, client.Preconditions{UID: &config.UID}); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting KubevirtConfig %s: %w", config.Name, err)
	}
	err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, releaseTimeout, true,
		func(ctx context.Context) (bool, error) {
			err := supervisor.Get(ctx, client.ObjectKeyFromObject(config), config)
			return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
		})
	if wait.Interrupted(err) && ctx.Err() == nil {
		return fmt.Errorf("KubevirtConfig %s is still there after %s, kept by %s (%s); its Secret stays until the operator "+
			"lets it go: call this again then", config.Name, releaseTimeout, strings.Join(config.Finalizers, ", "),
			cmp.Or(config.Status.Message, "does the operator run?"))
	}
	return err
}

// endOwn ends the operator's credential with the operator's own right to delete Secrets. The error
// is why it may be valid still.
func endOwn(ctx context.Context, content []byte, s streams) error {
	target, err := kubeconfig.Parse(content, kubeconfig.Options{})
	if err != nil {
		return nil //nolint:nilerr // there is no credential that could work
	}
	secret, bound := secretOf(target.Token.Reveal())
	if !bound {
		return errors.New("the credential was none that ends with a Secret: it is valid until it ends by itself")
	}
	own, err := reach.To(target)
	if err != nil {
		return err
	}
	asking, cancel := context.WithTimeout(ctx, endTimeout+20*time.Second)
	defer cancel()
	if err := end(asking, own, corev1.Secret{ObjectMeta: secret.ObjectMeta}, own); err != nil {
		return fmt.Errorf("the operator's token may still be valid in the remote cluster; delete Secret %s there: %w",
			client.ObjectKeyFromObject(&secret), err)
	}
	fmt.Fprintln(s.out, "The operator's token has ended: the remote cluster refuses it.")
	return nil
}
