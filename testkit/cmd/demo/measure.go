package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/internal/command"
)

const (
	batch = 20
	// bound is how many times the time of bare VirtualMachines the same number of Machines may take.
	bound = 2.0
	// look is how often it is looked whether all run; it is a part of both times.
	look = 100 * time.Millisecond
)

// measure compares Machines, from one kubectl apply of one file until all run, with bare
// VirtualMachines of the same shape.
func (d *demo) measure(ctx context.Context) error {
	d.say("Measuring: %d bare VirtualMachines with kubectl, then %d Machines, over %d clusters.", batch, batch,
		len(d.fleet.Remotes))
	bare, err := d.timeBare(ctx)
	if err != nil {
		return fmt.Errorf("bare VirtualMachines: %w", err)
	}
	machines, err := d.timeMachines(ctx)
	if err != nil {
		return fmt.Errorf("machines: %w", err)
	}
	ratio := machines.Seconds() / bare.Seconds()
	fmt.Fprintf(d.out, "bare VirtualMachines %.1f s, Machines %.1f s: %.2f times (bound %.1f)\n", bare.Seconds(),
		machines.Seconds(), ratio, bound)
	if ratio > bound {
		return fmt.Errorf("%w: %d Machines took %.2f times as long as bare VirtualMachines, the bound is %.1f",
			command.ErrNotAsItShould, batch, ratio, bound)
	}
	return nil
}

func (d *demo) timeMachines(ctx context.Context) (time.Duration, error) {
	var file bytes.Buffer
	for i := range batch {
		machine := &vitistackv1alpha1.Machine{Spec: vitistackv1alpha1.MachineSpec{InstanceType: "small"}}
		machine.SetGroupVersionKind(vitistackv1alpha1.SchemeGroupVersion.WithKind("Machine"))
		machine.Namespace, machine.Name = "default", fmt.Sprintf("batch-%d", i)
		machine.Labels = map[string]string{"demo": "batch"}
		config := d.fleet.Remotes[i%len(d.fleet.Remotes)].Name
		machine.Annotations = map[string]string{vitistackv1alpha1.AnnotationKubevirtConfig: config}
		if err := document(&file, machine); err != nil {
			return 0, err
		}
	}
	began := time.Now()
	if err := d.apply(ctx, d.fleet.Supervisor, &file); err != nil {
		return 0, err
	}
	return untilRunning(ctx, began, func(ctx context.Context) (int, error) {
		list := &vitistackv1alpha1.MachineList{}
		if err := d.fleet.Supervisor.Client().List(ctx, list, client.MatchingLabels{"demo": "batch"}); err != nil {
			return 0, err
		}
		running := 0
		for _, machine := range list.Items {
			if machine.Status.Phase == vitistackv1alpha1.MachinePhaseRunning {
				running++
			}
		}
		return running, nil
	})
}

func untilRunning(
	ctx context.Context, began time.Time, count func(context.Context) (int, error),
) (time.Duration, error) {
	running := 0
	err := wait.PollUntilContextTimeout(ctx, look, settleTimeout, true, func(ctx context.Context) (bool, error) {
		var err error
		running, err = count(ctx)
		return running == batch, err
	})
	if err != nil {
		return 0, fmt.Errorf("%d of %d run: %w", running, batch, err)
	}
	return time.Since(began), nil
}

// apply runs kubectl apply, as a person would.
func (d *demo) apply(ctx context.Context, cluster *fleet.Cluster, file *bytes.Buffer) error {
	cmd := exec.CommandContext(ctx, d.kubectl, "--kubeconfig", cluster.Kubeconfig(), "apply", "-f", "-")
	cmd.Stdin = file
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl in %s: %w: %s", cluster.Name, err, strings.TrimSpace(string(out)))
	}
	return nil
}

func (d *demo) each(do func(*fleet.Cluster) error) error {
	for _, remote := range d.fleet.Remotes {
		if err := do(remote); err != nil {
			return err
		}
	}
	return nil
}

func document(to *bytes.Buffer, object any) error {
	encoded, err := yaml.Marshal(object)
	if err != nil {
		return err
	}
	to.WriteString("---\n")
	to.Write(encoded)
	return nil
}
