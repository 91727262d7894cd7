package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/placement"
	placementhost "github.com/vitistack/kubevirt-multicluster/placement/host"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

func explainCommand(by entry) *cobra.Command {
	cmd := &cobra.Command{Use: "explain", Short: "Say why something is as it is"}
	cmd.AddCommand(explainMachineCommand(by))
	return cmd
}

func explainMachineCommand(by entry) *cobra.Command {
	var output, file string
	cmd := &cobra.Command{
		Use:   "machine (NAMESPACE/NAME | -f FILE)",
		Short: "Say where a Machine is or would be placed, and why",
		Long: "Say where a Machine is or would be placed: the facts, each strategy's answer and the guard's verdict,\n" +
			"by the same code as the operator and without a write. Give it the operator's environment and placement\n" +
			"flags. It was not there when the Machine was created, so it waits for every cluster, as the operator does\n" +
			"after a restart.\n" +
			"Below it says in which clusters the Machine can run, and why not in the others, as kubectl machine fits does;\n" +
			"one question to each is a creation with dryRun=All.\n" +
			"With -f the Machine is the one of a file, which need not exist: it is explained as it would be once applied.\n" +
			"Of a Machine that is placed or paused, it also says what strategies would answer if it were not, so that\n" +
			"replay has a question.\n" +
			"It ends with 0 where the Machine has or would get a place, 1 where it would not, and 2 where that cannot\n" +
			"be told.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			wanted, err := subjectOf(args, file, cmd.InOrStdin())
			if err != nil {
				return err
			}
			if output != "" && output != "json" {
				return fmt.Errorf("-o %s: want json", output)
			}
			return inSession(cmd.Context(), &by, func(ctx context.Context, s *session) error {
				return s.explain(ctx, cmd.OutOrStdout(), wanted, output == "json")
			})
		},
	}
	by.add(cmd.Flags())
	by.options.AddPlacementFlags(cmd.Flags())
	cmd.Flags().StringVarP(&file, "filename", "f", "", "file with a Machine, YAML or JSON; - is standard input")
	cmd.Flags().StringVarP(&output, "output", "o", "", "json for tools")
	return answering(cmd)
}

// A subject is the Machine to explain: one that exists, or one of a file.
type subject struct {
	key    types.NamespacedName
	wanted *vitistackv1alpha1.Machine // nil for one that exists
}

// subjectOf reads what the command was asked about.
func subjectOf(args []string, file string, stdin io.Reader) (subject, error) {
	switch {
	case (len(args) == 1) == (file != ""):
		return subject{}, errors.New("want either NAMESPACE/NAME or -f FILE")
	case file != "":
		wanted, err := readMachine(file, stdin)
		return subject{wanted: wanted}, err
	}
	namespace, name, found := strings.Cut(args[0], "/")
	if !found || namespace == "" || name == "" {
		return subject{}, fmt.Errorf("%q is not NAMESPACE/NAME", args[0])
	}
	return subject{key: types.NamespacedName{Namespace: namespace, Name: name}}, nil
}

// readMachine reads one Machine. A field that it does not know is an error.
func readMachine(file string, stdin io.Reader) (*vitistackv1alpha1.Machine, error) {
	content, err := os.ReadFile(file)
	if file == "-" {
		content, err = io.ReadAll(stdin)
	}
	if err != nil {
		return nil, err
	}
	wanted := &vitistackv1alpha1.Machine{}
	if err := yaml.UnmarshalStrict(content, wanted); err != nil {
		return nil, fmt.Errorf("reading the Machine in %s: %w", file, err)
	}
	if want := vitistackv1alpha1.SchemeGroupVersion.WithKind("Machine"); wanted.GroupVersionKind() != want {
		return nil, fmt.Errorf("%s: want kind Machine of %s, got kind %q of %q", file, want.GroupVersion(),
			wanted.Kind, wanted.APIVersion)
	}
	if wanted.Name == "" {
		return nil, fmt.Errorf("%s: metadata.name is empty", file)
	}
	wanted.Namespace = cmp.Or(wanted.Namespace, "default")
	return wanted, nil
}

// explain asks the plugins as the operator would.
func (s *session) explain(ctx context.Context, out io.Writer, of subject, asJSON bool) error {
	if err := s.index(ctx); err != nil {
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
		machine.WithPlacement(host), machine.WithSettings(s.options.Machine), machine.WithLiveReader(s.GetAPIReader()),
		machine.WithPatience(gatherPatience))
	e, err := explained(ctx, reconciler, of)
	if err != nil {
		return err
	}
	fitting, unfit := fittingOf(ctx, reconciler, of)
	if asJSON {
		err = writeExplanation(out, e, fitting, unfit)
	} else {
		err = errors.Join(printExplanation(out, e), printFitting(out, fitting, unfit))
	}
	if err == nil && e.Config == "" {
		err = placementhost.ErrUndecided
	}
	return err
}

func explained(ctx context.Context, r *machine.MachineReconciler, of subject) (machine.Explanation, error) {
	if of.wanted != nil {
		return r.ExplainWanted(ctx, of.wanted)
	}
	return r.Explain(ctx, of.key)
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
	// Fits says in which clusters it can run, the best first; Unfit why that cannot be told.
	Fits  []clusterView `json:"fits,omitempty"`
	Unfit string        `json:"unfit,omitempty"`
	// Anew is what request and trace are about where no strategy is asked about the Machine as it is.
	Anew *anew `json:"anew,omitempty"`
}

// anew is what would become of the Machine without its record.
type anew struct {
	Verdict machine.Verdict `json:"verdict"`
	Config  string          `json:"config,omitempty"`
	VM      string          `json:"vm,omitempty"`
	Reason  string          `json:"reason,omitempty"`
	Message string          `json:"message,omitempty"`
}

func writeExplanation(out io.Writer, e machine.Explanation, fitting machine.Fitting, unfit error) error {
	all := explanation{
		Machine: e.Machine.Namespace + "/" + e.Machine.Name, UID: e.Machine.UID,
		Verdict: e.Verdict, Config: e.Config, VM: e.VM, Reason: e.Reason, Message: e.Message,
		Ledger: e.Ledger, Recorded: e.Recorded, Trace: e.Trace, Hidden: e.Hidden,
		Fits: clusterViews(fitting.Reports),
	}
	if unfit != nil {
		all.Unfit = unfit.Error()
	}
	if e.Trace != nil {
		request, err := plugin.MarshalRequest(e.Request)
		if err != nil {
			return err
		}
		all.Request = request
	}
	if e.Anew != nil {
		all.Anew = new(anew(*e.Anew))
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(all)
}
