package moving

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// wish is what a person says about the move of a Machine.
type wish struct {
	to              string
	anywhere, abort bool
	keep            string
	timeouts        map[string]string
}

// check refuses what contradicts itself.
func (w wish) check() error {
	sides := []string{"", string(vitistackv1alpha1.MoveSideSource), string(vitistackv1alpha1.MoveSideTarget)}
	switch {
	case w.to != "" && w.anywhere:
		return errors.New("--to and --anywhere: want one of them")
	case w.asks() && (w.abort || w.keep != ""):
		return errors.New("--abort and --keep are for the move that is under way: leave --to and --anywhere out")
	case !slices.Contains(sides, w.keep):
		return fmt.Errorf("--keep %s: want Source or Target", w.keep)
	}
	_, err := w.bounds()
	return err
}

// asks says whether a move is wanted.
func (w wish) asks() bool { return w.to != "" || w.anywhere }

// bounds reads --timeout.
func (w wish) bounds() (vitistackv1alpha1.MoveTimeouts, error) {
	var bounds vitistackv1alpha1.MoveTimeouts
	fields := map[string]**metav1.Duration{
		"stop": &bounds.Stop, "export": &bounds.Export, "copy": &bounds.Copy, "start": &bounds.Start,
	}
	for step, text := range w.timeouts {
		field, known := fields[step]
		if !known {
			return bounds, fmt.Errorf("--timeout %s=%s: want one of %s", step, text,
				strings.Join(slices.Sorted(maps.Keys(fields)), ", "))
		}
		value, err := time.ParseDuration(text)
		if err != nil || value <= 0 {
			return bounds, fmt.Errorf("--timeout %s=%s: want a duration, for example 30m", step, text)
		}
		*field = &metav1.Duration{Duration: value}
	}
	return bounds, nil
}

// maxGenerated leaves room for what the server puts behind a name.
const maxGenerated = 57

// move is the MachineMove that is made for the wish.
func (w wish) move(machine *vitistackv1alpha1.Machine) (*vitistackv1alpha1.MachineMove, error) {
	bounds, err := w.bounds()
	if err != nil {
		return nil, err
	}
	name := machine.Name
	if w.to != "" {
		name += "-to-" + w.to
	}
	move := &vitistackv1alpha1.MachineMove{}
	move.Namespace = machine.Namespace
	move.GenerateName = strings.TrimRight(name[:min(len(name), maxGenerated)], "-.") + "-"
	move.Spec = vitistackv1alpha1.MachineMoveSpec{
		MachineName: machine.Name, To: w.to, Mode: vitistackv1alpha1.MoveModeCold, Timeouts: bounds,
	}
	return move, nil
}

// underWay are the MachineMoves of a Machine that are not over, the one that was begun first.
func underWay(
	ctx context.Context, supervisor client.Reader, machine client.ObjectKey,
) ([]vitistackv1alpha1.MachineMove, error) {
	all := &vitistackv1alpha1.MachineMoveList{}
	if err := supervisor.List(ctx, all, client.InNamespace(machine.Namespace)); err != nil {
		return nil, explained("listing MachineMoves", err)
	}
	moves := slices.DeleteFunc(all.Items, func(move vitistackv1alpha1.MachineMove) bool {
		return move.Spec.MachineName != machine.Name || move.Status.Phase.Over()
	})
	slices.SortStableFunc(moves, func(a, b vitistackv1alpha1.MachineMove) int {
		if first := len(b.Status.Steps) - len(a.Status.Steps); first != 0 {
			return first
		}
		return a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
	})
	return moves, nil
}

// order asks for the move, unless it is under way. It returns nil where the Machine is there.
func (w wish) order(
	ctx context.Context, supervisor *reach.Supervisor, key client.ObjectKey, out io.Writer,
) (*vitistackv1alpha1.MachineMove, error) {
	machine, err := reach.Machine(ctx, supervisor, key)
	if err != nil {
		return nil, err
	}
	place, err := reach.Place(machine)
	if err != nil {
		return nil, exit.No(err)
	}
	if w.to != "" {
		if _, err := supervisor.KubevirtConfig(ctx, w.to); err != nil {
			return nil, err
		}
	}
	moves, err := underWay(ctx, supervisor, key)
	if err != nil {
		return nil, err
	}
	if len(moves) > 0 {
		first := &moves[0]
		if w.to != "" && first.Spec.To != w.to && first.Status.To != w.to {
			return nil, exit.No(fmt.Errorf("MachineMove %s of Machine %s is under way: give it up with kubectl machine move %s "+
				"--abort, or wait until it is over", first.Name, key, key))
		}
		fmt.Fprintf(out, "MachineMove %s/%s of Machine %s is under way already.\n", first.Namespace, first.Name, key)
		return first, nil
	}
	if place.Config == w.to {
		fmt.Fprintf(out, "Machine %s is in %s already.\n", key, w.to)
		return nil, nil
	}
	move, err := w.move(machine)
	if err != nil {
		return nil, err
	}
	if err := supervisor.Create(ctx, move); err != nil {
		return nil, explained("making a MachineMove for Machine "+key.String(), err)
	}
	target := w.to
	if w.anywhere {
		target = "the cluster that it fits best"
	}
	fmt.Fprintf(out, "MachineMove %s/%s is made: Machine %s goes from %s to %s. Its guest is stopped meanwhile.\n",
		move.Namespace, move.Name, key, place.Config, target)
	return move, nil
}

// answer sets abort and keep of the move that is under way.
func (w wish) answer(
	ctx context.Context, supervisor *reach.Supervisor, key client.ObjectKey, out io.Writer,
) (*vitistackv1alpha1.MachineMove, error) {
	moves, err := underWay(ctx, supervisor, key)
	if err != nil {
		return nil, err
	}
	if len(moves) == 0 {
		return nil, exit.No(fmt.Errorf("no move of Machine %s is under way; --to CLUSTER begins one", key))
	}
	move := &moves[0]
	before := move.DeepCopy()
	move.Spec.Abort = move.Spec.Abort || w.abort
	if w.keep != "" {
		move.Spec.Keep = vitistackv1alpha1.MoveSide(w.keep)
	}
	if before.Spec == move.Spec {
		return move, nil
	}
	if err := supervisor.Patch(ctx, move, client.MergeFrom(before)); err != nil {
		return nil, fmt.Errorf("changing MachineMove %s: %w", move.Name, err)
	}
	if w.abort {
		fmt.Fprintf(out, "MachineMove %s/%s is given up: before the Machine is at the target, everything goes back to as "+
			"it was.\n", move.Namespace, move.Name)
	}
	if w.keep != "" {
		fmt.Fprintf(out, "MachineMove %s/%s: where the operator cannot tell, the copy of the %s counts, and the other is "+
			"lost.\n", move.Namespace, move.Name, strings.ToLower(w.keep))
	}
	return move, nil
}
