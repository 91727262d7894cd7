package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/placement"
)

func printExplanation(out io.Writer, e machine.Explanation) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintf(table, "Machine %s/%s, UID %s\n", e.Machine.Namespace, e.Machine.Name, e.Machine.UID)
	if len(e.Hidden) > 0 {
		fmt.Fprintf(table, "Strategies see only annotations that begin with %s, and not: %s\n",
			vitistackv1alpha1.AnnotationPrefixPlacement, strings.Join(e.Hidden, ", "))
	}
	if len(e.Request.Candidates) > 0 {
		fmt.Fprintln(table, "\nCLUSTER\tREACHABLE\tVIRTUAL MACHINE\tMACHINES\tFREE")
	}
	for _, c := range e.Request.Candidates {
		fmt.Fprintf(table, "%s\t%t\t%s\t%s\t%s\n",
			c.Name, c.Reachable, vmText(c.VM), numberText(c.Capacity.Machines), freeText(c.Capacity.Free))
	}
	if len(e.Trace) > 0 {
		fmt.Fprintln(table, "\nSTRATEGY\tANSWER\tCLUSTER\tWHY")
	}
	for _, step := range e.Trace {
		why := strings.Trim(step.Reason+": "+step.Message, ": ")
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", step.Strategy, step.Verdict, step.Config, why)
	}
	fmt.Fprintln(table, "\n"+verdictText(e))
	if e.Anew != nil {
		fmt.Fprintln(table, "\nNo strategy is asked about it as it is. "+
			"The answers above are to the same Machine without its record:\n"+
			outcomeText(*e.Anew))
	}
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
	text := outcomeText(e.Outcome)
	if by := e.Recorded.By(); by != "" && e.Verdict == machine.VerdictPlaced {
		return "It was placed in " + e.Recorded.Config + " " + by + ".\n" + text
	}
	return text
}

func outcomeText(e machine.Outcome) string {
	if e.Reason == vitistackv1alpha1.ReasonMoving {
		return "It is in " + e.Config + ", and is being moved: " + e.Message + "."
	}
	text := map[machine.Verdict]string{
		machine.VerdictPlaced:  "It is placed in " + e.Config + " and stays there.",
		machine.VerdictRestore: "It is placed in " + e.Config + "; its lost ledger would be written anew.",
		machine.VerdictPlace:   "It would be placed in " + e.Config + ".",
		machine.VerdictAdopt:   "It would be placed in " + e.Config + ", and take over VirtualMachine " + e.VM + ".",
		machine.VerdictWait:    "It would wait.",
		machine.VerdictBlocked: "It would not be placed until somebody acts.",
		machine.VerdictPaused:  "It is paused: nothing is done.",
	}[e.Verdict]
	if e.Reason != "" {
		text += "\n" + e.Reason + ": " + e.Message
	}
	return text
}
