package deployment

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// finished begins the line by which a Shell tells that a step has ended well.
const finished = "@@finished "

// Shell is one bash in which the steps of a document are run one after the other, as a person does
// who types them: what a step sets, the next one has. It ends with the first command that fails.
type Shell struct {
	command *exec.Cmd
	in      io.WriteCloser
	lines   chan string
	failure *bytes.Buffer
}

// NewShell starts bash in a folder with an environment, which is all that it has.
func NewShell(ctx context.Context, folder string, env []string) (*Shell, error) {
	s := &Shell{
		command: exec.CommandContext(ctx, "bash", "--noprofile", "--norc", "-euo", "pipefail", "-s"),
		lines:   make(chan string), failure: &bytes.Buffer{},
	}
	s.command.Dir, s.command.Env, s.command.Stderr = folder, env, s.failure
	s.command.WaitDelay = time.Second
	var err error
	if s.in, err = s.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(s.lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			s.lines <- scanner.Text()
		}
	}()
	return s, nil
}

// Run runs a step and returns what it printed. It fails where a command of it does, with what that
// wrote to the standard error, and where the step takes longer than limit; no step can be run after
// that.
func (s *Shell) Run(step Step, limit time.Duration) (string, error) {
	_, err := fmt.Fprintf(s.in, "{\n%s} </dev/null\nprintf '\\n%%s\\n' '%s%s'\n", step.Script, finished, step.Name)
	if err != nil {
		return "", fmt.Errorf("step %s: the shell has ended: %w", step.Name, err)
	}
	var printed strings.Builder
	late := time.After(limit)
	for {
		select {
		case line, open := <-s.lines:
			switch {
			case !open:
				return printed.String(), fmt.Errorf("step %s failed: %w\n%s%s",
					step.Name, s.command.Wait(), printed.String(), s.failure)
			case line == finished+step.Name:
				return strings.TrimSuffix(printed.String(), "\n"), nil
			}
			printed.WriteString(line + "\n")
		case <-late:
			_ = s.command.Process.Kill()
			return printed.String(), fmt.Errorf("step %s takes longer than %s: %s", step.Name, limit, printed.String())
		}
	}
}

// Close ends bash. What a step has put into the background is the step's to end.
func (s *Shell) Close() {
	_ = s.in.Close()
	for range s.lines { // what a step has left
	}
	_ = s.command.Wait()
}
