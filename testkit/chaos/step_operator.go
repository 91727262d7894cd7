package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// operatorKinds are what happens to the operator's own processes.
func operatorKinds() []kind {
	return []kind{
		{name: "kill", weight: 4, draw: func(d *draft) Step {
			return Step{Params: map[string]string{"down": d.lasting(shortest, seconds(2))}}
		}, do: func(_ context.Context, w *world, step Step) error { return w.operator.kill(step.duration("down")) }},
		{name: "kill-at-write", weight: 8, cost: time.Second, do: killAtWrite, draw: func(d *draft) Step {
			step := drawCreate(d)
			step.Params["write"] = d.nth(7)
			return step
		}},
		{name: "two-leaders", weight: 1, cost: seconds(40), do: twoLeaders, draw: func(*draft) Step { return Step{} }},
		{name: "upgrade", weight: 2, cost: time.Second, do: upgrade, draw: func(d *draft) Step {
			return Step{Params: map[string]string{"flags": of(d, "", "--uniqueness=Strict", "--max-concurrent-reconciles=1",
				"--look-interval=2s", "--warm-standby")}}
		}},
	}
}

// killAtWrite creates a Machine and kills the operator right after one of the writes that follow.
func killAtWrite(ctx context.Context, w *world, step Step) error {
	writes, err := followWrites(w.fleet)
	if err != nil {
		return err
	}
	defer writes.close()
	if err := create(ctx, w, step); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, seconds(3))
	defer cancel()
	if err := writes.wait(ctx, step.number("write")); err != nil {
		return err
	}
	return w.operator.kill(0)
}

// upgrade stops the operator and starts another one in its place, of another version where there is
// one, and back again the next time.
func upgrade(_ context.Context, w *world, step Step) error {
	w.flags = nil
	if flag := step.Params["flags"]; flag != "" {
		w.flags = []string{flag}
	}
	if w.options.Upgrade != "" {
		w.flags = nil
		if w.binary == w.options.Operator {
			w.binary = w.options.Upgrade
		} else {
			w.binary = w.options.Operator
		}
	}
	return w.restartOperator()
}

const (
	lease = "09393f52.vitistack.io"
	// takeOver is how long another replica may need until it leads: the lease lasts 15 s.
	takeOver = 40 * time.Second
)

// twoLeaders runs two replicas, freezes the one that leads until the other one does, and lets it go
// on: for a moment there are two that believe to lead.
func twoLeaders(ctx context.Context, w *world, _ Step) (err error) {
	flags := w.flags
	w.flags = slices.Concat(flags, []string{"--leader-elect", "--leader-election-namespace=" + fleet.ConfigsNamespace})
	defer func() {
		w.flags = flags
		err = errors.Join(err, w.restartOperator())
	}()
	if err := w.restartOperator(); err != nil {
		return err
	}
	first, err := w.leader(ctx, "")
	if err != nil {
		return err
	}
	second, err := keep(w.starter())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, second.end()) }()
	if err := w.operator.freeze(); err != nil {
		return err
	}
	_, err = w.leader(ctx, first)
	return errors.Join(err, w.operator.thaw(), w.pass(ctx, seconds(2)))
}

// leader waits until somebody else than one holds the lease.
func (w *world) leader(ctx context.Context, than string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, takeOver)
	defer cancel()
	for {
		held := &coordinationv1.Lease{}
		err := w.supervisor.Get(ctx, client.ObjectKey{Namespace: fleet.ConfigsNamespace, Name: lease}, held)
		if err == nil && held.Spec.HolderIdentity != nil && *held.Spec.HolderIdentity != "" &&
			*held.Spec.HolderIdentity != than && time.Since(held.Spec.RenewTime.Time) < seconds(10) {
			return *held.Spec.HolderIdentity, nil
		}
		if err := w.pass(ctx, 100*time.Millisecond); err != nil {
			return "", fmt.Errorf("nobody but %q leads: %w", than, err)
		}
	}
}
