package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/placement"
	placementhost "github.com/vitistack/kubevirt-multicluster/placement/host"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

func explainCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "explain", Short: "Say why something is as it is"}
	cmd.AddCommand(answering(explainMachineCommand()))
	return cmd
}

func explainMachineCommand() *cobra.Command {
	var options app.Options
	var output string
	cmd := &cobra.Command{
		Use:   "machine NAMESPACE/NAME",
		Short: "Say where a Machine is or would be placed, and why",
		Long: "Say where a Machine is or would be placed: the facts, each strategy's answer and the guard's verdict,\n" +
			"by the same code as the operator and without a write. Give it the operator's environment and placement\n" +
			"flags. It was not there when the Machine was created, so it waits for every cluster, as the operator does\n" +
			"after a restart.\n" +
			"It ends with 0 where the Machine has or would get a place, 1 where it would not, and 2 where that cannot\n" +
			"be told.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return explainMachine(cmd.Context(), cmd.OutOrStdout(), options, args[0], output)
		},
	}
	options.AddSessionFlags(cmd.Flags())
	options.AddPlacementFlags(cmd.Flags())
	cmd.Flags().StringVarP(&output, "output", "o", "", "json for tools")
	return cmd
}

func explainMachine(ctx context.Context, out io.Writer, options app.Options, argument, output string) error {
	namespace, name, found := strings.Cut(argument, "/")
	if !found || namespace == "" || name == "" {
		return fmt.Errorf("%q is not NAMESPACE/NAME", argument)
	}
	if output != "" && output != "json" {
		return fmt.Errorf("-o %s: want json", output)
	}
	return inSession(ctx, options, func(ctx context.Context, s *session) error {
		return s.explain(ctx, out, types.NamespacedName{Namespace: namespace, Name: name}, output == "json")
	})
}

// explain asks the plugins as the operator would.
func (s *session) explain(ctx context.Context, out io.Writer, key client.ObjectKey, asJSON bool) error {
	err := s.GetFieldIndexer().IndexField(ctx, &vitistackv1alpha1.Machine{}, clientmgr.IndexConfig, clientmgr.ByConfig)
	if err != nil {
		return err
	}
	host, err := placementhost.New(s.options.Plugins(), placementhost.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = host.Close() }()
	if err := host.Open(ctx); err != nil {
		return err
	}
	reconciler := machine.NewMachineReconciler(readOnly{s.GetClient()}, s.GetScheme(), s.remotes,
		machine.WithPlacement(host), machine.WithSettings(s.options.Machine), machine.WithLiveReader(s.GetAPIReader()))
	e, err := reconciler.Explain(ctx, key)
	if err != nil {
		return err
	}
	if asJSON {
		err = writeExplanation(out, e)
	} else {
		err = printExplanation(out, e)
	}
	if err == nil && e.Config == "" {
		err = placementhost.ErrUndecided
	}
	return err
}

// explanation is the JSON of an Explanation. Request is what replay reads.
type explanation struct {
	Machine  string                           `json:"machine"`
	UID      types.UID                        `json:"uid"`
	Verdict  machine.Verdict                  `json:"verdict"`
	Config   string                           `json:"config,omitempty"`
	VM       string                           `json:"vm,omitempty"`
	Reason   string                           `json:"reason,omitempty"`
	Message  string                           `json:"message,omitempty"`
	Ledger   *vitistackv1alpha1.Ledger        `json:"ledger,omitempty"`
	Recorded vitistackv1alpha1.PlacementTrace `json:"recorded,omitzero"`
	Trace    placement.Trace                  `json:"trace,omitempty"`
	// Hidden are the names of the annotations that strategies do not see. No value is told.
	Hidden  []string        `json:"hiddenAnnotations,omitempty"`
	Request json.RawMessage `json:"request,omitempty"`
}

func writeExplanation(out io.Writer, e machine.Explanation) error {
	all := explanation{
		Machine: e.Machine.Namespace + "/" + e.Machine.Name, UID: e.Machine.UID,
		Verdict: e.Verdict, Config: e.Config, VM: e.VM, Reason: e.Reason, Message: e.Message,
		Ledger: e.Ledger, Recorded: e.Recorded, Trace: e.Trace, Hidden: e.Hidden,
	}
	if e.Trace != nil {
		request, err := plugin.MarshalRequest(e.Request)
		if err != nil {
			return err
		}
		all.Request = request
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(all)
}
