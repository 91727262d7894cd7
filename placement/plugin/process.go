package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// drain is how long the output of a dead process may still be read: its last words, but not those
// of a child that it left behind and that holds the pipe open.
const drain = time.Second

// A process is one run of an executable, as go-plugin wants a runner. It differs from go-plugin's
// own: standard input is a life-line that closes when the host dies, the process leads a group that
// dies with it, and its end is seen even if a child holds its output open.
type process struct {
	cmd   *exec.Cmd
	spawn func(start func() error) error // runs start on a thread that lives as long as the host

	follow func(stderr io.Reader) // reads the log until it ends

	lifeline, stdout, stderr *os.File // the host's ends
	exited, followed         chan struct{}

	mu     sync.Mutex
	pid    int  // 0 before the start
	reaped bool // the pid may be somebody else's
	doomed bool // killed, perhaps before it was started
	err    error
}

func newProcess(cmd *exec.Cmd, spawn func(func() error) error, follow func(io.Reader)) *process {
	return &process{
		cmd: cmd, spawn: spawn, follow: follow, exited: make(chan struct{}), followed: make(chan struct{}),
	}
}

// Start starts the process; go-plugin calls it once.
func (p *process) Start(context.Context) (err error) {
	var theirs []*os.File
	defer func() {
		closeAll(theirs...)
		if err != nil {
			closeAll(p.lifeline, p.stdout, p.stderr)
		}
	}()
	stdin, lifeline, err := os.Pipe()
	if err != nil {
		return err
	}
	theirs, p.lifeline = append(theirs, stdin), lifeline
	stdout, out, err := os.Pipe()
	if err != nil {
		return err
	}
	theirs, p.stdout = append(theirs, out), stdout
	stderr, errs, err := os.Pipe()
	if err != nil {
		return err
	}
	theirs, p.stderr = append(theirs, errs), stderr
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = stdin, out, errs
	p.cmd.SysProcAttr = sysProcAttr()

	p.mu.Lock()
	defer p.mu.Unlock()
	if p.doomed {
		return errors.New("stopped before it was started")
	}
	if err := p.spawn(p.cmd.Start); err != nil {
		return err
	}
	p.pid = p.cmd.Process.Pid
	go p.watch()
	go func() {
		defer close(p.followed)
		p.follow(p.stderr)
	}()
	return nil
}

// watch notices the end of the process.
func (p *process) watch() {
	defer close(p.exited)
	err := p.reap()
	p.mu.Lock()
	p.err = err
	p.mu.Unlock()
	closeAll(p.lifeline)
	deadline := time.Now().Add(drain)
	_ = p.stdout.SetReadDeadline(deadline)
	_ = p.stderr.SetReadDeadline(deadline)
}

// Kill ends the process and its children at once. It is no error if they have ended.
func (p *process) Kill(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.doomed = true
	if p.pid != 0 && !p.reaped {
		killGroup(p.pid)
	}
	return nil
}

// end asks the process to end by closing its life-line, and kills it if it does not within the
// grace period. It returns when the process has ended.
func (p *process) end(grace time.Duration) {
	p.mu.Lock()
	p.doomed = true
	p.mu.Unlock()
	if !p.started() {
		return
	}
	closeAll(p.lifeline)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
		_ = p.Kill(context.Background())
		<-p.exited
	}
}

// started reports whether there is or was a process.
func (p *process) started() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pid != 0
}

// Wait returns when the process has ended, with its exit status as an error.
func (p *process) Wait(context.Context) error {
	<-p.exited
	<-p.followed
	closeAll(p.stdout, p.stderr)
	return p.status()
}

// status is how the process ended, nil for a zero exit status.
func (p *process) status() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// killed reports whether the process was killed. Only the host kills, so any other process ended by
// itself.
func killed(status error) bool {
	exit, ok := errors.AsType[*exec.ExitError](status)
	if !ok {
		return false
	}
	wait, ok := exit.Sys().(syscall.WaitStatus)
	return ok && wait.Signaled() && wait.Signal() == syscall.SIGKILL
}

// Diagnose has nothing to add to what go-plugin says.
func (p *process) Diagnose(context.Context) string { return "" }

// Stdout is the host's end; go-plugin reads the handshake from it.
func (p *process) Stdout() io.ReadCloser { return p.stdout }

// Stderr is empty: go-plugin must not read log lines, because some of them make it panic.
func (p *process) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Name is the executable's path.
func (p *process) Name() string { return p.cmd.Path }

// ID is the process ID.
func (p *process) ID() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strconv.Itoa(p.pid)
}

// PluginToHost returns the address as it is, if it is a unix socket: a plugin has no business on
// the network.
func (p *process) PluginToHost(network, address string) (string, string, error) {
	if network != "unix" {
		return "", "", fmt.Errorf("the plugin listens on %s; only unix sockets are allowed", network)
	}
	return network, address, nil
}

// HostToPlugin returns the address as it is.
func (p *process) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}

func closeAll(files ...*os.File) {
	for _, file := range files {
		if file != nil {
			_ = file.Close()
		}
	}
}
