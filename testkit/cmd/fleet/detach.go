package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"golang.org/x/sync/errgroup"
)

const (
	detachFlag = "detach"
	// heldFlag tells the process that holds a detached fleet that it does. It is not for people.
	heldFlag = "held"
)

// upDetached runs this command again in a session of its own, and shows what it prints until it is
// ready or has failed.
func upDetached(cmd *cobra.Command, dir string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	holder := exec.Command(self, heldArgs(cmd)...)
	holder.Args[0] = os.Args[0]
	holder.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	life, err := holder.StdinPipe() // when this process ends before the fleet is ready, the fleet ends too
	if err != nil {
		return err
	}
	defer life.Close()
	output, err := holder.StdoutPipe()
	if err != nil {
		return err
	}
	errorOutput, err := holder.StderrPipe()
	if err != nil {
		return err
	}
	if err := holder.Start(); err != nil {
		return err
	}
	defer context.AfterFunc(cmd.Context(), func() { _ = holder.Process.Signal(syscall.SIGTERM) })()

	// The holder closes its outputs when it is ready or has ended.
	showing := errgroup.Group{}
	showing.Go(func() error { return show(cmd.OutOrStdout(), output) })
	showing.Go(func() error { return show(cmd.ErrOrStderr(), errorOutput) })
	if err := showing.Wait(); err != nil {
		return err
	}
	if record, err := readRecord(dir); err == nil && record.PID == holder.Process.Pid {
		return holder.Process.Release()
	}
	if err := holder.Wait(); err != nil {
		return fmt.Errorf("the fleet did not come up (%w): %w", err, errShown)
	}
	return nil
}

func show(to io.Writer, from io.Reader) error {
	_, err := io.Copy(to, from)
	return err
}

// heldArgs are the arguments that this command was called with, for the process that holds the
// fleet.
func heldArgs(cmd *cobra.Command) []string {
	args := []string{cmd.Name(), "--" + heldFlag}
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		if flag.Name != detachFlag {
			args = append(args, "--"+flag.Name+"="+flag.Value.String())
		}
	})
	return args
}

// holder is the process that holds a detached fleet. Until it is ready, it lives no longer than the
// one that started it.
type holder struct {
	ready atomic.Bool
}

// watch returns a context that ends when standard input does, unless the holder is ready by then.
func (h *holder) watch(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		if !h.ready.Load() {
			cancel()
		}
	}()
	return ctx, cancel
}

// release lets go of the process that started this one, and of its terminal: from then on this one
// writes to fleet.log.
func (h *holder) release(f *fleet.Fleet) error {
	log, err := os.OpenFile(filepath.Join(f.Dir(), fleet.LogFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("the fleet's log: %w", err)
	}
	defer log.Close()
	h.ready.Store(true)
	for _, stream := range []*os.File{os.Stdout, os.Stderr} {
		if err := syscall.Dup3(int(log.Fd()), int(stream.Fd()), 0); err != nil {
			return fmt.Errorf("redirecting the output: %w", err)
		}
	}
	return nil
}
