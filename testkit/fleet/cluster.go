package fleet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"time"

	"github.com/vitistack/kubevirt-multicluster/api/rbac"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	"github.com/vitistack/kubevirt-multicluster/testkit/internal/manifest"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Cluster is one cluster of a fleet with what belongs to it. Its methods are safe for concurrent
// use; those that change its life wait for each other.
type Cluster struct {
	// Name is its name, its KubevirtConfig's too.
	Name string
	// ControlPlane is etcd and the API server.
	ControlPlane *controlplane.Cluster
	// KubeVirt is what runs virtual machines; nil in the supervisor.
	KubeVirt *kubevirt.Stack
	// Proxy stands before the API server for those who come with the operator's identity.
	Proxy *faults.Proxy

	index    int
	options  Options
	folder   *folder
	client   client.Client
	identity identity
	outage   outage

	lifecycle sync.Mutex // one change at a time
	state     lockedState
}

// answerTimeout is for one answer to the administrator's client: a frozen API server gives none.
const answerTimeout = 30 * time.Second

func newCluster(name string, index int, options Options, folder *folder) *Cluster {
	c := &Cluster{Name: name, index: index, options: options, folder: folder}
	c.state.set(Starting)
	return c
}

func (c *Cluster) isSupervisor() bool { return c.Name == Supervisor }

// start brings the cluster up with everything that does not need another cluster.
func (c *Cluster) start(ctx context.Context) error {
	if err := c.startControlPlane(ctx); err != nil {
		return err
	}
	setUp := c.setUpRemote
	if c.isSupervisor() {
		setUp = c.setUpSupervisor
	}
	if err := setUp(ctx); err != nil {
		return fmt.Errorf("setting up %s: %w", c.Name, err)
	}
	c.state.set(Running)
	c.options.say(c.Name, "ready")
	return nil
}

func (c *Cluster) startControlPlane(ctx context.Context) (err error) {
	c.options.say(c.Name, "starting etcd, kube-apiserver, kube-controller-manager")
	api, port := c.options.ports(c.index)
	options := controlplane.Options{
		Name: c.Name, Dir: filepath.Join(c.folder.clusters(), c.Name), Port: api, Binaries: c.options.binaries,
	}
	if c.options.Audit {
		options.AuditLog = c.folder.auditLog(c.Name)
	}
	if c.ControlPlane, err = controlplane.Start(ctx, options); err != nil {
		return err
	}
	if c.Proxy, err = c.startProxy(port); err != nil {
		return fmt.Errorf("the proxy of %s: %w", c.Name, err)
	}
	c.outage.proxy = c.Proxy
	kubeconfig, err := c.ControlPlane.KubeconfigFor(controlplane.Admin)
	if err != nil {
		return err
	}
	if err := c.folder.write(c.folder.kubeconfig(c.Name), kubeconfig); err != nil {
		return err
	}
	scheme, err := scheme()
	if err != nil {
		return err
	}
	config := c.ControlPlane.Config()
	config.Timeout = answerTimeout
	c.client, err = client.New(config, client.Options{Scheme: scheme})
	return err
}

func (c *Cluster) startProxy(port int) (*faults.Proxy, error) {
	files := c.ControlPlane.Files()
	return faults.Start(faults.Options{
		Listen: fmt.Sprintf("127.0.0.1:%d", port), Target: c.ControlPlane.Addr(),
		ServingCert: files.ServingCert, ServingKey: files.ServingKey,
		ClientCA: files.ClientCA, TargetCA: files.ServingCA,
		FrontProxyCert: files.FrontProxyCert, FrontProxyKey: files.FrontProxyKey,
		Terminate: c.options.Terminate,
		Rand:      rand.New(rand.NewPCG(1, uint64(c.index))),
	})
}

// setUpRemote installs KubeVirt and, meanwhile, what lets the operator in.
func (c *Cluster) setUpRemote(ctx context.Context) error {
	c.options.say(c.Name, "installing KubeVirt (%s)", c.options.KubeVirt)
	installing, ctx := errgroup.WithContext(ctx)
	installing.Go(func() (err error) {
		c.KubeVirt, err = kubevirt.Start(ctx, c.ControlPlane,
			kubevirt.Options{Mode: c.options.KubeVirt, Binaries: &c.options.kubeVirtBinaries, Names: c.options.hosts})
		return err
	})
	installing.Go(func() error {
		rights := [][]byte{rbac.Remote}
		if c.options.Moves {
			rights = append(rights, rbac.Moves, rbac.Readiness)
		}
		if c.options.Guest {
			rights = append(rights, rbac.Guest)
		}
		for _, stream := range rights {
			if err := manifest.Apply(ctx, c.client, stream); err != nil {
				return err
			}
		}
		return c.newIdentity(ctx)
	})
	return installing.Wait()
}

// stop ends the cluster. Its folder goes with the control plane.
func (c *Cluster) stop() error {
	c.lifecycle.Lock()
	defer c.lifecycle.Unlock()
	c.state.set(Stopped)
	var errs []error
	if c.KubeVirt != nil {
		errs = append(errs, c.KubeVirt.Stop())
	}
	if c.ControlPlane != nil {
		errs = append(errs, c.ControlPlane.Stop())
	}
	if c.Proxy != nil {
		errs = append(errs, c.Proxy.Close())
	}
	return errors.Join(errs...)
}

// Client returns a client for the administrator. It reads from the API server, does not go through
// the proxy, and waits 30 seconds for an answer.
func (c *Cluster) Client() client.Client { return c.client }

// Kubeconfig returns the path of the administrator's kubeconfig.
func (c *Cluster) Kubeconfig() string { return c.folder.kubeconfig(c.Name) }
