package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// stopGrace is how long Stop waits for a child to end by itself.
const stopGrace = 20 * time.Second

// Spec says what to run.
type Spec struct {
	// Name stands in errors and in the log's file name.
	Name string
	// Path is the binary's path.
	Path string
	// Args are its arguments, without the program's name.
	Args []string
	// Env is its whole environment, KEY=value; nil means the parent's.
	Env []string
	// Log is the file that standard output and standard error are appended to.
	Log string
}

// Process is a started child. All methods are safe for concurrent use.
type Process struct {
	spec Spec
	cmd  *exec.Cmd
	done chan struct{}
	err  error // why it ended; valid once done is closed
}

// Start starts spec. The error says if the binary is missing or cannot be run.
func Start(spec Spec) (*Process, error) {
	log, err := os.OpenFile(spec.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", spec.Name, err)
	}
	defer log.Close()

	cmd := exec.Command(spec.Path, spec.Args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = spec.Env, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:   true, // a Ctrl-C at the terminal is the parent's to handle
		Pdeathsig: syscall.SIGKILL,
	}
	if err := forkOnLastingThread(cmd); err != nil {
		return nil, fmt.Errorf("starting %s: %w", spec.Name, err)
	}
	p := &Process{spec: spec, cmd: cmd, done: make(chan struct{})}
	go p.wait()
	return p, nil
}

func (p *Process) wait() {
	p.err = p.cmd.Wait()
	close(p.done)
}

// Name returns the name that the process was started with.
func (p *Process) Name() string { return p.spec.Name }

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended and was reaped.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits until the process has ended, and returns nil if that was with status 0.
func (p *Process) Wait() error {
	<-p.done
	return p.err
}

// Exited returns nil while the process runs, and then an error that names it, how it ended and the
// last line of its log.
func (p *Process) Exited() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s ended (%s): %s", p.spec.Name, describe(p.err), lastLine(p.spec.Log))
	default:
		return nil
	}
}

// Stop asks the process to end and waits for it; one that is frozen, or takes longer than 20
// seconds, or outlives ctx, is killed.
func (p *Process) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopGrace)
	defer cancel()
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := p.signal(syscall.SIGCONT); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return p.Kill()
	}
}

// Kill ends the process at once and waits until it is gone.
func (p *Process) Kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return nil
}

// Freeze stops the process from running, as a hung machine would; Thaw lets it go on.
func (p *Process) Freeze() error { return p.signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on. Thawing one that is not frozen does nothing.
func (p *Process) Thaw() error { return p.signal(syscall.SIGCONT) }

// signal sends sig; a process that has ended already is no error.
func (p *Process) signal(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%v to %s: %w", sig, p.spec.Name, err)
	}
	return nil
}

func describe(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}
