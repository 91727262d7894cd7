package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/internal/command"
)

const (
	// crewSize is more Machines than the brake lets go of in a row.
	crewSize = 24
	// crewLabel chooses them.
	crewLabel = "demo=crew"
	// crewUnavailable is how many of them are restarted at once.
	crewUnavailable = 4
)

// enlist makes a crew of Machines, which many things can be done with at once.
func (d *demo) enlist(ctx context.Context) error {
	d.say("Applying %d Machines more, a crew (%s).", crewSize, crewLabel)
	var file bytes.Buffer
	for i := range crewSize {
		machine := &vitistackv1alpha1.Machine{
			TypeMeta: metav1.TypeMeta{APIVersion: vitistackv1alpha1.SchemeGroupVersion.String(), Kind: "Machine"},
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprintf("crew-%02d", i),
				Labels: map[string]string{"demo": "crew"}},
			Spec: vitistackv1alpha1.MachineSpec{InstanceType: "small",
				KubevirtConfigRef: &vitistackv1alpha1.KubevirtConfigReference{Name: d.fleet.Remotes[i%len(d.fleet.Remotes)].Name}},
		}
		if err := document(&file, machine); err != nil {
			return err
		}
	}
	if err := d.apply(ctx, d.fleet.Supervisor, &file); err != nil {
		return err
	}
	return d.untilCrew(ctx, "run", func(machine vitistackv1alpha1.Machine) bool {
		return machine.Status.Phase == vitistackv1alpha1.MachinePhaseRunning
	}, crewSize)
}

// many restarts the crew a few at a time and then prunes it, as a Git folder would that was emptied by
// mistake: the brake holds what it can until a person confirms.
func (d *demo) many(ctx context.Context) error {
	d.say("Restarting the crew, %d at a time.", crewUnavailable)
	if err := d.kubectlMachine(ctx, "rollout", "restart", "--selector", crewLabel, "--max-unavailable",
		fmt.Sprint(crewUnavailable), "--watch"); err != nil {
		return err
	}
	d.say("Deleting all of the crew at once, as a Git folder does that was emptied by mistake.")
	prune := exec.CommandContext(ctx, d.kubectl, "--kubeconfig", d.fleet.Supervisor.Kubeconfig(), "delete", "machines",
		"--selector", crewLabel, "--wait=false")
	if out, err := prune.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl delete: %w: %s", err, out)
	}
	const threshold = 10 // of --deletion-brake
	if err := d.untilCrew(ctx, "are held", func(machine vitistackv1alpha1.Machine) bool {
		held := machine.Status.Condition(vitistackv1alpha1.ConditionDeletionHeld)
		return held != nil && held.Status == string(metav1.ConditionTrue)
	}, crewSize-threshold); err != nil {
		return err
	}
	if err := d.kubectlMachine(ctx, "confirm", "--namespace-all", "--for", "5m"); err != nil {
		return err
	}
	return d.untilCrew(ctx, "are left", func(vitistackv1alpha1.Machine) bool { return true }, 0)
}

// kubectlMachine runs kubectl machine as a person would, and shows what a person sees.
func (d *demo) kubectlMachine(ctx context.Context, arguments ...string) error {
	call := d.machine()
	cmd := exec.CommandContext(ctx, call[0], append(arguments, call[1:]...)...)
	cmd.Stdout, cmd.Stderr = d.out, d.out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("kubectl machine %s: %w", arguments[0], err)
	}
	return nil
}

// untilCrew waits until at least so many Machines of the crew are as is says, or none for 0.
func (d *demo) untilCrew(
	ctx context.Context, what string, is func(vitistackv1alpha1.Machine) bool, want int,
) error {
	count := 0
	err := wait.PollUntilContextTimeout(ctx, look, settleTimeout, true, func(ctx context.Context) (bool, error) {
		list := &vitistackv1alpha1.MachineList{}
		if err := d.fleet.Supervisor.Client().List(ctx, list, client.MatchingLabels{"demo": "crew"}); err != nil {
			return false, err
		}
		count = 0
		for _, machine := range list.Items {
			if is(machine) {
				count++
			}
		}
		return want > 0 && count >= want || count == want, nil
	})
	if wait.Interrupted(err) && ctx.Err() == nil {
		return fmt.Errorf("%w after %s: %d of the crew %s, want %d (see %s)", command.ErrNotAsItShould, settleTimeout,
			count, what, want, d.log())
	}
	d.say("%d of the crew %s.", count, what)
	return err
}
