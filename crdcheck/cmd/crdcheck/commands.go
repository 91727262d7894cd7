package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/source"
)

func requireCommand(s streams) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "require PLACE... --usage FILE",
		Short: "Has each place the definitions, versions and fields that a program uses?",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, places []string) error {
			usage, err := o.usage()
			if err == nil && usage == nil {
				err = errors.New("--usage is needed: what does the program use?")
			}
			if err != nil {
				return err
			}
			sets, err := o.read(cmd.Context(), s, o.names(usage), places...)
			if err != nil {
				return err
			}
			if err := o.dropped(s, sets, o.names(usage)); err != nil {
				return err
			}
			var subjects []crdcheck.Subject
			var found []crdcheck.Finding
			for _, set := range sets {
				report := crdcheck.Require(set.Snapshot(), usage.Requirements())
				subjects, found = append(subjects, report.Subjects...), append(found, report.Findings...)
			}
			return o.finish(s, render.Document{
				Question: "require",
				Report:   crdcheck.NewReport(subjects, found),
				At:       positionsOr(sets, o.usageSet(usage)),
			})
		},
	}
	o.register(cmd)
	return cmd
}

func compareCommand(s streams) *cobra.Command {
	var o options
	profile := string(crdcheck.ProfileClient)
	cmd := &cobra.Command{
		Use: "compare OLD NEW", Short: "What changed from one place to another, and who feels it?", Args: cobra.ExactArgs(2),
		Long: `What changed from one place to another, and who feels it?

Without --usage spec is taken for what programs write, and status for what they read. Profiles ask more and more:
storage (objects that exist), server (who writes too), client (who reads too), strict (who reads whole objects and
writes them back, too).`,
		RunE: func(cmd *cobra.Command, places []string) error {
			if !slices.Contains(crdcheck.Profiles(), crdcheck.Profile(profile)) {
				return fmt.Errorf("--profile %q is none of %s", profile, profiles())
			}
			usage, err := o.usage()
			if err != nil {
				return err
			}
			sets, err := o.read(cmd.Context(), s, o.names(usage), places...)
			if err != nil {
				return err
			}
			if len(sets) != 2 {
				return errors.New("compare takes two places; fleet takes many clusters")
			}
			if err := o.dropped(s, sets[1:], o.names(usage)); err != nil { // what the old place has is there already
				return err
			}
			if err := takenByServers(cmd.Context(), sets, o.names(usage)); err != nil {
				return err
			}
			warnUnused(s.err, o.usageFile, usage, sets)
			report := crdcheck.Compare(sets[0].Snapshot(), sets[1].Snapshot(), crdcheck.Options{
				CRDs: o.crds, Usage: usage, Directions: crdcheck.Profile(profile).Directions(),
			})
			return o.finish(s, render.Document{Question: "compare", Report: report, At: positionsOr(sets[1:], sets[0])})
		},
	}
	o.register(cmd)
	cmd.Flags().StringVar(&profile, "profile", profile, profiles())
	return cmd
}

func profiles() string {
	var names []string
	for _, p := range crdcheck.Profiles() {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}

// named returns names, or those of all definitions of all sets.
func named(names []string, sets []source.Set) []string {
	if names != nil {
		return names
	}
	for _, set := range sets {
		for _, crd := range set.CRDs {
			names = append(names, crd.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func rulesCommand(s streams) *cobra.Command {
	output := "text"
	cmd := &cobra.Command{
		Use: "rules", Short: "List the rules, and why each matters", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			switch output {
			case "text":
				return render.RulesText(s.out, crdcheck.Rules())
			case "markdown":
				return render.RulesMarkdown(s.out, crdcheck.Rules())
			case "json":
				return render.RulesJSON(s.out, crdcheck.Rules())
			default:
				return fmt.Errorf("--output %q is none of text, markdown, json", output)
			}
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", output, "text, markdown, json")
	return cmd
}
