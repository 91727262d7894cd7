package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

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
	operator string
	// machines are created in a round over the involved clusters, pairs is how many rounds there are
	// of each kind, and changes is how many guests change.
	machines, pairs, changes int
	// within is how long all of it may take.
	within time.Duration
	asJSON bool
	// out gets the rows, and progress what happens meanwhile.
	out, progress io.Writer

	fleet   *fleet.Fleet
	clients clients
	sample  sample
	rounds  int
	rows    []row
}

// add notes a row.
func (b *bench) add(name string, bound float64, ratios []float64) {
	b.rows = append(b.rows, newRow(name, bound, ratios))
}

// run measures everything on one light fleet. KubeVirt has a processor of its own elsewhere. Here
// it would take the processor from those who are compared, the more the longer somebody needs. Rows
// are printed also where a later measurement did not come to its end.
func (b *bench) run(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, b.within, fmt.Errorf("not done within %s: see --within", b.within))
	defer cancel()
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = errors.Join(context.Cause(ctx), err)
		}
		err = errors.Join(err, printRows(b.out, b.rows, b.asJSON))
	}()
	options := fleet.Options{Remotes: involved + 1, KubeVirt: kubevirt.Light, Progress: b.progress}
	if b.fleet, err = fleet.Start(ctx, options); err != nil {
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
	for _, compare := range []func(context.Context) error{b.compareCreation, b.compareLatency, b.compareTrouble} {
		if err := compare(ctx); err != nil {
			return errors.Join(err, operator.Exited())
		}
	}
	return operator.Exited()
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
		Args: []string{"--kubeconfig=" + b.fleet.OperatorKubeconfig(), "--health-probe-bind-address=0",
			"--deletion-brake=off"}, // a round ends with the deletion of all
		Env: []string{"KUBEVIRT_CONFIGS_NAMESPACE=" + fleet.ConfigsNamespace},
	})
}

// compareCreation times how long it takes from the first Machine until all VirtualMachines exist.
// The bare loop runs twice a turn: what it differs from itself by is what the machine's noise does.
// One turn more comes first and is not counted: processes that were idle since they started are
// slow for some seconds, the one that has more code the longer.
func (b *bench) compareCreation(ctx context.Context) error {
	fmt.Fprintf(b.progress, "\n%d Machines over %d clusters, 1 + %d turns of bare loop, operator, bare loop:\n",
		b.machines, involved, b.pairs)
	var first, second, operator []time.Duration
	for range 1 + b.pairs {
		for _, arm := range []struct {
			times *[]time.Duration
			maker maker
		}{{&first, b.bareLoop}, {&operator, nil}, {&second, b.bareLoop}} {
			took, err := b.round(ctx, round{
				clusters: involved, awaited: involved, maker: arm.maker, trouble: trouble{begin: none, end: none},
			})
			if err != nil {
				return err
			}
			*arm.times = append(*arm.times, took)
		}
		fmt.Fprintf(b.progress, "  %5.2f s  %5.2f s  %5.2f s\n", last(first), last(operator), last(second))
	}
	first, second, operator = first[1:], second[1:], operator[1:]
	b.rows = append(b.rows, newNoise("bare-loop-against-itself", 1.05, ratios(first, second)))
	b.add("creation", 1.15, ratios(operator, means(first, second)))
	return nil
}
