package report

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/terminal"
)

// request is what a person wants.
type request struct {
	way       reach.Flags
	namespace string
	output    string
	remotes   bool
	since     time.Duration
}

// Command is kubectl machine report. version is that of the program, which is packed too.
func Command(version string) *cobra.Command {
	var r request
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Pack what somebody else needs to understand a fault into one file, without secrets",
		Long: "Pack what somebody else needs to understand a fault into one file: the objects of the supervisor and of\n" +
			"the remote clusters, Events, logs, metrics and versions. Secrets are not packed, and cloud-init, keys,\n" +
			"tokens and passwords are taken out of the rest. It takes what you may read, and says what is missing: it\n" +
			"then ends with 3.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return r.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), version)
		},
	}
	r.way.Add(cmd.Flags())
	flags := cmd.Flags()
	flags.StringVarP(&r.namespace, "namespace", "n", "", "Machines of this namespace alone")
	flags.StringVarP(&r.output, "output", "o", "",
		"file to write, - for standard output (default: machine-report-TIME.tar.gz)")
	flags.BoolVar(&r.remotes, "remotes", true, "look into the remote clusters too")
	flags.DurationVar(&r.since, "since", 24*time.Hour, "how far back the logs go")
	return cmd
}

func (r *request) run(ctx context.Context, out, progress io.Writer, version string) (err error) {
	supervisor, err := r.way.Open(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	folder := "machine-report-" + now.UTC().Format("20060102-150405")
	if r.output == "" {
		r.output = folder + ".tar.gz"
	}
	into, finish, err := create(r.output, terminal.Raw(out))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(finish(exit.Code(err) != exit.Broken), err) }()
	c := &collection{
		supervisor: supervisor, bundle: newBundle(into, folder, now), namespace: r.namespace, remotes: r.remotes,
		since: r.since, progress: progress,
	}
	about := fmt.Sprintf("kubectl machine: %s\ntaken: %s\nnamespace: %q\nKubevirtConfigs in: %s\n", version,
		now.UTC().Format(time.RFC3339), r.namespace, supervisor.Namespace)
	if err := c.bundle.add("about.yaml", []byte(about)); err != nil {
		return err
	}
	if err := c.all(ctx); err != nil {
		return err
	}
	if err := errors.Join(c.bundle.close(), ctx.Err()); err != nil {
		return err
	}
	for _, each := range c.bundle.missing {
		fmt.Fprintln(progress, "missing:", each)
	}
	if r.output != "-" {
		fmt.Fprintf(out, "%s\n", r.output)
	}
	if len(c.bundle.missing) > 0 {
		return exit.Said(exit.Partial)
	}
	return nil
}

// create opens the file to write. finish puts it into its place, or takes it away: half a bundle is
// none.
func create(name string, stdout io.Writer) (into io.Writer, finish func(keep bool) error, err error) {
	if name == "-" {
		return stdout, func(bool) error { return nil }, nil
	}
	file, err := os.CreateTemp(filepath.Dir(name), ".machine-report-")
	if err != nil {
		return nil, nil, fmt.Errorf("writing %s: %w", name, err)
	}
	return file, func(keep bool) error {
		err := file.Close()
		if err == nil && keep {
			return os.Rename(file.Name(), name)
		}
		return errors.Join(err, os.Remove(file.Name()))
	}, nil
}
