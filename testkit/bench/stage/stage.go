package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/internal/process"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
)

const (
	// Patience is for one step of a measurement.
	Patience     = 3 * time.Minute
	pollInterval = 50 * time.Millisecond
)

// Options say what a stage has.
type Options struct {
	// Operator is the operator's binary, with its plugins beside it.
	Operator string
	// Remotes is the number of remote clusters.
	Remotes int
	// Audit lets API servers write audit logs; Terminate lets proxies end watches that are open.
	Audit, Terminate bool
	// Progress gets what happens. It must not be nil.
	Progress io.Writer
}

// Stage is a fleet with the operator. It is not safe for concurrent use.
type Stage struct {
	Clients
	// Fleet is the whole of it.
	Fleet *fleet.Fleet

	options  Options
	metrics  *controlplane.Port
	operator *process.Process
	started  time.Time
}

// Start starts the fleet and the operator.
func Start(ctx context.Context, options Options) (_ *Stage, err error) {
	s := &Stage{options: options}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
		}
	}()
	if s.options.Operator, err = filepath.Abs(options.Operator); err != nil {
		return nil, err
	}
	if s.metrics, err = controlplane.ReservePort(0); err != nil {
		return nil, err
	}
	s.Fleet, err = fleet.Start(ctx, fleet.Options{
		Remotes: options.Remotes, KubeVirt: kubevirt.Light, Audit: options.Audit, Terminate: options.Terminate,
		Progress: options.Progress,
	})
	if err != nil {
		return nil, err
	}
	if s.Clients, err = newClients(ctx, s.Fleet); err != nil {
		return nil, err
	}
	if err := s.StartOperator(); err != nil {
		return nil, err
	}
	for _, remote := range s.Fleet.Remotes {
		if err := s.Until(ctx, func(ctx context.Context) error { return s.connected(ctx, remote.Name, true) }); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Stop stops the operator and the fleet.
func (s *Stage) Stop(ctx context.Context) error {
	err := s.StopOperator(ctx)
	if s.Fleet != nil {
		err = errors.Join(err, s.Fleet.Stop())
	}
	return errors.Join(err, s.metrics.Close())
}

// StartOperator starts the operator as a person would. The brake is off, because a measurement ends
// with the deletion of all that it made.
func (s *Stage) StartOperator() (err error) {
	s.started = time.Now()
	s.operator, err = process.Start(process.Spec{
		Name: "operator", Path: s.options.Operator,
		Log: filepath.Join(s.Fleet.Supervisor.ControlPlane.LogDir(), "operator.log"),
		Args: []string{"--kubeconfig=" + s.Fleet.OperatorKubeconfig(), "--health-probe-bind-address=0",
			"--metrics-bind-address=" + s.metricsAddress(), "--deletion-brake=off"},
		Env: []string{"KUBEVIRT_CONFIGS_NAMESPACE=" + fleet.ConfigsNamespace},
	})
	return err
}

// StopOperator asks the operator to end and waits for that. It can be called twice.
func (s *Stage) StopOperator(ctx context.Context) error {
	if s.operator == nil {
		return nil
	}
	operator := s.operator
	s.operator = nil
	return operator.Stop(ctx)
}

// Started is when the operator was started last.
func (s *Stage) Started() time.Time { return s.started }

// Exited is an error that says why the operator ended by itself; nil while it runs.
func (s *Stage) Exited() error {
	if s.operator == nil {
		return nil
	}
	return s.operator.Exited()
}

// FreezeKubeVirt lets virtual machines be objects and nothing else from now on.
func (s *Stage) FreezeKubeVirt() error {
	for _, remote := range s.Fleet.Remotes {
		if err := remote.KubeVirt.Freeze(); err != nil {
			return fmt.Errorf("freezing KubeVirt of %s: %w", remote.Name, err)
		}
	}
	return nil
}

// Say writes a line of progress.
func (s *Stage) Say(format string, args ...any) {
	fmt.Fprintf(s.options.Progress, format+"\n", args...)
}

// Until waits until there is no error any more, at most for Patience.
func (s *Stage) Until(ctx context.Context, check func(context.Context) error) error {
	return s.UntilWithin(ctx, Patience, check)
}

// UntilWithin waits until there is no error any more. An operator that ends is an error at once.
func (s *Stage) UntilWithin(ctx context.Context, within time.Duration, check func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, pollInterval, within, true, func(ctx context.Context) (bool, error) {
		err := check(ctx)
		if last == nil || ctx.Err() == nil {
			last = err // and not that the time was over during the last check
		}
		return err == nil, s.Exited()
	})
	if err != nil {
		return errors.Join(err, last)
	}
	return nil
}
