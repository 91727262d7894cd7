package status

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/terminal"
)

// redrawInterval is how often a live screen is read anew: progress of disks and the remote events
// come from several objects, and a person looks at it for a while only.
const redrawInterval = time.Second

func statusCommand() *cobra.Command {
	var s reach.Subject
	var by reach.Access
	var live bool
	cmd := &cobra.Command{
		Use:   "status (NAME | NAMESPACE/NAME)",
		Short: "Show one Machine on one screen: its conditions, place, virtual machine, disks, interfaces and events",
		Long: "Show one Machine on one screen. The remote side is read with the kubeconfig of its KubevirtConfig, if\n" +
			"you may read that, or with yours (--remote-kubeconfig, --remote-context). What cannot be read is said.\n" +
			"It ends with 0 where the Machine is Ready, 1 where it is not, and 3 where that is unknown.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			supervisor, key, err := s.Open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			show := screen{supervisor: supervisor, key: key, by: by, out: cmd.OutOrStdout()}
			if live {
				return show.follow(cmd.Context())
			}
			return show.once(cmd.Context())
		},
	}
	s.Add(cmd.Flags())
	by.Add(cmd.Flags())
	cmd.Flags().BoolVarP(&live, "watch", "w", false, "go on showing it, until it is gone or you press Ctrl-C")
	return cmd
}

// screen shows one Machine.
type screen struct {
	supervisor *reach.Supervisor
	key        client.ObjectKey
	by         reach.Access
	out        io.Writer
}

func (s screen) once(ctx context.Context) error {
	view, err := gather(ctx, s.supervisor, s.key, s.by)
	if err != nil {
		return err
	}
	if err := tree(view, paintFor(s.out)).draw(s.out); err != nil {
		return err
	}
	return exit.Said(codeOf(view))
}

// codeOf is the exit code for a Machine.
func codeOf(view *View) int {
	for _, condition := range view.Machine.Status.Conditions {
		if condition.Type != "Ready" {
			continue
		}
		switch condition.Status {
		case "True":
			return exit.Fine
		case "False":
			return exit.Negative
		}
	}
	return exit.Partial
}

// follow shows it again and again. On a terminal each picture takes the place of the last; into a
// file or a pipe a picture is written when something other than a time has changed.
func (s screen) follow(ctx context.Context) error {
	ticker := time.NewTicker(redrawInterval)
	defer ticker.Stop()
	live, last := terminal.Is(s.out), ""
	for {
		view, err := gather(ctx, s.supervisor, s.key, s.by)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, reach.ErrNoMachine) && last != "":
			fmt.Fprintf(s.out, "Machine %s is gone.\n", s.key)
			return nil
		case err != nil:
			return err
		}
		last, err = s.redraw(view, live, last)
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// redraw draws a view, and returns what would tell whether the next is a different one.
func (s screen) redraw(view *View, live bool, last string) (string, error) {
	var picture, timeless bytes.Buffer
	if err := tree(view, paintFor(s.out)).draw(&picture); err != nil {
		return "", err
	}
	still := *view
	still.Now = time.Time{} // ages are then all the same
	if err := tree(&still, paint{}).draw(&timeless); err != nil {
		return "", err
	}
	var err error
	switch {
	case live:
		if err = terminal.Clear(s.out); err == nil {
			_, err = io.WriteString(s.out, picture.String())
		}
	case timeless.String() != last:
		_, err = io.WriteString(s.out, picture.String()+"\n")
	}
	return timeless.String(), err
}
