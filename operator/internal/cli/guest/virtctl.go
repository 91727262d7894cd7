package guest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"
	authorizationv1 "k8s.io/api/authorization/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/terminal"
)

// findVirtctl is the path of KubeVirt's client, which krew installs as a plugin of kubectl.
func findVirtctl() (string, error) {
	for _, name := range []string{"virtctl", "kubectl-virt"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("virtctl, KubeVirt's client, is not on the PATH: kubectl krew install virt, or take it " +
		"from the release of the remote cluster's KubeVirt")
}

// target is how virtctl is told the guest.
func (v *visit) target(user string, to vitistackv1alpha1.Ledger) string {
	if v.user {
		return user + "vmi/" + to.VMName
	}
	return to.VMName
}

// allowed asks the remote cluster whether the caller may go there.
func (v *visit) allowed(ctx context.Context, remote *reach.Cluster, to vitistackv1alpha1.Ledger) error {
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: to.Namespace, Name: to.VMName, Verb: "get", Group: "subresources.kubevirt.io",
			Resource: "virtualmachineinstances", Subresource: v.right,
		},
	}}
	if err := remote.Create(ctx, review); err != nil {
		return fmt.Errorf("asking cluster %s for your rights: %w", to.Config, err)
	}
	if review.Status.Allowed {
		return nil
	}
	who, help := "the kubeconfig of cluster "+to.Config, "--remote-kubeconfig takes yours"
	if v.access.Own() {
		who, help = "your kubeconfig", "an administrator of that cluster can give the right"
	}
	return fmt.Errorf("%s may not get virtualmachineinstances/%s of subresources.kubevirt.io in the namespace %s there: "+
		"%s", who, v.right, to.Namespace, help)
}

// start runs virtctl until it ends. Where the kubeconfig is not the caller's, it is in a file that
// only the caller can read, for that long.
func (v *visit) start(
	cmd *cobra.Command, supervisor *reach.Supervisor, config *vitistackv1alpha1.KubevirtConfig, virtctl string,
	args []string,
) error {
	way := []string{v.verb}
	switch {
	case !v.access.Own():
		_, content, err := supervisor.Kubeconfig(cmd.Context(), config)
		if err != nil {
			return err
		}
		folder, err := os.MkdirTemp("", "kubectl-machine-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(folder) }()
		path := filepath.Join(folder, "kubeconfig")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
		way = append(way, "--kubeconfig", path)
	case v.access.Kubeconfig != "":
		way = append(way, "--kubeconfig", v.access.Kubeconfig)
	}
	if v.access.Context != "" {
		way = append(way, "--context", v.access.Context)
	}
	program := exec.CommandContext(cmd.Context(), virtctl, append(way, args...)...)
	program.Stdin, program.Stdout = cmd.InOrStdin(), terminal.Raw(cmd.OutOrStdout()) // the guest has the terminal
	program.Stderr = terminal.Raw(cmd.ErrOrStderr())
	if err := program.Run(); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(virtctl), err)
	}
	return nil
}
