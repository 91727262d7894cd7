package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness"
)

// printFits prints a table of clusters, and with checks what each was asked.
func printFits(out io.Writer, reports []readiness.Report, checks bool) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "CLUSTER\tFITS\tSCORE\tWHY NOT")
	for _, report := range reports {
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\n", report.Config, fitsText(report), report.Score, whyNot(report))
	}
	if err := table.Flush(); err != nil || !checks {
		return err
	}
	for _, report := range reports {
		fmt.Fprintf(out, "\n%s: %s, score %d\n", report.Config, fitsText(report), report.Score)
		printChecks(out, report.Checks)
	}
	return nil
}

// printFitting prints it below an explanation.
func printFitting(out io.Writer, fitting machine.Fitting, unfit error) error {
	if unfit == nil && len(fitting.Reports) == 0 {
		return nil
	}
	fmt.Fprintln(out)
	if unfit != nil {
		_, err := fmt.Fprintf(out, "In which clusters it can run cannot be told: %v\n", unfit)
		return err
	}
	return printFits(out, fitting.Reports, false)
}

// marks stand before a check.
var marks = map[readiness.Verdict]string{readiness.OK: "✓", readiness.No: "✗", readiness.Unknown: "?"}

func printChecks(out io.Writer, checks []readiness.Check) {
	for _, check := range checks {
		fmt.Fprintf(out, "  %s %s: %s\n", marks[check.Verdict], check.Name, sentenceOf(check))
		if check.Do != "" {
			fmt.Fprintf(out, "      → %s\n", check.Do)
		}
	}
}

func fitsText(report readiness.Report) string {
	switch {
	case report.Here:
		return "yes, is here"
	case report.Verdict == readiness.OK:
		return "yes"
	}
	return string(report.Verdict)
}

// whyNot is the first thing that a person should look at.
func whyNot(report readiness.Report) string {
	first, found := report.First()
	if !found {
		return "-"
	}
	return sentenceOf(first)
}

// sentenceOf is "Reason: message" on one line.
func sentenceOf(check readiness.Check) string {
	text := check.Message
	if check.Reason != "" {
		text = check.Reason + ": " + text
	}
	return strings.Join(strings.Fields(text), " ")
}
