package chaos

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// wishKinds are what people do with many Machines, or over clusters.
func wishKinds() []kind {
	return []kind{
		{name: "move", weight: 4, do: move, draw: func(d *draft) Step {
			return Step{Subject: d.machine(), Params: map[string]string{"to": of(d, d.remote(), d.remote(), "")}}
		}},
		{name: "drain", weight: 2, do: drain, draw: func(d *draft) Step {
			return Step{Subject: d.remote(), Params: map[string]string{"for": d.lasting(seconds(2), seconds(10))}}
		}},
		{name: "roll-out", weight: 3, do: rollOut, draw: func(d *draft) Step {
			return Step{Params: map[string]string{"action": of(d, "Restart", "Resize"), "class": of(d, "", class, "medium")}}
		}},
	}
}

func move(ctx context.Context, w *world, step Step) error {
	return w.supervisor.Create(ctx, &vitistackv1alpha1.MachineMove{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: w.next("move")},
		Spec:       vitistackv1alpha1.MachineMoveSpec{MachineName: step.Subject, To: step.Params["to"]},
	})
}

// drain empties a cluster of this run's Machines.
func drain(ctx context.Context, w *world, step Step) error {
	evacuation := &vitistackv1alpha1.Evacuation{
		ObjectMeta: w.own(w.next("drain")),
		Spec: vitistackv1alpha1.EvacuationSpec{Config: step.Subject, MaxInFlight: 2,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{ownLabel: "true"}}},
	}
	evacuation.Namespace = fleet.ConfigsNamespace
	if err := w.supervisor.Create(ctx, evacuation); err != nil {
		return err
	}
	return w.lasting(ctx, "drain of "+step.Subject, step, func(ctx context.Context) error {
		return gone(ctx, w.supervisor, evacuation)
	})
}

func rollOut(ctx context.Context, w *world, step Step) error {
	rollout := &vitistackv1alpha1.MachineRollout{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: w.next("rollout")},
		Spec:       vitistackv1alpha1.MachineRolloutSpec{Action: vitistackv1alpha1.RolloutAction(step.Params["action"])},
	}
	if step.Params["action"] == string(vitistackv1alpha1.RolloutResize) && step.Params["class"] != "" {
		rollout.Spec.Resize = &vitistackv1alpha1.RolloutNewSize{Class: step.Params["class"]}
	}
	return w.supervisor.Create(ctx, rollout)
}
