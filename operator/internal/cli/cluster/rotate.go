package cluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// rotation is what a person says about a credential to replace.
type rotation struct {
	supervisor          reach.Flags
	kubeconfig, context string
	issue               issue
	yes                 bool
}

func rotateCommand() *cobra.Command {
	var r rotation
	cmd := &cobra.Command{
		Use:   "rotate NAME --kubeconfig FILE [--context CONTEXT]",
		Short: "Give the operator a new credential for a remote cluster, and end the old one",
		Long: "Give the operator a new credential for a remote cluster, and end the old one. --kubeconfig and --context\n" +
			"are yours for the remote cluster, because the operator may make no token for itself. The new token is\n" +
			"tried before the operator gets it; the operator takes it over without a restart. The old one ends with\n" +
			"its Secret.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.run(cmd.Context(), args[0], streams{in: cmd.InOrStdin(), out: cmd.OutOrStdout()})
		},
	}
	r.supervisor.AddBeside(cmd.Flags())
	addRemote(cmd.Flags(), &r.kubeconfig, &r.context)
	r.issue.add(cmd.Flags())
	cmd.Flags().BoolVarP(&r.yes, "yes", "y", false, "do not ask")
	cmd.MarkFlagsMutuallyExclusive("expires", "permanent")
	_ = cmd.MarkFlagRequired("kubeconfig")
	return cmd
}

func (r *rotation) run(ctx context.Context, name string, s streams) error {
	supervisor, err := r.supervisor.Open(ctx)
	if err != nil {
		return err
	}
	config, err := supervisor.KubevirtConfig(ctx, name)
	if err != nil {
		return err
	}
	secret, content, err := supervisor.Kubeconfig(ctx, config)
	if err != nil {
		return err
	}
	old, err := kubeconfig.Parse(content, kubeconfig.Options{})
	if err != nil {
		return fmt.Errorf("the kubeconfig of cluster %s: %w; kubectl machine cluster add %s makes a new one", name, err, name)
	}
	remote, identity, err := r.remote(ctx, config)
	if err != nil {
		return err
	}
	objects, err := access()
	if err != nil {
		return err
	}
	of := account(objects)
	if err := demand(ctx, remote, "the remote cluster", toIssue(of.Namespace)); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Cluster %s at %s: a new token of %s for %s; the old one ends.\n", name, old.Server.String(), of,
		r.issue)
	if !r.yes {
		if err := ask(s, "Go on?"); err != nil {
			return err
		}
	}
	supervisorUID, err := supervisor.Identity(ctx)
	if err != nil {
		return err
	}
	next, err := r.next(ctx, remote, of, credentialLabels(supervisorUID, name), destination{old, identity})
	if err != nil {
		return err
	}
	if err := replace(ctx, supervisor, secret, next.kubeconfig); err != nil {
		return errors.Join(fmt.Errorf("writing the Secret of cluster %s: %w", name, err),
			undo(context.WithoutCancel(ctx), remote, []object{next.token.secret}))
	}
	fmt.Fprintf(s.out, "The operator has a new token%s.\n", next.token.ends())
	return r.endOld(ctx, s, remote, old)
}

// remote is the caller's way into the cluster, which must be the one that the KubevirtConfig stands
// for.
func (r *rotation) remote(
	ctx context.Context, config *vitistackv1alpha1.KubevirtConfig,
) (*reach.Cluster, string, error) {
	remote, err := reach.Open(r.kubeconfig, r.context)
	if err != nil {
		return nil, "", fmt.Errorf("the remote cluster: %w", err)
	}
	identity, err := remote.Identity(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("the remote cluster: %w", err)
	}
	if known := identityOf(config); known != "" && known != identity {
		return nil, "", fmt.Errorf("your kubeconfig leads to another cluster (%s) than KubevirtConfig %s stands for (%s)",
			identity, config.Name, known)
	}
	return remote, identity, nil
}

// replacement is a new credential that was tried.
type replacement struct {
	token      token
	kubeconfig []byte
}

// destination is where a credential has to lead: to the address of the old one, and to a cluster of
// this identity.
type destination struct {
	old      kubeconfig.Target
	identity string
}

// next makes a new credential and tries it at the address that the operator uses.
func (r *rotation) next(
	ctx context.Context, remote *reach.Cluster, of client.ObjectKey, labels map[string]string, to destination,
) (made replacement, err error) {
	made.token, err = r.issue.token(ctx, remote, of, labels)
	defer func() {
		if err != nil && made.token.secret.Unstructured != nil {
			err = errors.Join(err, undo(context.WithoutCancel(ctx), remote, []object{made.token.secret}))
		}
	}()
	if err != nil {
		return made, err
	}
	same := template{name: labels[labelConfig]}
	same.cluster.Server, same.cluster.TLSServerName = to.old.Server.String(), to.old.ServerName
	same.cluster.CertificateAuthorityData = to.old.CA
	if made.kubeconfig, err = same.with(made.token.value); err != nil {
		return made, err
	}
	objects, err := access()
	if err != nil {
		return made, err
	}
	given, err := rules(objects)
	if err != nil {
		return made, err
	}
	if err = proven(ctx, made.kubeconfig, to.identity, rightsOf(given)); err != nil {
		err = fmt.Errorf("the new token was tried and does not do, so the old one stays: %w", err)
	}
	return made, err
}

// endOld ends the credential that was replaced, where it can be ended.
func (r *rotation) endOld(ctx context.Context, s streams, remote *reach.Cluster, old kubeconfig.Target) error {
	secret, bound := secretOf(old.Token.Reveal())
	if !bound {
		fmt.Fprintln(s.out, "The old credential is none that ends with a Secret: it is valid until it ends by itself, "+
			"or until the cluster's administrator revokes it.")
		return nil
	}
	way, err := reach.To(old)
	if err != nil {
		return err
	}
	if err := end(ctx, remote, corev1.Secret{ObjectMeta: secret.ObjectMeta}, way); err != nil {
		return fmt.Errorf("the operator has the new token, but the old one has not ended: %w", err)
	}
	fmt.Fprintf(s.out, "The old token has ended: Secret %s is gone, and the cluster refuses it.\n",
		client.ObjectKeyFromObject(&secret))
	return nil
}
