package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/internal/manifest"
	"github.com/vitistack/kubevirt-multicluster/testkit/internal/process"
)

//go:embed machines.yaml
var machinesYAML []byte

//go:embed legacy.yaml
var legacyYAML []byte

// settleTimeout is how long the Machines may take to be what the demo wants to show.
const settleTimeout = 3 * time.Minute

// demo is one showing.
type demo struct {
	operator, kubectl string
	ci                bool
	out               io.Writer

	fleet *fleet.Fleet
	page  page
}

// run shows everything, and then waits for Ctrl-C unless it is for CI.
func (d *demo) run(ctx context.Context) (err error) {
	d.say("Starting a supervisor and three remote clusters with KubeVirt.")
	if d.fleet, err = fleet.Start(ctx, fleet.Options{Remotes: 3, Moves: true, Guest: true, Progress: d.out}); err != nil {
		return err
	}
	defer func() {
		d.say("Taking everything down.")
		err = errors.Join(err, d.fleet.Stop())
	}()
	d.say("A virtual machine that is older than its Machine: vm-legacy in cluster-north.")
	if err := d.makeLegacy(ctx); err != nil {
		return err
	}
	if err := d.openPage(ctx); err != nil {
		return err
	}
	d.say("Starting the operator, and applying five Machines.")
	operator, err := d.startOperator()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, operator.Stop(context.WithoutCancel(ctx))) }()
	if err := manifest.Apply(ctx, d.fleet.Supervisor.Client(), machinesYAML); err != nil {
		return err
	}
	if err := d.show(ctx, operator); err != nil {
		return err
	}
	if err := d.enlist(ctx); err != nil {
		return err
	}
	if d.ci {
		return errors.Join(d.page.check(ctx), d.move(ctx), d.many(ctx), d.measure(ctx), operator.Exited())
	}
	d.suggest()
	select {
	case <-ctx.Done():
		return nil
	case <-operator.Done():
		return operator.Exited()
	}
}

// startOperator starts the operator as a person would, with its own kubeconfig.
func (d *demo) startOperator() (*process.Process, error) {
	path, err := filepath.Abs(d.operator)
	if err != nil {
		return nil, err
	}
	return process.Start(process.Spec{
		Name: "operator", Path: path, Log: d.log(),
		Args: []string{"--kubeconfig=" + d.fleet.OperatorKubeconfig(), "--health-probe-bind-address=0",
			"--page-bind-address=" + d.page.address},
		Env: []string{"KUBEVIRT_CONFIGS_NAMESPACE=" + fleet.ConfigsNamespace},
	})
}

func (d *demo) log() string {
	return filepath.Join(d.fleet.Supervisor.ControlPlane.LogDir(), "operator.log")
}

func (d *demo) makeLegacy(ctx context.Context) error {
	north, err := d.fleet.Cluster("cluster-north")
	if err != nil {
		return err
	}
	return manifest.Apply(ctx, north.Client(), legacyYAML)
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.out, "\n"+format+"\n", args...) }

// suggest tells what to try next.
func (d *demo) suggest() {
	supervisor := fmt.Sprintf("%s --kubeconfig %s", d.kubectl, d.fleet.Supervisor.Kubeconfig())
	fmt.Fprintf(d.out, `
What to try next, in another terminal:

  Machines as they change:      %[1]s get machines -w
  why one does not run:         %[1]s describe machine undecided
  let it run:                   %[1]s annotate machine undecided %[2]s=cluster-east
  the clusters:                 %[1]s -n %[3]s get kubevirtconfigs
  a virtual machine:            %[4]s --kubeconfig %[5]s get vm,vmi
  stop it there, and look here: %[4]s --kubeconfig %[5]s patch vm vm-web --type merge -p '{"spec":{"runStrategy":"Halted"}}'
  where one could run, and why: %[9]s fits database %[10]s
  move one, with its disks:     %[9]s move database --to cluster-east --watch %[10]s
  empty a cluster:              %[9]s drain cluster-east --watch %[10]s
  and let it be used again:     %[9]s uncordon cluster-east %[10]s
  delete one, with its disks:   %[1]s delete machine database
  restart many, a few at once:  %[9]s rollout restart --selector %[11]s --max-unavailable %[12]d --watch %[10]s
  delete many by mistake:       %[1]s delete machines --selector %[11]s --wait=false
  what the brake holds, let go: %[9]s confirm --namespace-all %[10]s
  the operator's log:           tail -f %[6]s

All of it in a browser:         http://%[7]s/
  the token to sign in with:    %[8]s

Ctrl-C takes all of it down.
`, supervisor, vitistackv1alpha1.AnnotationKubevirtConfig, fleet.ConfigsNamespace, d.kubectl, d.fleet.Remotes[0].Kubeconfig(), d.log(),
		d.page.address, d.page.token, d.machine()[0], "--kubeconfig "+d.fleet.Supervisor.Kubeconfig(),
		crewLabel, crewUnavailable)
}
