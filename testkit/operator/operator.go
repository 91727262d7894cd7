// Package operator builds the operator and runs it against a fleet, as a process that tests may kill.
//
//	if err := operator.Build(binary, "../.."); err != nil { … }
//	process := &operator.Process{Binary: binary, Log: log, Plugins: "../../../bin/plugins", Fleet: fleet}
//	err := process.Start()
package operator

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// Build compiles the operator from the folder source into the file binary, without cgo.
func Build(binary, source string) error {
	build := exec.Command("go", "build", "-trimpath", "-o", binary, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the operator: %w: %s", err, out)
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
	cmd *exec.Cmd
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
	file, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	args := append([]string{"--kubeconfig=" + p.Fleet.OperatorKubeconfig(), "--health-probe-bind-address=0",
		"--plugin-dir=" + plugins}, p.Args...)
	p.cmd = exec.Command(p.Binary, args...)
	p.cmd.Env = append([]string{"KUBEVIRT_CONFIGS_NAMESPACE=" + fleet.ConfigsNamespace, "LOG_LEVEL=debug"}, p.Env...)
	p.cmd.Stdout, p.cmd.Stderr = file, file
	return p.cmd.Start()
}

// Kill ends the operator without a warning.
func (p *Process) Kill() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = p.cmd.Wait() // it says that it was killed
	return nil
}

// Crash ends the operator by a signal upon which a Go program writes down what all its goroutines do,
// into the log: SIGQUIT or SIGABRT. It waits for the end.
func (p *Process) Crash(by syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.cmd.Process.Signal(by); err != nil {
		return fmt.Errorf("the operator had ended already: %w", err)
	}
	_ = p.cmd.Wait() // it says that it crashed
	return nil
}

// Stop asks the operator to end and waits for that. An operator that had ended already is an error.
func (p *Process) Stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("the operator had ended already: %w", err)
	}
	return p.cmd.Wait()
}
