package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

func listCommand() *cobra.Command {
	var way reach.Flags
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the remote clusters: how they are, since when, and when the credential ends",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			supervisor, err := way.Open(cmd.Context())
			if err != nil {
				return err
			}
			return list(cmd.Context(), supervisor, cmd.OutOrStdout(), time.Now())
		},
	}
	way.AddBeside(cmd.Flags())
	return cmd
}

func list(ctx context.Context, supervisor *reach.Supervisor, out io.Writer, now time.Time) error {
	configs, err := supervisor.Configs(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "CLUSTER\tCONNECTED\tSINCE\tKUBERNETES\tKUBEVIRT\tMACHINES\tCREDENTIAL ENDS\tWHAT IS WRONG")
	for i := range configs {
		config := &configs[i]
		connected, since := connection(config, now)
		machines := "?"
		if config.Status.Machines != nil {
			machines = strconv.Itoa(int(*config.Status.Machines))
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", config.Name, connected, since,
			cmp.Or(config.Status.Versions.Kubernetes, "?"), cmp.Or(config.Status.Versions.KubeVirt, "?"), machines,
			credentialEnds(ctx, supervisor, config, now), trouble(config))
	}
	return table.Flush()
}

// connection is the state of the connection, and since when it is so.
func connection(config *vitistackv1alpha1.KubevirtConfig, now time.Time) (connected, since string) {
	condition := meta.FindStatusCondition(config.Status.Conditions, vitistackv1alpha1.ConditionConnected)
	if condition == nil {
		return "not looked at yet", "-"
	}
	connected = condition.Reason
	if condition.Status == metav1.ConditionTrue {
		connected = "yes"
		if config.Spec.Paused {
			connected = "yes, paused"
		}
	}
	return connected, duration.HumanDuration(now.Sub(condition.LastTransitionTime.Time))
}

// trouble is the first condition that is not as it should be.
func trouble(config *vitistackv1alpha1.KubevirtConfig) string {
	if config.DeletionTimestamp != nil {
		return "it is being deleted"
	}
	for _, condition := range config.Status.Conditions {
		if condition.Status != metav1.ConditionTrue && condition.Type != vitistackv1alpha1.ConditionReleasable {
			return condition.Reason + ": " + condition.Message
		}
	}
	return "-"
}

// credentialEnds tells when the credential ends, if the caller may read it.
func credentialEnds(
	ctx context.Context, supervisor *reach.Supervisor, config *vitistackv1alpha1.KubevirtConfig, now time.Time,
) string {
	_, content, err := supervisor.Kubeconfig(ctx, config)
	switch {
	case apierrors.IsForbidden(err):
		return "? (its Secret may not be read)"
	case err != nil:
		return "? (no kubeconfig)"
	}
	target, err := kubeconfig.Parse(content, kubeconfig.Options{})
	if err != nil {
		field := new(kubeconfig.FieldError)
		if errors.As(err, &field) {
			return "? (" + field.Field + ")"
		}
		return "?"
	}
	end := target.NotAfter()
	switch {
	case end.IsZero():
		return "never"
	case end.Before(now):
		return duration.HumanDuration(now.Sub(end)) + " ago"
	}
	return "in " + duration.HumanDuration(end.Sub(now))
}
