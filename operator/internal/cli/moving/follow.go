package moving

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
)

// redrawInterval is how often what is shown is read anew.
const redrawInterval = time.Second

// The sequences that put a terminal's cursor home and clear what is below it.
const (
	home  = "\x1b[H"
	clear = "\x1b[J"
)

// picture is what is shown at one moment.
type picture struct {
	text string
	// over says that nothing more is to be seen, and code how the command ends then.
	over bool
	code int
}

// view reads what is to be shown.
type view interface {
	look(ctx context.Context) (picture, error)
}

// errStopped is what is left to say where a person stopped looking.
var errStopped = errors.New("it goes on without you; the same command with --watch shows how far it is")

// follow shows a view until it is over. On a terminal each picture takes the place of the last; into
// a file or a pipe a picture is written when it has changed.
func follow(ctx context.Context, out io.Writer, of view) error {
	ticker := time.NewTicker(redrawInterval)
	defer ticker.Stop()
	terminal, last := isTerminal(out), ""
	for {
		now, err := of.look(ctx)
		if ctx.Err() != nil {
			return exit.Incomplete(errStopped)
		}
		if err != nil {
			return err
		}
		text := now.text
		if terminal {
			text = home + clear + text
		}
		if terminal || now.text != last {
			if _, err := io.WriteString(out, text); err != nil {
				return err
			}
		}
		if last = now.text; now.over {
			return exit.Said(now.code)
		}
		select {
		case <-ctx.Done():
			return exit.Incomplete(errStopped)
		case <-ticker.C:
		}
	}
}

func isTerminal(out io.Writer) bool {
	file, isFile := out.(*os.File)
	return isFile && term.IsTerminal(int(file.Fd()))
}
