// Package operator builds the operator and runs it against a fleet, as a process that tests may kill.
//
//	if err := operator.Build(binary, "../.."); err != nil { … }
//	process := &operator.Process{Binary: binary, Log: log, Plugins: "../../../bin/plugins", Fleet: fleet}
//	err := process.Start()
package operator

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/internal/process"
)

// Build compiles the operator, or another program of the repository, from the folder source into the
// file binary, without cgo. It works outside the workspace too: each module builds its own programs.
func Build(binary, source string) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	build := exec.Command("go", "build", "-trimpath", "-o", binary, ".")
	build.Dir, build.Env = source, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w: %s", source, err, out)
	}
	return nil
}

// Process is the operator with the rights that are documented. It is safe for concurrent use; its
// fields are not to be changed once it runs.
type Process struct {
	// Binary is the program, Log the file that its output is added to.
	Binary, Log string
	// Plugins is the folder of the placement plugins, where `make tools` puts them.
	Plugins string
	// Fleet has its supervisor.
	Fleet *fleet.Fleet
	// Args and Env are added to those that every test needs.
	Args, Env []string

	mu  sync.Mutex
	now *process.Process
}

// Start starts the operator. It does not wait until that works.
func (p *Process) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	plugins, err := filepath.Abs(p.Plugins)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(plugins, "SHA256SUMS")); err != nil { // every Machine would wait
		return fmt.Errorf("the placement plugins are missing, run `make tools`: %w", err)
	}
	p.now, err = process.Start(process.Spec{
		Name: "operator", Path: p.Binary, Log: p.Log,
		Args: append([]string{"--kubeconfig=" + p.Fleet.OperatorKubeconfig(), "--health-probe-bind-address=0",
			"--plugin-dir=" + plugins}, p.Args...),
		Env: append([]string{"KUBEVIRT_CONFIGS_NAMESPACE=" + fleet.ConfigsNamespace, "LOG_LEVEL=debug"}, p.Env...),
	})
	return err
}

// PID is the process id.
func (p *Process) PID() int { return p.process().PID() }

// Done is closed once the operator has ended, in whatever way.
func (p *Process) Done() <-chan struct{} { return p.process().Done() }

// Kill ends the operator without a warning.
func (p *Process) Kill() error { return p.process().Kill() }

// Crash ends the operator by a signal upon which a Go program writes down what all its goroutines do,
// into the log: SIGQUIT or SIGABRT. It waits for the end.
func (p *Process) Crash(by syscall.Signal) error {
	now := p.process()
	if err := now.Exited(); err != nil {
		return fmt.Errorf("the operator had ended already: %w", err)
	}
	if err := syscall.Kill(now.PID(), by); err != nil {
		return err
	}
	_ = now.Wait() // it says that it crashed
	return nil
}

// Freeze stops the operator from running; its connections stay open.
func (p *Process) Freeze() error { return p.process().Freeze() }

// Thaw lets a frozen operator go on.
func (p *Process) Thaw() error { return p.process().Thaw() }

// Stop asks the operator to end and waits for that. An operator that had ended already is an error,
// and so is one that does not end with status 0.
func (p *Process) Stop() error {
	now := p.process()
	if err := now.Exited(); err != nil {
		return fmt.Errorf("the operator had ended already: %w", err)
	}
	if err := syscall.Kill(now.PID(), syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return now.Wait()
}

func (p *Process) process() *process.Process {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}
