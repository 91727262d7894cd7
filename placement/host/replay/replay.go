// Package replay is the command that puts a recorded question to a placement plugin, for its
// author.
package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/placement"
	placementhost "github.com/vitistack/kubevirt-multicluster/placement/host"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// question says whom to ask.
type question struct {
	plugin, socket, name, config string
}

// Command is the command. Its error is placementhost.ErrUndecided where the plugin holds or
// refuses, and another where it gave no answer.
func Command() *cobra.Command {
	var q question
	cmd := &cobra.Command{
		Use:   "replay FILE (--plugin EXECUTABLE | --socket PATH)",
		Short: "Put a recorded question to a placement plugin and print its answer",
		Long: "Put a question to a placement plugin and print its answer as JSON. FILE is what explain -o json has " +
			"written, or the request in it;\n" +
			"- is standard input. Nothing is placed, and no cluster is needed. It ends with 0 where the plugin decided or has " +
			"no opinion, 1\n" +
			"where it holds or refuses, and 2 where it gave no answer.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			request, err := readRequest(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			return q.put(cmd.Context(), cmd.OutOrStdout(), request)
		},
	}
	cmd.Flags().StringVar(&q.plugin, "plugin", "", "executable of the plugin")
	cmd.Flags().StringVar(&q.socket, "socket", "", "unix socket of a side-car")
	cmd.Flags().StringVar(&q.name, "name", "", "name of the strategy (default: the executable's, without placement-)")
	cmd.Flags().StringVar(&q.config, "config", "", "file with the plugin's configuration, JSON")
	cmd.MarkFlagsOneRequired("plugin", "socket")
	cmd.MarkFlagsMutuallyExclusive("plugin", "socket")
	return cmd
}

// readRequest reads a request, alone or in an explanation.
func readRequest(path string, stdin io.Reader) (placement.Request, error) {
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return placement.Request{}, err
		}
		defer file.Close()
		stdin = file
	}
	content, err := io.ReadAll(stdin)
	if err != nil {
		return placement.Request{}, err
	}
	var other struct {
		Request       json.RawMessage
		Kind, Verdict string
	}
	switch err := yaml.Unmarshal(content, &other); {
	case err != nil: // told below
	case other.Request != nil:
		content = other.Request
	case other.Kind == "Machine":
		return placement.Request{}, fmt.Errorf(
			"%s is a Machine and no question: operator explain machine -f %s -o json writes one", path, path)
	case other.Verdict != "":
		return placement.Request{}, fmt.Errorf(
			"%s is an explanation without a question: no strategy could be asked (verdict %s)", path, other.Verdict)
	}
	request, err := plugin.UnmarshalRequest(content)
	if err != nil {
		return placement.Request{}, fmt.Errorf("reading the request in %s: %w", path, err)
	}
	return request, nil
}

// replayed is the answer of a plugin, as JSON.
type replayed struct {
	placement.Step
	Needs placement.Needs `json:"needs"`
}

func (q question) put(ctx context.Context, out io.Writer, request placement.Request) error {
	options, err := q.host()
	if err != nil {
		return err
	}
	host := plugin.NewHost(options)
	if err := host.Start(ctx); err != nil {
		return err
	}
	defer func() { _ = host.Close() }()
	if err := host.WaitReady(ctx); err != nil {
		return err
	}
	var needs placement.Needs
	_, trace, err := host.Place(ctx, func(_ context.Context, asked placement.Needs) (placement.Request, error) {
		needs = asked
		return request, nil
	})
	if len(trace) == 0 {
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(replayed{Step: trace[0], Needs: needs}); err != nil {
		return err
	}
	switch trace[0].Verdict {
	case placement.Placed, placement.NoOpinion:
		return nil
	case placement.Held, placement.Refused:
		return placementhost.ErrUndecided
	}
	return err
}

// host are the options of a host for the one plugin, whatever its digest.
func (q question) host() (plugin.Options, error) {
	entry := plugin.Entry{Name: q.name}
	options := plugin.Options{Dir: ".", AllowUnpinned: true, Logger: logr.Discard()}
	if q.plugin != "" {
		path, err := filepath.Abs(q.plugin)
		if err != nil {
			return options, err
		}
		options.Dir, entry.Path = filepath.Split(path)
	}
	if q.socket != "" {
		path, err := filepath.Abs(q.socket)
		if err != nil {
			return options, err
		}
		entry.Socket = path
	}
	if entry.Name == "" {
		entry.Name = strings.TrimPrefix(filepath.Base(q.plugin+q.socket), "placement-")
	}
	if q.config != "" {
		config, err := os.ReadFile(q.config)
		if err != nil {
			return options, err
		}
		entry.Config = config
	}
	options.Entries = []plugin.Entry{entry}
	return options, nil
}
