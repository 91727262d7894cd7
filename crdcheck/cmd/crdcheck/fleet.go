package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/source"
)

const baselineHelp = "the cluster that the others are compared with (default: the first by name that has the definition)"

func fleetCommand(s streams) *cobra.Command {
	var (
		o        options
		baseline string
	)
	cmd := &cobra.Command{
		Use: "fleet PLACE...", Short: "Do the clusters agree with the first of them?", Args: cobra.MinimumNArgs(1),
		Long: "Do the clusters agree with the first of them, by name, that answers? " +
			"One that does not is unknown, never equal.",
		RunE: func(cmd *cobra.Command, places []string) error {
			document, err := o.fleet(cmd.Context(), s, baseline, places)
			if err != nil {
				return err
			}
			return o.finish(s, document)
		},
	}
	o.register(cmd)
	cmd.Flags().StringVar(&baseline, "baseline", "", baselineHelp)
	return cmd
}

func diffCommand(s streams) *cobra.Command {
	var (
		o        options
		baseline string
		fleet    bool
	)
	cmd := &cobra.Command{
		Use: "diff --fleet PLACE...", Short: "Which clusters differ, in what, since when? One screen", Args: cobra.MinimumNArgs(1),
		Long: `Which clusters differ from the baseline, in what, and since when? One screen for a person.

It asks what fleet asks, and ends with the same exit codes. Definitions that agree are only counted, and clusters with
the same difference are told together. A difference is as old as the later of the two changes that made it: the API
servers keep when a definition was changed, and by whom (metadata.managedFields). Outputs but text are those of fleet,
which have the times too.`,
		Example: `  crdcheck diff --fleet configs:kubevirt-configs
  crdcheck diff --fleet kube:east kube:west --baseline east --crd virtualmachines.kubevirt.io`,
		RunE: func(cmd *cobra.Command, places []string) error {
			if !fleet {
				return errors.New("diff looks at a fleet: crdcheck diff --fleet PLACE...; compare looks at two places")
			}
			o.screen = true
			document, err := o.fleet(cmd.Context(), s, baseline, places)
			if err != nil {
				return err
			}
			return o.finish(s, document)
		},
	}
	o.register(cmd)
	cmd.Flags().BoolVar(&fleet, "fleet", false, "compare the clusters of a fleet with a baseline")
	cmd.Flags().StringVar(&baseline, "baseline", "", baselineHelp)
	return cmd
}

// fleet asks whether places agree.
func (o *options) fleet(ctx context.Context, s streams, baseline string, places []string) (render.Document, error) {
	usage, err := o.usage()
	if err != nil {
		return render.Document{}, err
	}
	names := o.names(usage)
	sets, err := o.read(ctx, s, names, places...)
	if err != nil {
		return render.Document{}, err
	}
	if err := o.dropped(s, sets, names); err != nil {
		return render.Document{}, err
	}
	if err := isAmong(baseline, sets); err != nil {
		return render.Document{}, err
	}
	warnUnused(s.err, o.usageFile, usage, sets)
	var snapshots []crdcheck.Snapshot
	for _, set := range sets {
		snapshots = append(snapshots, set.Snapshot())
	}
	report := crdcheck.FleetWith(
		snapshots, crdcheck.Options{CRDs: named(names, sets), Usage: usage, Baseline: baseline},
	)
	return render.Document{
		Question: "fleet", Report: report, At: positionsOr(sets, sets...), Changed: changed(sets, time.Now()),
	}, nil
}

// isAmong refuses a baseline that is none of the clusters, or that cannot be read.
func isAmong(baseline string, sets []source.Set) error {
	if baseline == "" {
		return nil
	}
	at := slices.IndexFunc(sets, func(set source.Set) bool { return set.Name == baseline })
	if at >= 0 && sets[at].Unknown != "" {
		return fmt.Errorf("--baseline %s could not be read: %s", baseline, sets[at].Unknown)
	}
	if at >= 0 {
		return nil
	}
	var clusters []string
	for _, set := range sets {
		clusters = append(clusters, set.Name)
	}
	return fmt.Errorf("--baseline %q is none of %s", baseline, strings.Join(clusters, ", "))
}

func changed(sets []source.Set, now time.Time) map[render.Place]render.Changed {
	all := map[render.Place]render.Changed{}
	for _, set := range sets {
		for name, change := range set.Changes() {
			all[render.Place{Cluster: set.Name, CRD: name}] = render.Changed{
				At: change.At.Format(time.RFC3339), Age: duration.HumanDuration(now.Sub(change.At)), By: change.By,
			}
		}
	}
	return all
}
