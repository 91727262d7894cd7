package status

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// filter says which Machines to list.
type filter struct {
	namespace, cluster, phase, selector string
	unready                             bool
	output                              string
}

// page is how many Machines one answer of the server has.
const page = 500

func listCommand() *cobra.Command {
	var way reach.Flags
	var f filter
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List Machines of all namespaces: phase, cluster, addresses, and what is wrong",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains([]string{"", "wide", "json", "name"}, f.output) {
				return fmt.Errorf("-o %s: want wide, json or name", f.output)
			}
			supervisor, err := way.Open(cmd.Context())
			if err != nil {
				return err
			}
			machines, err := f.find(cmd.Context(), supervisor)
			if err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), machines, time.Now())
		},
	}
	way.Add(cmd.Flags())
	flags := cmd.Flags()
	flags.StringVarP(&f.namespace, "namespace", "n", "", "of this namespace alone")
	flags.StringVar(&f.cluster, "cluster", "", `placed in this cluster alone; "-" for those without a place`)
	flags.StringVar(&f.phase, "phase", "", "in this phase alone, as Running or Failed")
	flags.StringVarP(&f.selector, "selector", "l", "", "with these labels alone")
	flags.BoolVar(&f.unready, "not-ready", false, "those alone that are not Ready; ends with 1 where there are some")
	flags.StringVarP(&f.output, "output", "o", "", "wide, json or name")
	return cmd
}

// find returns the Machines, sorted by namespace and name. A cluster or a phase that does not exist
// is an error: a typing error must not look like an empty fleet.
func (f filter) find(ctx context.Context, supervisor *reach.Supervisor) ([]vitistackv1alpha1.Machine, error) {
	selector, err := labels.Parse(f.selector)
	if err != nil {
		return nil, fmt.Errorf("-l: %w", err)
	}
	if !slices.ContainsFunc(phases, f.isPhase) && f.phase != "" {
		return nil, fmt.Errorf("--phase %s: want one of %v", f.phase, phases)
	}
	if f.cluster != "" && f.cluster != "-" {
		if _, err := supervisor.KubevirtConfig(ctx, f.cluster); err != nil {
			return nil, err
		}
	}
	var all []vitistackv1alpha1.Machine
	list := &vitistackv1alpha1.MachineList{}
	for begin := true; begin || list.Continue != ""; begin = false {
		err := supervisor.List(ctx, list, client.InNamespace(f.namespace), client.Limit(page),
			client.Continue(list.Continue), client.MatchingLabelsSelector{Selector: selector})
		if err != nil {
			return nil, fmt.Errorf("listing Machines: %w", err)
		}
		for i := range list.Items {
			if f.takes(&list.Items[i]) {
				all = append(all, list.Items[i])
			}
		}
	}
	slices.SortFunc(all, func(a, b vitistackv1alpha1.Machine) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	return all, nil
}

// phases are all that a Machine can be in.
var phases = []vitistackv1alpha1.MachinePhase{
	vitistackv1alpha1.MachinePhasePending, vitistackv1alpha1.MachinePhaseCreating, vitistackv1alpha1.MachinePhaseRunning,
	vitistackv1alpha1.MachinePhaseStopping, vitistackv1alpha1.MachinePhaseStopped,
	vitistackv1alpha1.MachinePhaseTerminating, vitistackv1alpha1.MachinePhaseFailed,
}

func (f filter) isPhase(phase vitistackv1alpha1.MachinePhase) bool {
	return strings.EqualFold(string(phase), f.phase)
}

func (f filter) takes(m *vitistackv1alpha1.Machine) bool {
	return (f.cluster == "" || f.cluster == cmp.Or(clusterOf(m), "-")) &&
		(f.phase == "" || f.isPhase(cmp.Or(m.Status.Phase, vitistackv1alpha1.MachinePhasePending))) &&
		(!f.unready || !isReady(m))
}

func isReady(m *vitistackv1alpha1.Machine) bool {
	for _, condition := range m.Status.Conditions {
		if condition.Type == vitistackv1alpha1.ConditionReady {
			return condition.Status == "True"
		}
	}
	return false
}

func (f filter) print(out io.Writer, machines []vitistackv1alpha1.Machine, now time.Time) error {
	var found error
	if f.unready && len(machines) > 0 {
		found = exit.Said(exit.Negative)
	}
	switch {
	case f.output == "json":
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return errors.Join(encoder.Encode(machines), found)
	case f.output == "name":
		for i := range machines {
			fmt.Fprintf(out, "%s/%s\n", machines[i].Namespace, machines[i].Name)
		}
		return found
	case len(machines) == 0:
		fmt.Fprintln(out, "No Machines"+f.narrowed()+".")
		return nil
	}
	if err := f.table(out, machines, now); err != nil {
		return err
	}
	return found
}

// narrowed says what was left out, so that an empty answer is not taken for an empty fleet.
func (f filter) narrowed() string {
	var all []string
	for _, each := range []struct{ value, text string }{
		{f.namespace, "in namespace " + f.namespace}, {f.cluster, "in cluster " + f.cluster},
		{f.phase, "in phase " + f.phase}, {f.selector, "with labels " + f.selector},
	} {
		if each.value != "" {
			all = append(all, each.text)
		}
	}
	if f.unready {
		all = append(all, "that are not Ready")
	}
	return strings.TrimRight(" "+strings.Join(all, ", "), " ")
}

func (f filter) table(out io.Writer, machines []vitistackv1alpha1.Machine, now time.Time) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	head := "NAMESPACE\tMACHINE\tPHASE\tCLUSTER\tADDRESSES\tAGE"
	if f.output == "wide" {
		head += "\tCLASS\tVIRTUAL MACHINE\tNODE"
	}
	fmt.Fprintln(table, head+"\tWHAT IS WRONG")
	for i := range machines {
		m := &machines[i]
		addresses := slices.Concat(m.Status.IPAddresses, m.Status.IPv6Addresses)
		line := []string{
			m.Namespace, m.Name, string(cmp.Or(m.Status.Phase, vitistackv1alpha1.MachinePhasePending)),
			cmp.Or(clusterOf(m), "-"), cmp.Or(strings.Join(addresses, ","), "-"),
			duration.HumanDuration(now.Sub(m.CreationTimestamp.Time)),
		}
		if f.output == "wide" {
			line = append(line, cmp.Or(m.Spec.MachineClass, m.Spec.InstanceType, "-"), cmp.Or(m.Status.VMName, "-"),
				cmp.Or(m.Status.NodeName, "-"))
		}
		line = append(line, wrong(m, f.output == "wide"))
		for i := range line {
			line[i] = oneLine(line[i]) // a line break in it would begin a row of another Machine
		}
		fmt.Fprintln(table, strings.Join(line, "\t"))
	}
	return table.Flush()
}

// wrong is what the condition Ready says where it is not true.
func wrong(m *vitistackv1alpha1.Machine, whole bool) string {
	const most = 70
	for _, condition := range m.Status.Conditions {
		if condition.Type != vitistackv1alpha1.ConditionReady || condition.Status == "True" {
			continue
		}
		text := []rune(oneLine(condition.Reason + ": " + condition.Message))
		if !whole && len(text) > most {
			return string(text[:most-1]) + "…"
		}
		return string(text)
	}
	return "-"
}
