package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/vitistack/kubevirt-multicluster/crdcheck/internal/several"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/source"
)

// The exit codes.
const (
	clean      = 0
	findings   = 1
	broken     = 2 // wrong arguments, or something could not be loaded
	incomplete = 3 // nothing was found, but not everything could be looked at
)

type streams struct {
	in       io.Reader
	out, err io.Writer
}

// exit is an error that only carries a code: all has been said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

const long = `Will what I write be accepted, and kept, by that cluster?

Places to read definitions from are written as
` + source.Help + `.

Exit codes: 0 nothing found; 1 findings; 2 wrong arguments or something could not be loaded;
3 incomplete: nothing was found, but a cluster or a part of a schema could not be looked at.`

const examples = `  # What does a change of the definitions in a branch break?
  crdcheck compare git:origin/main:./config/crd config/crd

  # Only what touches my program, as annotations of a pull request
  crdcheck compare old.yaml new.yaml --usage usage.yaml -o github

  # Has the cluster what my program needs?
  crdcheck require --usage usage.yaml kube:

  # Do all remote clusters agree, and would each keep this object?
  crdcheck diff --fleet configs:kubevirt-configs --crd virtualmachines.kubevirt.io
  crdcheck admit vm.yaml --against kube:east`

// run runs the program and returns its exit code.
func run(ctx context.Context, args []string, s streams) int {
	root := &cobra.Command{
		Use: "crdcheck", Short: "Will what I write be accepted, and kept, by that cluster?", Long: long, Example: examples,
		SilenceUsage: true, SilenceErrors: true, Args: cobra.NoArgs, Version: version(),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.AddCommand(
		requireCommand(s), compareCommand(s), fleetCommand(s), diffCommand(s), admitCommand(s), rulesCommand(s),
	)
	err := root.ExecuteContext(ctx)
	var code exit
	switch {
	case err == nil:
		return clean
	case errors.As(err, &code):
		return int(code)
	default:
		printErrors(s.err, err)
		return broken
	}
}

// printErrors writes a line for each error.
func printErrors(w io.Writer, err error) {
	for _, one := range several.Errors(err) {
		fmt.Fprintln(w, "crdcheck:", one)
	}
}

// terminal reports whether a stream is one.
func terminal(w io.Writer) bool {
	file, isFile := w.(*os.File)
	return isFile && term.IsTerminal(int(file.Fd()))
}
