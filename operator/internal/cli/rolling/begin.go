package rolling

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/follow"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// wish is what a person says about a rollout.
type wish struct {
	action                                       vitistackv1alpha1.RolloutAction
	selector, class, to                          string
	every, needed, allNamespaces                 bool
	maxUnavailable, order, annotation, condition string
	deadline, minReady                           time.Duration
	pauseOnFailure, watched                      bool
	name                                         string
	of                                           reach.Subject
}

func beginCommand(action vitistackv1alpha1.RolloutAction, verb, short string) *cobra.Command {
	w := wish{action: action}
	cmd := &cobra.Command{
		Use:   verb + " (--selector LABELS | --class CLASS | --all)",
		Short: short + ", a few at a time",
		Long: short + ", a few at a time: each one is healthy again before the next ones begin. It makes a\n" +
			"MachineRollout, which the operator carries out. With --watch it ends with 0 where all Machines are done,\n" +
			"1 where it pauses or Machines are left, and 3 where you stopped looking. Without, 0 means that it was\n" +
			"asked for.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			spec, err := w.spec(cmd.Flags())
			if err != nil {
				return err
			}
			supervisor, err := w.of.Way.Open(cmd.Context())
			if err != nil {
				return err
			}
			return w.run(cmd.Context(), supervisor, spec, cmd.OutOrStdout())
		},
	}
	w.of.Way.Add(cmd.Flags())
	w.add(cmd.Flags())
	return cmd
}

func (w *wish) add(flags *pflag.FlagSet) {
	flags.StringVarP(&w.of.Namespace, "namespace", "n", "", "namespace of the Machines (default: the context's)")
	flags.BoolVarP(&w.allNamespaces, "all-namespaces", "A", false, "Machines of all namespaces")
	flags.StringVarP(&w.selector, "selector", "l", "", "of these Machines, by their labels")
	flags.StringVar(&w.class, "class", "", "of the Machines that ask for this class")
	flags.BoolVar(&w.every, "all", false, "of all Machines")
	if w.action == vitistackv1alpha1.RolloutRestart {
		flags.BoolVar(&w.needed, "needed", false, "only where a change waits for a restart")
	} else {
		flags.StringVar(&w.to, "to", "", "change the Machines to this class")
	}
	flags.StringVar(&w.maxUnavailable, "max-unavailable", "1",
		"how many Machines may be not healthy at once, as a number or a share (20%)")
	flags.StringVar(&w.order, "order", string(vitistackv1alpha1.RolloutOldestFirst),
		"OldestFirst, NewestFirst, SmallestFirst, LargestFirst or Name")
	flags.DurationVar(&w.deadline, "deadline", 10*time.Minute, "how long a Machine may take to be healthy again")
	flags.DurationVar(&w.minReady, "min-ready", 0, "how long a Machine must have been healthy before the next one begins")
	flags.BoolVar(&w.pauseOnFailure, "pause-on-failure", true, "begin no further Machine while one is not healthy in time")
	flags.StringVar(&w.annotation, "healthy-annotation", "", "an annotation that a healthy Machine has, as NAME=VALUE")
	flags.StringVar(&w.condition, "healthy-condition", "", "a condition that is True on a healthy Machine")
	flags.StringVar(&w.name, "name", "", "name of the MachineRollout (default: made up)")
	flags.BoolVarP(&w.watched, "watch", "w", false, "show it until it is over, pauses, or you press Ctrl-C")
}

