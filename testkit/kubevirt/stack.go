package kubevirt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/internal/process"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/agent"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/contents"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/exports"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/imports"
)

// Stack is KubeVirt on one cluster. Its methods are safe for concurrent use, but those that start
// or end it (Launch, Stop, Kill) wait for each other.
type Stack struct {
	cluster  *controlplane.Cluster
	options  Options
	client   client.Client
	identity identity
	ports    ports
	served   []definition

	lifecycle sync.Mutex
	running   lockedParts

	contents *contents.Store
	faults   *exports.Faults
	room     *imports.Room
	external atomic.Bool // whether exports have links for the outside
}

// ports are those of KubeVirt's programs on 127.0.0.1, virt-handler among them, and the one at which
// exports are asked for from outside. They stay theirs while these are down.
type ports struct{ api, controller, handler, exports *controlplane.Port }

func (p ports) close() error {
	return errors.Join(p.api.Close(), p.controller.Close(), p.handler.Close(), p.exports.Close())
}

// Start installs KubeVirt on a running cluster and waits until it takes virtual machines. On an
// error nothing of it runs.
func Start(ctx context.Context, cluster *controlplane.Cluster, options Options) (_ *Stack, err error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	s := &Stack{cluster: cluster, options: options, faults: exports.NewFaults(), room: imports.NewRoom()}
	s.external.Store(!options.InternalExports)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()
	if err := s.prepare(); err != nil {
		return nil, fmt.Errorf("preparing KubeVirt on %s: %w", cluster.Name(), err)
	}
	if err := s.install(ctx); err != nil {
		return nil, fmt.Errorf("installing KubeVirt on %s: %w", cluster.Name(), err)
	}
	return s, s.Launch(ctx)
}

// prepare makes the files that the programs read and finds ports for them.
func (s *Stack) prepare() (err error) {
	if s.identity, err = newIdentity(s.cluster); err != nil {
		return err
	}
	if s.contents, err = contents.Open(filepath.Join(s.identity.dir, "disks")); err != nil {
		return err
	}
	for _, port := range []**controlplane.Port{&s.ports.api, &s.ports.controller, &s.ports.handler, &s.ports.exports} {
		if *port, err = controlplane.ReservePort(0); err != nil {
			return err
		}
	}
	kinds, err := scheme()
	if err != nil {
		return err
	}
	s.client, err = client.New(s.cluster.Config(), client.Options{Scheme: kinds})
	return err
}

// Launch starts what does not run, with the addresses and certificates that it had, and waits until
// virtual machines are taken. It is for a stack that was killed, once the cluster's API server is
// up again; on one that runs it only waits.
func (s *Stack) Launch(ctx context.Context) error {
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	if err := s.becomeReady(ctx); err != nil { // programs that ended meanwhile say why
		return errors.Join(err, s.running.get().lastEnds(), s.end())
	}
	return nil
}

func (s *Stack) becomeReady(ctx context.Context) error {
	if !s.Running() {
		if err := s.launch(ctx); err != nil {
			return err
		}
	}
	return s.waitReady(ctx)
}

// launch starts virt-api first: it computes for seconds before it asks anything of the API server.
func (s *Stack) launch(ctx context.Context) error {
	if s.options.Mode == Real {
		if err := s.run(s.apiSpec()); err != nil {
			return err
		}
	}
	if err := s.configure(ctx); err != nil {
		return fmt.Errorf("configuring KubeVirt on %s: %w", s.cluster.Name(), err)
	}
	if s.options.Mode == Real {
		if err := s.run(s.controllerSpec()); err != nil {
			return err
		}
	}
	return s.startAgent(ctx)
}

// run starts a program and keeps it running.
func (s *Stack) run(spec process.Spec) error {
	p, err := startProgram(spec)
	if err != nil {
		return err
	}
	s.running.change(func(now *parts) { now.programs = append(now.programs, p) })
	return nil
}

func (s *Stack) startAgent(ctx context.Context) error {
	config, err := s.cluster.ConfigFor(account("kubevirt-handler"))
	if err != nil {
		return err
	}
	log, err := openLog(filepath.Join(s.cluster.LogDir(), "agent.log"))
	if err != nil {
		return err
	}
	outward, err := s.agentExports()
	if err != nil {
		return err
	}
	verbs, err := s.agentVerbs()
	if err != nil {
		return err
	}
	a, err := agent.Start(ctx, agent.Options{
		Cluster:  s.cluster.Name(),
		Config:   config,
		Light:    s.options.Mode == Light,
		Script:   s.options.Script,
		Log:      log.logger(),
		Contents: s.contents,
		Names:    s.options.Names,
		Room:     s.room,
		Exports:  outward,
		Verbs:    verbs,
	})
	if err != nil {
		log.close()
		return fmt.Errorf("agent of %s: %w", s.cluster.Name(), err)
	}
	s.running.change(func(now *parts) { now.agent, now.log = a, log })
	return nil
}

// agentVerbs lets the agent pause guests where there is a virt-api that asks for that.
func (s *Stack) agentVerbs() (*agent.Verbs, error) {
	if s.options.Mode == Light {
		return nil, nil
	}
	certificate, err := tls.X509KeyPair(s.identity.handler.Cert, s.identity.handler.Key)
	if err != nil {
		return nil, fmt.Errorf("certificate of virt-handler: %w", err)
	}
	return &agent.Verbs{
		Namespace: Namespace, Address: net.JoinHostPort(loopback, strconv.Itoa(s.ports.handler.Number)),
		Certificate: certificate, Authority: s.identity.ca.Cert,
	}, nil
}

// Stop ends everything that Start started and removes its files; what is stored in the cluster
// stays. It can be called twice.
func (s *Stack) Stop() error {
	return errors.Join(s.Kill(), s.ports.close(), os.RemoveAll(s.identity.dir))
}

// Kill ends the programs and the agent at once, as a power cut would. Launch starts them again.
func (s *Stack) Kill() error {
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	return s.end()
}

func (s *Stack) end() error { return s.running.take().end() }

// Freeze stops the programs and the agent from doing anything. Thaw lets them go on.
func (s *Stack) Freeze() error { return s.running.get().freeze() }

// Thaw lets frozen programs and the agent go on.
func (s *Stack) Thaw() error { return s.running.get().thaw() }

// Running says whether the stack was started and neither killed nor stopped.
func (s *Stack) Running() bool { return s.running.get().agent != nil }

// PIDs are the process ids of virt-api and virt-controller, in this order; in mode Light there are
// none.
func (s *Stack) PIDs() []int { return s.running.get().pids() }

// Agent returns the agent that runs now, or nil. Launch after Kill makes a new one.
func (s *Stack) Agent() *agent.Agent { return s.running.get().agent }

// Mode returns how much of the stack is real.
func (s *Stack) Mode() Mode { return s.options.Mode }
