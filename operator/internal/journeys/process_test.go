package journeys

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// process is the operator, which can be killed and started again.
type process struct {
	log string

	mu  sync.Mutex
	cmd *exec.Cmd
}

func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	plugins, err := filepath.Abs(pluginDir)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(plugins, "SHA256SUMS")); err != nil {
		return fmt.Errorf("the placement plugins are missing, run `make tools`: %w", err)
	}
	file, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	p.cmd = exec.Command(world.binary, "--kubeconfig="+world.fleet.OperatorKubeconfig(), "--health-probe-bind-address=0",
		"--plugin-dir="+plugins, "--deletion-brake=off") // one test's deletions do not hold the next one's
	p.cmd.Env = []string{"KUBEVIRT_CONFIGS_NAMESPACE=" + fleet.ConfigsNamespace, "LOG_LEVEL=debug"}
	p.cmd.Stdout, p.cmd.Stderr = file, file
	return p.cmd.Start()
}

// kill ends the operator without a warning.
func (p *process) kill() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = p.cmd.Wait() // it says that it was killed
	return nil
}

func (p *process) stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("the operator had ended already: %w", err)
	}
	return p.cmd.Wait()
}