// spec is what the flags ask for.
func (w *wish) spec(flags *pflag.FlagSet) (spec vitistackv1alpha1.MachineRolloutSpec, err error) {
	if w.every == (w.selector != "" || w.class != "") {
		return spec, errors.New("which Machines? --selector LABELS, --class CLASS or both; or --all")
	}
	if w.allNamespaces && w.of.Namespace != "" {
		return spec, errors.New("--namespace and --all-namespaces: want one of them")
	}
	most := intstr.Parse(w.maxUnavailable)
	if _, err := intstr.GetScaledValueFromIntOrPercent(&most, 100, true); err != nil {
		return spec, fmt.Errorf("--max-unavailable %s: want a number or a share, for example 20%%", w.maxUnavailable)
	}
	spec = vitistackv1alpha1.MachineRolloutSpec{
		Action: w.action, Class: w.class, AllNamespaces: w.allNamespaces, MaxUnavailable: &most,
		Order: vitistackv1alpha1.RolloutOrder(w.order), PauseOnFailure: &w.pauseOnFailure,
		Deadline: &metav1.Duration{Duration: w.deadline}, MinReadySeconds: int32(w.minReady / time.Second),
	}
	if w.selector != "" {
		if spec.Selector, err = metav1.ParseToLabelSelector(w.selector); err != nil {
			return spec, fmt.Errorf("--selector %s: %w", w.selector, err)
		}
	}
	if w.needed {
		spec.Which = vitistackv1alpha1.RolloutNeeded
	}
	if w.to != "" {
		spec.Resize = &vitistackv1alpha1.RolloutNewSize{Class: w.to}
	}
	spec.Healthy, err = w.healthy(flags)
	return spec, err
}

func (w *wish) healthy(flags *pflag.FlagSet) (*vitistackv1alpha1.RolloutHealthy, error) {
	if w.annotation == "" && w.condition == "" {
		return nil, nil
	}
	healthy := &vitistackv1alpha1.RolloutHealthy{ConditionType: w.condition}
	if flags.Changed("healthy-annotation") {
		name, value, both := strings.Cut(w.annotation, "=")
		if !both || name == "" {
			return nil, fmt.Errorf("--healthy-annotation %s: want NAME=VALUE", w.annotation)
		}
		healthy.Annotation = &vitistackv1alpha1.RolloutAnnotation{Name: name, Value: value}
	}
	return healthy, nil
}

func (w *wish) run(
	ctx context.Context, supervisor *reach.Supervisor, spec vitistackv1alpha1.MachineRolloutSpec, out io.Writer,
) error {
	rollout := &vitistackv1alpha1.MachineRollout{Spec: spec}
	key, err := w.of.Key("any")
	if err != nil {
		return err
	}
	if rollout.Namespace = key.Namespace; w.allNamespaces {
		rollout.Namespace = supervisor.Namespace
	}
	if rollout.Name = w.name; w.name == "" {
		rollout.GenerateName = strings.ToLower(string(w.action)) + "-"
	}
	count, err := chosen(ctx, supervisor, rollout)
	if err != nil {
		return err
	}
	if count == 0 {
		return exit.No(errors.New("there is no such Machine: nothing is asked for"))
	}
	if err := supervisor.Create(ctx, rollout); err != nil {
		return explained("making a MachineRollout", err)
	}
	key = client.ObjectKeyFromObject(rollout)
	fmt.Fprintf(out, "MachineRollout %s is made: it chooses among %d Machines.\n", key, count)
	if w.watched {
		return follow.Follow(ctx, out, rolloutView{supervisor: supervisor, key: key})
	}
	fmt.Fprintf(out, "kubectl machine rollout status %s --watch shows how far it is.\n", key)
	return nil
}

// chosen is how many Machines a rollout chooses among now.
func chosen(
	ctx context.Context, supervisor client.Reader, rollout *vitistackv1alpha1.MachineRollout,
) (count int, err error) {
	options := []client.ListOption{}
	if !rollout.Spec.AllNamespaces {
		options = append(options, client.InNamespace(rollout.Namespace))
	}
	if rollout.Spec.Selector != nil {
		selector, err := metav1.LabelSelectorAsSelector(rollout.Spec.Selector)
		if err != nil {
			return 0, fmt.Errorf("--selector: %w", err)
		}
		options = append(options, client.MatchingLabelsSelector{Selector: selector})
	}
	machines := &vitistackv1alpha1.MachineList{}
	if err := supervisor.List(ctx, machines, options...); err != nil {
		return 0, fmt.Errorf("listing Machines: %w", err)
	}
	for i := range machines.Items {
		spec := machines.Items[i].Spec
		if class := rollout.Spec.Class; class == "" || spec.MachineClass == class || spec.InstanceType == class {
			count++
		}
	}
	return count, nil
}
