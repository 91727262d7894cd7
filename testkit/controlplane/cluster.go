package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/internal/process"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
)

const (
	startTimeout = 2 * time.Minute // of one server, on a loaded machine
	pollInterval = 50 * time.Millisecond
	// answerTimeout is for one answer of a server that may still be starting.
	answerTimeout = 2 * time.Second
)

// Cluster is a control plane. Its methods are safe for concurrent use, but those that start or end
// it (Launch, Stop, Kill, Restore) wait for each other.
type Cluster struct {
	options     Options
	dir         string
	janitor     *process.Janitor
	files       Files
	authorities authorities
	admin       *rest.Config
	ports       struct{ api, etcd *Port }

	lifecycle sync.Mutex
	running   lockedProcesses
}

// Start starts a cluster and waits until its API server is ready. On an error nothing is left
// behind.
func Start(ctx context.Context, options Options) (_ *Cluster, err error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	c := &Cluster{options: options}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Stop())
		}
	}()
	if err := c.reservePorts(); err != nil {
		return nil, err
	}
	if err := c.prepare(); err != nil {
		return nil, fmt.Errorf("preparing %s: %w", options.Name, err)
	}
	return c, c.Launch(ctx)
}

// reservePorts keeps the ports until Stop, also while the servers are down.
func (c *Cluster) reservePorts() (err error) {
	if c.ports.api, err = ReservePort(c.options.Port); err != nil {
		return err
	}
	c.options.Port = c.ports.api.Number
	c.ports.etcd, err = ReservePort(0)
	return err
}

// prepare makes the folder with everything that the servers read.
func (c *Cluster) prepare() error {
	if err := c.makeDir(); err != nil {
		return err
	}
	if err := makeDirs(c.LogDir(), filepath.Join(c.dir, "pki")); err != nil {
		return err
	}
	c.files = filesIn(filepath.Join(c.dir, "pki"))
	var err error
	if c.authorities, err = newAuthorities(); err != nil {
		return err
	}
	if err := c.authorities.write(c.files); err != nil {
		return err
	}
	kubeconfig, err := c.KubeconfigFor(Admin)
	if err != nil {
		return err
	}
	if c.admin, err = c.ConfigFor(Admin); err != nil {
		return err
	}
	return replaceFile(c.adminKubeconfigFile(), kubeconfig)
}

func (c *Cluster) makeDir() (err error) {
	if c.options.Dir == "" {
		c.dir, c.janitor, err = process.TempDir(c.options.Name + "-")
		return err
	}
	if c.dir, err = filepath.Abs(c.options.Dir); err != nil {
		return err
	}
	if err := makeDirs(c.dir); err != nil {
		return err
	}
	c.janitor, err = process.NewJanitor(c.dir)
	return err
}

// Launch starts the servers of a cluster that was killed, with the data, address and certificates
// that it had.
func (c *Cluster) Launch(ctx context.Context) error {
	c.lifecycle.Lock()
	defer c.lifecycle.Unlock()
	return c.launch(ctx)
}

func (c *Cluster) launch(ctx context.Context) error {
	if c.Running() {
		return fmt.Errorf("%s is running", c.options.Name)
	}
	for _, server := range []struct {
		spec  process.Spec
		ready func(context.Context) error
	}{
		{spec: c.etcd()}, // the API server waits for it
		{spec: c.apiServer(), ready: c.apiServerReady},
		{spec: c.controllerManager()},
	} {
		p, err := process.Start(server.spec)
		if err != nil {
			return errors.Join(err, c.killAll())
		}
		c.running.add(p)
		if server.ready == nil {
			continue
		}
		if err := c.waitFor(ctx, server.ready); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", server.spec.Name, err), c.killAll())
		}
	}
	return nil
}

// waitFor polls until ready answers nil; a server of the cluster that ends meanwhile ends the wait.
func (c *Cluster) waitFor(ctx context.Context, ready func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, pollInterval, startTimeout, true, func(ctx context.Context) (bool, error) {
		if err := c.running.exited(); err != nil {
			return false, err
		}
		last = ready(ctx)
		return last == nil, nil
	})
	if err != nil && wait.Interrupted(err) {
		return fmt.Errorf("not ready: %w", errors.Join(context.Cause(ctx), last))
	}
	return err
}

func (c *Cluster) apiServerReady(ctx context.Context) error {
	config, err := rest.TLSConfigFor(c.admin)
	if err != nil {
		return err
	}
	return c.answers(ctx, config, http.StatusOK)
}

// Stop ends the servers and removes the cluster's folder. It can be called twice.
func (c *Cluster) Stop() error {
	c.lifecycle.Lock()
	defer c.lifecycle.Unlock()
	err := errors.Join(c.killAll(), c.ports.api.Close(), c.ports.etcd.Close())
	if c.janitor != nil {
		err = errors.Join(err, c.janitor.Close())
		c.janitor = nil
	}
	return err
}

// Kill ends the servers at once, as a power cut would. The data stays for Launch.
func (c *Cluster) Kill() error {
	c.lifecycle.Lock()
	defer c.lifecycle.Unlock()
	return c.killAll()
}

func (c *Cluster) killAll() error { return c.running.drain((*process.Process).Kill) }

// Freeze stops the servers from running: connections stay open and nothing answers. Thaw lets them
// go on.
func (c *Cluster) Freeze() error { return c.running.each((*process.Process).Freeze) }

// Thaw lets frozen servers go on.
func (c *Cluster) Thaw() error { return c.running.each((*process.Process).Thaw) }

// Running says whether the cluster was started and neither killed nor stopped.
func (c *Cluster) Running() bool { return len(c.PIDs()) > 0 }

// PIDs are the process ids of the cluster's servers, in the order in which they were started.
func (c *Cluster) PIDs() []int { return c.running.pids() }

// Name returns the cluster's name.
func (c *Cluster) Name() string { return c.options.Name }

// Dir returns the cluster's folder, LogDir the one with a log for each server in it.
func (c *Cluster) Dir() string { return c.dir }

// LogDir returns the folder with a log for each server.
func (c *Cluster) LogDir() string { return filepath.Join(c.dir, "log") }

// Files returns the paths of the cluster's certificates.
func (c *Cluster) Files() Files { return c.files }

// AuditLog returns the path of the audit log, or "".
func (c *Cluster) AuditLog() string { return c.options.AuditLog }

func (c *Cluster) etcdData() string { return filepath.Join(c.dir, "etcd") }
