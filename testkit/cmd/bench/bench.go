package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/internal/process"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
)

const (
	// involved clusters get the Machines of a round; one more is there to be cut off.
	involved = 3
	// workers make the calls, in the bare loop as in the operator, and create the Machines.
	workers = 16
	// notOperators is the provider of the bare loop's Machines: the operator leaves them alone.
	notOperators = "bare-loop"
)

// bench is one run.
type bench struct {
	operator        string
	machines, pairs int
	out             io.Writer

	fleet   *fleet.Fleet
	clients clients
	sample  sample
	rounds  int
}

// run measures everything on one light fleet, in which nobody takes the processor from those who are compared: KubeVirt has a processor of its
// own elsewhere, and here it would take the more the longer somebody needs.
func (b *bench) run(ctx context.Context) (err error) {
	if b.fleet, err = fleet.Start(ctx, fleet.Options{Remotes: involved + 1, KubeVirt: kubevirt.Light, Progress: b.out}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.fleet.Stop()) }()
	if b.clients, err = newClients(ctx, b.fleet); err != nil {
		return err
	}
	operator, err := b.startOperator()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, operator.Stop(context.WithoutCancel(ctx))) }()
	if err := b.learn(ctx); err != nil {
		return fmt.Errorf("a first Machine: %w", err)
	}
	if err := b.freezeKubeVirt(); err != nil {
		return err
	}
	if err := b.compareCreation(ctx); err != nil {
		return err
	}
	return errors.Join(b.compareOutage(ctx), operator.Exited())
}

// freezeKubeVirt lets virtual machines be objects and nothing else from now on.
func (b *bench) freezeKubeVirt() error {
	for _, remote := range b.fleet.Remotes {
		if err := remote.KubeVirt.Freeze(); err != nil {
			return fmt.Errorf("freezing KubeVirt of %s: %w", remote.Name, err)
		}
	}
	return nil
}

// startOperator starts the operator as a person would.
func (b *bench) startOperator() (*process.Process, error) {
	path, err := filepath.Abs(b.operator)
	if err != nil {
		return nil, err
	}
	return process.Start(process.Spec{
		Name: "operator", Path: path, Log: filepath.Join(b.fleet.Supervisor.ControlPlane.LogDir(), "operator.log"),
		Args: []string{"--kubeconfig=" + b.fleet.OperatorKubeconfig(), "--health-probe-bind-address=0"},
		Env:  []string{"KUBEVIRT_CONFIGS_NAMESPACE=" + fleet.ConfigsNamespace},
	})
}

// compareCreation times how long it takes from the first Machine until all VirtualMachines exist. The bare loop runs twice a turn: what it
// differs from itself by is what the machine's noise does.
func (b *bench) compareCreation(ctx context.Context) error {
	fmt.Fprintf(b.out, "\n%d Machines over %d clusters, %d turns of bare loop, operator, bare loop:\n", b.machines, involved, b.pairs)
	var first, second, operator []time.Duration
	for range b.pairs {
		for _, arm := range []struct {
			times *[]time.Duration
			maker maker
		}{{&first, b.bareLoop}, {&operator, nil}, {&second, b.bareLoop}} {
			took, err := b.round(ctx, round{clusters: involved, awaited: involved, maker: arm.maker})
			if err != nil {
				return err
			}
			*arm.times = append(*arm.times, took)
		}
		fmt.Fprintf(b.out, "  %5.2f s  %5.2f s  %5.2f s\n", last(first), last(operator), last(second))
	}
	b.print("bare loop against itself", ratios(first, second), "0.95 to 1.05, else the rest means nothing")
	b.print("operator against bare loop", ratios(operator, means(first, second)), "at most 1.5")
	return nil
}

// compareOutage times the same with a share of the Machines in a fourth cluster, which answers or is cut off: the others must not feel it.
func (b *bench) compareOutage(ctx context.Context) error {
	all := b.machines * (involved + 1) / involved
	fmt.Fprintf(b.out, "\n%d Machines over %d clusters, until those of %d exist; %d turns of the last one healthy, black-holed:\n", all, involved+1, involved, b.pairs)
	var healthy, hurt []time.Duration
	victim := b.fleet.Remotes[involved]
	for range b.pairs {
		for _, arm := range []struct {
			times *[]time.Duration
			fault faults.Kind
		}{{&healthy, faults.Pass}, {&hurt, faults.Blackhole}} {
			if err := victim.SetFault(faults.Fault{Kind: arm.fault}); err != nil {
				return err
			}
			took, err := b.round(ctx, round{clusters: involved + 1, awaited: involved, heal: victim})
			if err != nil {
				return err
			}
			*arm.times = append(*arm.times, took)
		}
		fmt.Fprintf(b.out, "  %5.2f s  %5.2f s\n", last(healthy), last(hurt))
	}
	b.print("black-holed against healthy", ratios(hurt, healthy), "at most 1.15")
	return nil
}

func (b *bench) print(what string, ratios []float64, bound string) {
	fmt.Fprintf(b.out, "%-28s median %.2f, %.2f to %.2f (%s)\n", what, median(ratios), ratios[0], ratios[len(ratios)-1], bound)
}
