package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/internal/command"
	"github.com/vitistack/kubevirt-multicluster/testkit/internal/process"
)

// expectation is what the demo wants to see of a Machine.
type expectation struct {
	phase   vitistackv1alpha1.MachinePhase
	cluster string
	message string // a part of why it does not run
}

// expected are the Machines of machines.yaml.
func expected() map[string]expectation {
	return map[string]expectation{
		"web":      {phase: vitistackv1alpha1.MachinePhaseRunning, cluster: "cluster-east"},
		"database": {phase: vitistackv1alpha1.MachinePhaseRunning, cluster: "cluster-west"},
		"legacy":   {phase: vitistackv1alpha1.MachinePhaseRunning, cluster: "cluster-north"},
		"undecided": {phase: vitistackv1alpha1.MachinePhaseFailed,
			message: "has no KubevirtConfig reference and 3 configs are available - cannot determine placement"},
		"mistaken": {phase: vitistackv1alpha1.MachinePhaseFailed, message: "KubevirtConfig cluster-nowhere not found"},
	}
}

// met says whether a Machine is what it should be.
func (e expectation) met(machine vitistackv1alpha1.Machine) bool {
	return machine.Status.Phase == e.phase && clusterOf(machine) == e.cluster &&
		strings.Contains(messageOf(machine), e.message)
}

// show draws clusters and Machines until all Machines are what they should be.
func (d *demo) show(ctx context.Context, operator *process.Process) error {
	screen := screen{out: d.out, redraw: d.isTerminal()}
	var missing []string
	err := wait.PollUntilContextTimeout(ctx, 250*time.Millisecond, settleTimeout, true,
		func(ctx context.Context) (bool, error) {
			if err := operator.Exited(); err != nil {
				return false, err
			}
			machines := &vitistackv1alpha1.MachineList{}
			if err := d.fleet.Supervisor.Client().List(ctx, machines); err != nil {
				return false, err
			}
			configs := &vitistackv1alpha1.KubevirtConfigList{}
			if err := d.fleet.Supervisor.Client().List(ctx, configs); err != nil {
				return false, err
			}
			screen.draw(render(configs.Items, machines.Items))
			missing = unmet(machines.Items)
			return len(missing) == 0, nil
		})
	if len(missing) > 0 && wait.Interrupted(err) && ctx.Err() == nil {
		return fmt.Errorf("%w after %s: %s (see %s)", command.ErrNotAsItShould, settleTimeout, strings.Join(missing, ", "),
			d.log())
	}
	return err
}

// unmet are the Machines that are not what they should be yet.
func unmet(machines []vitistackv1alpha1.Machine) []string {
	wanted := expected()
	var missing []string
	for _, machine := range machines {
		if want, known := wanted[machine.Name]; known && !want.met(machine) {
			missing = append(missing, machine.Name+" ("+string(cmp.Or(machine.Status.Phase,
				"no phase"))+": "+messageOf(machine)+")")
		}
		delete(wanted, machine.Name)
	}
	for name := range wanted {
		missing = append(missing, name+" (absent)")
	}
	return missing
}

// render is one picture of clusters and Machines.
func render(configs []vitistackv1alpha1.KubevirtConfig, machines []vitistackv1alpha1.Machine) string {
	var picture bytes.Buffer
	table := tabwriter.NewWriter(&picture, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CLUSTER\tCONNECTED\tKUBEVIRT\tMACHINES")
	for _, config := range configs {
		placed := 0
		for _, machine := range machines {
			if clusterOf(machine) == config.Name {
				placed++
			}
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\n", config.Name, connected(config), cmp.Or(config.Status.Versions.KubeVirt, "-"),
			placed)
	}
	fmt.Fprintln(table, "\t\t\t")
	fmt.Fprintln(table, "MACHINE\tPHASE\tCLUSTER\tADDRESS\tWHY")
	for _, machine := range machines {
		address := "-"
		if len(machine.Status.IPAddresses) > 0 {
			address = machine.Status.IPAddresses[0]
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", machine.Name, cmp.Or(machine.Status.Phase, "-"),
			cmp.Or(clusterOf(machine), "-"), address, messageOf(machine))
	}
	_ = table.Flush()
	return picture.String()
}

func connected(config vitistackv1alpha1.KubevirtConfig) string {
	for _, condition := range config.Status.Conditions {
		if condition.Type == vitistackv1alpha1.ConditionConnected {
			return string(condition.Status)
		}
	}
	return "-"
}

func clusterOf(machine vitistackv1alpha1.Machine) string {
	if machine.Status.KubevirtConfigRef == nil {
		return ""
	}
	return machine.Status.KubevirtConfigRef.Name
}

// messageOf says why a Machine does not run; "" where it does.
func messageOf(machine vitistackv1alpha1.Machine) string {
	ready := machine.Status.Condition(vitistackv1alpha1.ConditionReady)
	if ready == nil || ready.Status == "True" {
		return ""
	}
	return ready.Message
}

// isTerminal says whether pictures can be drawn over one another.
func (d *demo) isTerminal() bool {
	file, ok := d.out.(*os.File)
	if !ok || d.ci {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
