package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness"
)

// gatherPatience is how long a person waits for one cluster.
const gatherPatience = 15 * time.Second

// fitsCommand says in which clusters a Machine can run.
func fitsCommand(by entry) *cobra.Command {
	var file, namespace, output string
	var checks bool
	cmd := &cobra.Command{
		Use:   "fits (NAME | NAMESPACE/NAME | -f FILE)",
		Short: "Say in which clusters a Machine can run, and why not in the others",
		Long: "Say in which clusters a Machine can run, the best first, and why not in the others: by storage classes,\n" +
			"networks, nodes and room, quotas, rights, and what the API server itself says to a creation with\n" +
			"dryRun=All. It writes nothing. A right that the kubeconfig of a cluster lacks makes the answer unknown, and\n" +
			"is named. With -f the Machine is the one of a file, which need not exist.\n" +
			"It ends with 0 where it can run in some cluster, 1 where it can in none, 2 where that cannot be asked, and\n" +
			"3 where it can in none as far as that is known.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains([]string{"", "json", "yaml"}, output) {
				return fmt.Errorf("-o %s: want json or yaml", output)
			}
			of, err := subjectOfPerson(args, file, reach.Subject{Way: *by.person, Namespace: namespace}, cmd.InOrStdin())
			if err != nil {
				return err
			}
			return inSession(cmd.Context(), &by, func(ctx context.Context, s *session) error {
				return s.fits(ctx, of, fitsOutput{out: cmd.OutOrStdout(), format: output, checks: checks})
			})
		},
	}
	by.add(cmd.Flags())
	cmd.Flags().StringVarP(&namespace, "namespace", "n", "", "namespace of the Machine (default: the context's)")
	cmd.Flags().StringVarP(&file, "filename", "f", "", "file with a Machine, YAML or JSON; - is standard input")
	cmd.Flags().BoolVarP(&checks, "checks", "v", false, "show every check of every cluster, and what helps")
	cmd.Flags().StringVarP(&output, "output", "o", "", "json or yaml, for tools")
	return cmd
}

// subjectOfPerson is subjectOf for who need not say the namespace.
func subjectOfPerson(args []string, file string, by reach.Subject, stdin io.Reader) (subject, error) {
	switch {
	case (len(args) == 1) == (file != ""):
		return subject{}, errors.New("want either NAME or -f FILE")
	case file != "":
		wanted, err := readMachine(file, stdin)
		return subject{wanted: wanted}, err
	}
	key, err := by.Key(args[0])
	return subject{key: key}, err
}

// fits asks the clusters by the same code as the operator.
func (s *session) fits(ctx context.Context, of subject, to fitsOutput) error {
	if err := s.index(ctx); err != nil {
		return err
	}
	reconciler := machine.NewMachineReconciler(readOnly{s.GetClient()}, s.GetScheme(), s.remotes,
		machine.WithSettings(s.options.Machine), machine.WithLiveReader(s.GetAPIReader()),
		machine.WithPatience(gatherPatience))
	fitting, err := fittingOf(ctx, reconciler, of)
	if err != nil {
		return err
	}
	if len(fitting.Reports) == 0 {
		return reach.NoConfigs(ctx, s.GetClient(), s.options.Machine.ConfigsNamespace)
	}
	if err := to.write(fitting); err != nil {
		return err
	}
	return exit.Said(codeOfFitting(fitting))
}

// index lets Machines be found by their cluster.
func (s *session) index(ctx context.Context) error {
	return s.GetFieldIndexer().IndexField(ctx, &vitistackv1alpha1.Machine{}, clientmgr.IndexConfig, clientmgr.ByConfig)
}

func fittingOf(ctx context.Context, r *machine.MachineReconciler, of subject) (machine.Fitting, error) {
	if of.wanted != nil {
		return r.FitsWanted(ctx, of.wanted)
	}
	return r.Fits(ctx, of.key)
}

// codeOfFitting: the best report decides, which is the first.
func codeOfFitting(fitting machine.Fitting) int {
	switch fitting.Reports[0].Verdict {
	case readiness.OK:
		return exit.Fine
	case readiness.No:
		return exit.Negative
	case readiness.Unknown:
	}
	return exit.Partial
}

// fitsOutput is how the answer is shown.
type fitsOutput struct {
	out    io.Writer
	format string // "", json or yaml
	checks bool
}

func (o fitsOutput) write(fitting machine.Fitting) error {
	if o.format == "" {
		return printFits(o.out, fitting.Reports, o.checks)
	}
	content, err := json.MarshalIndent(fittingView(fitting), "", "  ")
	if err != nil {
		return err
	}
	content = append(content, '\n')
	if o.format == "yaml" {
		if content, err = yaml.JSONToYAML(content); err != nil {
			return err
		}
	}
	_, err = o.out.Write(content)
	return err
}

// fitsView is the answer for tools.
type fitsView struct {
	Machine  string        `json:"machine"`
	Clusters []clusterView `json:"clusters"`
}

// clusterView is one cluster; Fits is ok, no or unknown.
type clusterView struct {
	Cluster string            `json:"cluster"`
	Fits    readiness.Verdict `json:"fits"`
	// Here says that the Machine's virtual machine is in this cluster already.
	Here   bool        `json:"here,omitempty"`
	Score  int         `json:"score"`
	Checks []checkView `json:"checks"`
}

// checkView is one check.
type checkView struct {
	Name       string            `json:"name"`
	Verdict    readiness.Verdict `json:"verdict"`
	Reason     string            `json:"reason,omitempty"`
	Message    string            `json:"message,omitempty"`
	Do         string            `json:"do,omitempty"`
	AgeSeconds int               `json:"ageSeconds,omitempty"`
}

func fittingView(fitting machine.Fitting) fitsView {
	return fitsView{
		Machine: fitting.Machine.Namespace + "/" + fitting.Machine.Name, Clusters: clusterViews(fitting.Reports),
	}
}

func clusterViews(reports []readiness.Report) []clusterView {
	views := make([]clusterView, 0, len(reports))
	for _, report := range reports {
		view := clusterView{Cluster: report.Config, Fits: report.Verdict, Here: report.Here, Score: report.Score}
		for _, check := range report.Checks {
			view.Checks = append(view.Checks, checkView{
				Name: check.Name, Verdict: check.Verdict, Reason: check.Reason, Message: check.Message, Do: check.Do,
				AgeSeconds: int(check.Age.Seconds()),
			})
		}
		views = append(views, view)
	}
	return views
}
