package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-multierror"
	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/ignore"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render/sarif"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/source"
)

// options are the flags that every question has.
type options struct {
	output, color, ignoreFile, failOn, kubeconfig, usageFile string
	crds                                                     []string
	quiet, strict                                            bool

	screen bool // text is one screen of a fleet
}

var (
	outputs = []string{"text", "json", "yaml", "markdown", "sarif", "junit", "github"}
	colors  = []string{"auto", "always", "never"}
	failOns = []string{"warning", "error", "never"}
)

func (o *options) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&o.output, "output", "o", "text", strings.Join(outputs, ", "))
	flags.StringVar(&o.color, "color", "auto", strings.Join(colors, ", ")+"; auto: on a terminal, unless NO_COLOR is set")
	flags.StringVar(&o.ignoreFile, "ignore-file", "", "findings that somebody answers for, until a day")
	flags.StringVar(&o.failOn, "fail-on", "warning", "the least severity that exits with 1: "+strings.Join(failOns, ", "))
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "for kube: and configs: (default as kubectl)")
	flags.StringVar(&o.usageFile, "usage", "", "what a program writes and reads: only what touches it is told")
	flags.StringSliceVar(&o.crds, "crd", nil, "names of definitions (plural.group) to look at; default all")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "no progress, and no word of what was passed over or is not known")
	flags.BoolVar(
		&o.strict, "strict", false, "a key of a definition that the API server does not know is an error, exit code 2",
	)
	cmd.PreRunE = func(*cobra.Command, []string) error { return o.check() }
}

func (o *options) check() error {
	var failed *multierror.Error
	for _, flag := range []struct {
		name, value string
		allowed     []string
	}{{"output", o.output, outputs}, {"color", o.color, colors}, {"fail-on", o.failOn, failOns}} {
		if !slices.Contains(flag.allowed, flag.value) {
			failed = multierror.Append(
				failed, fmt.Errorf("--%s %q is none of %s", flag.name, flag.value, strings.Join(flag.allowed, ", ")),
			)
		}
	}
	return failed.ErrorOrNil()
}

// usage reads the usage document, nil where none is named.
func (o *options) usage() (*crdcheck.Usage, error) {
	if o.usageFile == "" {
		return nil, nil //nolint:nilnil // no usage is what Options call nil
	}
	file, err := os.Open(o.usageFile)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := crdcheck.OneDocument(file)
	if err != nil {
		return nil, multierror.Prefix(err, o.usageFile+":")
	}
	var usage crdcheck.Usage
	if err := yaml.UnmarshalStrict(content, &usage); err != nil {
		return nil, fmt.Errorf("%s: %w", o.usageFile, err)
	}
	if len(usage.Kinds) == 0 {
		return nil, fmt.Errorf("%s: no kinds", o.usageFile)
	}
	return &usage, nil
}

// names are the definitions to read from clusters: those that were named, or that the usage names;
// nil means all.
func (o *options) names(usage *crdcheck.Usage) []string {
	if o.crds != nil || usage == nil {
		return o.crds
	}
	var names []string
	for _, k := range usage.Kinds {
		names = append(names, k.CRD)
	}
	return names
}

// read reads places at once, and returns what they hold in their order.
func (o *options) read(ctx context.Context, s streams, names []string, places ...string) ([]source.Set, error) {
	var (
		sets    = make([][]source.Set, len(places))
		errs    = make([]error, len(places))
		reading sync.WaitGroup
	)
	how := source.Options{Stdin: s.in, Kubeconfig: o.kubeconfig, Names: names}
	if terminal(s.err) && !o.quiet {
		how.Progress = func(what string) { fmt.Fprintln(s.err, what+"…") }
	}
	for i, place := range places {
		if place == "-" && slices.Contains(places[:i], place) {
			errs[i] = errors.New("- is named twice: standard input is read once")
			continue
		}
		reading.Go(func() { sets[i], errs[i] = source.Read(ctx, place, how) })
	}
	reading.Wait()
	var failed *multierror.Error
	for i := range places {
		if errs[i] != nil {
			failed = multierror.Append(failed, errs[i])
			continue
		}
		for _, set := range sets[i] {
			if others := source.Kinds(set.Others); others != "" && !o.quiet {
				fmt.Fprintf(s.err, "%s: passed over: %s\n", set.Name, others)
			}
		}
	}
	return slices.Concat(sets...), failed.ErrorOrNil()
}

// finish ignores what is to be ignored, writes the document and returns the exit code as an error.
func (o *options) finish(s streams, d render.Document) error {
	d.Version = strings.TrimPrefix(version(), "v")
	if o.ignoreFile != "" {
		entries, err := o.ignores()
		if err != nil {
			return err
		}
		var ignored []ignore.Ignored
		d.Report, ignored, d.Notes = ignore.Apply(d.Report, entries, time.Now())
		for _, i := range ignored {
			d.Ignored = append(
				d.Ignored,
				render.Ignored{Finding: i.Finding, Owner: i.Entry.Owner, Expires: i.Entry.Expires, Reason: i.Entry.Reason},
			)
		}
	}
	if err := o.write(s.out, d); err != nil {
		return err
	}
	if code := o.code(d.Report); code != clean {
		return exit(code)
	}
	return nil
}

func (o *options) ignores() ([]ignore.Entry, error) {
	file, err := os.Open(o.ignoreFile)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	entries, err := ignore.Load(file)
	return entries, multierror.Prefix(err, o.ignoreFile+":")
}

func (o *options) write(w io.Writer, d render.Document) error {
	switch o.output {
	case "json":
		return render.JSON(w, d)
	case "yaml":
		return render.YAML(w, d)
	case "markdown":
		return render.Markdown(w, d)
	case "sarif":
		return sarif.Write(w, d)
	case "junit":
		return render.JUnit(w, d)
	case "github":
		return render.GitHub(w, d)
	default:
		if o.screen {
			return render.Diff(w, d, o.colored(w))
		}
		return render.Colored(w, d, o.colored(w))
	}
}

func (o *options) colored(w io.Writer) bool {
	if o.color == "auto" {
		return terminal(w) && os.Getenv("NO_COLOR") == ""
	}
	return o.color == "always"
}

// code is the exit code of a report.
func (o *options) code(report crdcheck.Report) int {
	counts := report.Counts()
	found := counts[crdcheck.Error]
	if o.failOn == "warning" {
		found += counts[crdcheck.Warning]
	}
	switch {
	case found > 0 && o.failOn != "never":
		return findings
	case counts[crdcheck.Unsettled] > 0:
		return incomplete
	default:
		return clean
	}
}

// positions says where the definitions of sets were read.
func positions(sets ...source.Set) map[render.Place]render.Position {
	all := map[render.Place]render.Position{}
	for _, s := range sets {
		for name, at := range s.At {
			all[render.Place{Cluster: s.Name, CRD: name}] = render.Position{File: at.File, Line: at.Line}
		}
	}
	return all
}
