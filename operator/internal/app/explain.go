package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/placement"
	placementhost "github.com/vitistack/kubevirt-multicluster/placement/host"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// ExitCode is what the program ends with after an error of Command: 1, and of explain and replay 1 for placementhost.ErrUndecided, else 2.
func ExitCode(err error) int {
	if _, unanswered := errors.AsType[unansweredError](err); unanswered {
		return 2
	}
	return 1
}

// unansweredError is why a command that answers with its exit code gave no answer.
type unansweredError struct{ error }

// Unwrap returns the error.
func (e unansweredError) Unwrap() error { return e.error }

// answering makes a command one that answers with its exit code.
func answering(cmd *cobra.Command) *cobra.Command {
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		err := run(cmd, args)
		if err == nil || errors.Is(err, placementhost.ErrUndecided) {
			return err
		}
		return unansweredError{err}
	}
	return cmd
}

func explainCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "explain", Short: "Say why something is as it is"}
	cmd.AddCommand(answering(explainMachineCommand()))
	return cmd
}

func explainMachineCommand() *cobra.Command {
	var options Options
	var output string
	cmd := &cobra.Command{
		Use:   "machine NAMESPACE/NAME",
		Short: "Say where a Machine is or would be placed, and why",
		Long: "Say where a Machine is or would be placed: the facts, each strategy's answer and the guard's verdict, by the same code as the\n" +
			"operator and without a write. Give it the operator's environment and placement flags. It was not there when the Machine was\n" +
			"created, so it waits for every cluster, as the operator does after a restart.\n" +
			"It ends with 0 where the Machine has or would get a place, 1 where it would not, and 2 where that cannot be told.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return explainMachine(cmd.Context(), cmd.OutOrStdout(), options, args[0], output)
		},
	}
	options.onceFlags(cmd.Flags())
	options.addPlacementFlags(cmd.Flags())
	cmd.Flags().BoolVar(&options.Machine.AllowUnverifiedIdentity, "allow-unverified-identity", false, "as the operator has it")
	cmd.Flags().StringVarP(&output, "output", "o", "", "json for tools")
	return cmd
}

func explainMachine(ctx context.Context, out io.Writer, options Options, argument, output string) error {
	namespace, name, found := strings.Cut(argument, "/")
	if !found || namespace == "" || name == "" {
		return fmt.Errorf("%q is not NAMESPACE/NAME", argument)
	}
	if output != "" && output != "json" {
		return fmt.Errorf("-o %s: want json", output)
	}
	if err := options.completePluginDir(); err != nil {
		return err
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
	host, err := placementhost.New(s.options.plugins(), logr.Discard())
	if err != nil {
		return err
	}
	if err := host.Host.Start(ctx); err != nil {
		return err
	}
	defer func() { _ = host.Close() }()
	_ = host.WaitReady(ctx) // one that is not ready says so in the trace
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
	Request  json.RawMessage                  `json:"request,omitempty"`
}

func writeExplanation(out io.Writer, e machine.Explanation) error {
	all := explanation{
		Machine: e.Machine.Namespace + "/" + e.Machine.Name, UID: e.Machine.UID, Verdict: e.Verdict, Config: e.Config, VM: e.VM,
		Reason: e.Reason, Message: e.Message, Ledger: e.Ledger, Trace: e.Trace,
		Recorded: e.Recorded,
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

func printExplanation(out io.Writer, e machine.Explanation) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintf(table, "Machine %s/%s, UID %s\n", e.Machine.Namespace, e.Machine.Name, e.Machine.UID)
	if len(e.Request.Candidates) > 0 {
		fmt.Fprintln(table, "\nCLUSTER\tREACHABLE\tVIRTUAL MACHINE\tMACHINES\tFREE")
	}
	for _, c := range e.Request.Candidates {
		fmt.Fprintf(table, "%s\t%t\t%s\t%s\t%s\n", c.Name, c.Reachable, vmText(c.VM), numberText(c.Capacity.Machines), freeText(c.Capacity.Free))
	}
	if len(e.Trace) > 0 {
		fmt.Fprintln(table, "\nSTRATEGY\tANSWER\tCLUSTER\tWHY")
	}
	for _, step := range e.Trace {
		why := strings.Trim(step.Reason+": "+step.Message, ": ")
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", step.Strategy, step.Verdict, step.Config, why)
	}
	fmt.Fprintln(table, "\n"+verdictText(e))
	return table.Flush()
}

func vmText(vm placement.VM) string {
	switch vm.Presence {
	case placement.Present:
		return fmt.Sprintf("%s (%s)", vm.Presence, vm.Owner)
	case placement.Unreachable:
		return fmt.Sprintf("%s (%s)", vm.Presence, vm.Cause)
	}
	return vm.Presence.String()
}

func numberText(n *int64) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}

func freeText(free placement.Resources) string {
	if free.MilliCPU == nil || free.MemoryBytes == nil {
		return "-"
	}
	return fmt.Sprintf("%d mCPU, %d MiB", *free.MilliCPU, *free.MemoryBytes>>20)
}

func verdictText(e machine.Explanation) string {
	text := map[machine.Verdict]string{
		machine.VerdictPlaced:  "It is placed in " + e.Config + " and stays there.",
		machine.VerdictRestore: "It is placed in " + e.Config + "; its lost ledger would be written anew.",
		machine.VerdictPlace:   "It would be placed in " + e.Config + ".",
		machine.VerdictAdopt:   "It would be placed in " + e.Config + ", and take over VirtualMachine " + e.VM + ".",
		machine.VerdictWait:    "It would wait.",
		machine.VerdictBlocked: "It would not be placed until somebody acts.",
		machine.VerdictPaused:  "It is paused: nothing is done.",
	}[e.Verdict]
	if by := e.Recorded.By(); by != "" && e.Verdict == machine.VerdictPlaced {
		text = "It was placed in " + e.Recorded.Config + " " + by + ".\n" + text
	}
	if e.Reason != "" {
		text += "\n" + e.Reason + ": " + e.Message
	}
	return text
}
