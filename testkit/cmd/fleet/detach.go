package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// detachedVariable is set in the environment of the process that holds a detached fleet.
const detachedVariable = "FLEET_DETACHED"

// upDetached runs this command again in a session of its own, and shows what it prints until it is ready or has failed.
func upDetached(ctx context.Context, dir string, out io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := slices.DeleteFunc(slices.Clone(os.Args[1:]), func(arg string) bool { return arg == "--detach" || arg == "--detach=true" })
	output, childOutput, err := os.Pipe()
	if err != nil {
		return err
	}
	defer output.Close()
	cmd := exec.Command(self, args...)
	cmd.Stdout, cmd.Stderr = childOutput, childOutput
	cmd.Env = append(os.Environ(), detachedVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = errors.Join(cmd.Start(), childOutput.Close())
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })()

	// The child closes its end when it is ready or has ended.
	if _, err := io.Copy(out, output); err != nil {
		return err
	}
	if record, err := readRecord(dir); err == nil && record.PID == cmd.Process.Pid {
		return cmd.Process.Release()
	}
	if err := cmd.Wait(); err != nil {
		return errFailed
	}
	return ctx.Err()
}

// errFailed stands for an error that was shown already.
var errFailed = errors.New("the fleet did not come up")

// releaseOutput lets go of the terminal that a detached fleet was started from; from then on it writes to fleet.log.
func releaseOutput(f *fleet.Fleet) error {
	if os.Getenv(detachedVariable) == "" {
		return nil
	}
	log, err := os.OpenFile(filepath.Join(f.Dir(), fleet.LogFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("the fleet's log: %w", err)
	}
	defer log.Close()
	for _, stream := range []*os.File{os.Stdout, os.Stderr} {
		if err := syscall.Dup3(int(log.Fd()), int(stream.Fd()), 0); err != nil {
			return fmt.Errorf("redirecting the output: %w", err)
		}
	}
	return nil
}
