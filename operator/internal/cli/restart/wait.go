package restart

import (
	"context"
	"fmt"
	"io"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

const (
	// interval is how often Machines are read anew.
	interval = time.Second
	// lasting is how long a Machine must have said that a person must act: what it said before the
	// operator saw the annotation does not count.
	lasting = 5 * time.Second
)

// await waits until every Machine shows that it was done. A Machine for which a person must act first
// ends the wait.
func (v verb) await(
	ctx context.Context, supervisor client.Reader, keys []client.ObjectKey, value string, out io.Writer,
) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	begun := time.Now()
	for _, key := range keys {
		for {
			machine, err := reach.Machine(ctx, supervisor, key)
			if ctx.Err() != nil {
				return exit.Incomplete(fmt.Errorf("machine %s: it goes on without you: %w", key, ctx.Err()))
			}
			if err != nil {
				return err
			}
			if v.ended(machine, value) {
				fmt.Fprintf(out, "Machine %s: done.\n", key)
				break
			}
			if why := refused(machine); why != "" && time.Since(begun) > lasting {
				return exit.No(fmt.Errorf("machine %s: %s", key, why))
			}
			select {
			case <-ctx.Done():
			case <-ticker.C:
			}
		}
	}
	return nil
}

// restarted says whether the restart of a token is over.
func restarted(machine *vitistackv1alpha1.Machine, token string) bool {
	record, found, err := vitistackv1alpha1.RestartRecordOf(machine)
	return err == nil && found && record.Token == token && record.Done
}

// paused says whether the guest is frozen.
func paused(machine *vitistackv1alpha1.Machine, _ string) bool {
	ready := machine.Status.Condition(vitistackv1alpha1.ConditionVirtualMachineReady)
	return ready != nil && ready.Reason == vitistackv1alpha1.ReasonGuestPaused
}

// resumed says whether the operator has undone what it did.
func resumed(machine *vitistackv1alpha1.Machine, _ string) bool {
	_, found, _ := vitistackv1alpha1.PauseRecordOf(machine)
	return !found
}

// refused is what a person must do first, "" for nothing.
func refused(machine *vitistackv1alpha1.Machine) string {
	ready := machine.Status.Condition(vitistackv1alpha1.ConditionReady)
	if ready == nil || ready.Status == "True" || ready.Reason == vitistackv1alpha1.ReasonGuestPaused {
		return ""
	}
	if info, _ := vitistackv1alpha1.InfoOf(ready.Reason); info.Acts != vitistackv1alpha1.ActorPerson {
		return ""
	}
	return ready.Reason + ": " + ready.Message
}
