package follow

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/terminal"
)

// redrawInterval is how often what is shown is read anew.
const redrawInterval = time.Second

// Picture is what is shown at one moment.
type Picture struct {
	Text string
	// Over says that nothing more is to be seen, and Code how the command ends then.
	Over bool
	Code int
}

// View reads what is to be shown.
type View interface {
	Look(ctx context.Context) (Picture, error)
}

// errStopped is what is left to say where a person stopped looking.
var errStopped = errors.New("it goes on without you; the same command with --watch shows how far it is")

// Follow shows a view until it is over, and returns how the command ends. On a terminal each picture
// takes the place of the last; into a file or a pipe a picture is written when it has changed.
func Follow(ctx context.Context, out io.Writer, of View) error {
	ticker := time.NewTicker(redrawInterval)
	defer ticker.Stop()
	live, last := terminal.Is(out), ""
	for {
		now, err := of.Look(ctx)
		if ctx.Err() != nil {
			return exit.Incomplete(errStopped)
		}
		if err != nil {
			return err
		}
		if live {
			err = terminal.Clear(out)
		}
		if live || now.Text != last {
			_, writing := io.WriteString(out, now.Text)
			err = errors.Join(err, writing)
		}
		if err != nil {
			return err
		}
		if last = now.Text; now.Over {
			return exit.Said(now.Code)
		}
		select {
		case <-ctx.Done():
			return exit.Incomplete(errStopped)
		case <-ticker.C:
		}
	}
}
