package chaos

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// What Machines of a run refer to. Both come, change and go; the closing phase has them there.
const (
	class   = "chaos-class"
	network = "chaos-net"
)

// machineKinds are what people do with Machines.
func machineKinds() []kind {
	return []kind{
		{name: "create", weight: 14, draw: drawCreate, do: create},
		{name: "edit", weight: 6, do: edit, draw: func(d *draft) Step {
			return Step{Subject: d.machine(), Params: map[string]string{"runStrategy": of(d, "", "Always", "Halted"),
				"class": of(d, "", "small", "medium", "large", class)}}
		}},
		{name: "stop", weight: 4, do: edit, draw: func(d *draft) Step {
			return Step{Subject: d.machine(), Params: map[string]string{"runStrategy": "Halted"}}
		}},
		{name: "delete", weight: 7, do: remove, draw: func(d *draft) Step {
			return Step{Subject: d.machine(), Params: map[string]string{"propagation": of(d, "Background", "Foreground")}}
		}},
		{name: "owe", weight: 2, do: owe, draw: func(d *draft) Step { return Step{Subject: d.machine()} }},
		{name: "re-annotate", weight: 6, do: reAnnotate, draw: drawAnnotation},
	}
}

func drawCreate(d *draft) Step {
	return Step{Subject: d.newMachine(), Params: map[string]string{
		"cluster": of(d, d.remote(), d.remote(), d.remote(), ""),
		"class":   of(d, "small", "small", "medium", class), "runStrategy": of(d, "", "Always", "Always", "Halted"),
		"network": of(d, "", "", network),
	}}
}

func create(ctx context.Context, w *world, step Step) error {
	m := &vitistackv1alpha1.Machine{
		ObjectMeta: w.own(step.Subject),
		Spec: vitistackv1alpha1.MachineSpec{
			Provider: vitistackv1alpha1.ProviderKubevirt, InstanceType: step.Params["class"],
			RunStrategy: vitistackv1alpha1.RunStrategy(step.Params["runStrategy"]),
			Network:     vitistackv1alpha1.MachineNetwork{NetworkNamespaceName: step.Params["network"]},
		},
	}
	m.Namespace = w.namespace
	if cluster := step.Params["cluster"]; cluster != "" {
		m.Annotations = map[string]string{vitistackv1alpha1.AnnotationKubevirtConfig: cluster}
	}
	return w.supervisor.Create(ctx, m)
}

func edit(ctx context.Context, w *world, step Step) error {
	return w.change(ctx, step.Subject, func(m *vitistackv1alpha1.Machine) {
		if !m.DeletionTimestamp.IsZero() { // where the deletion is held, this is the word to keep the guest
			w.kept[m.UID] = true
		}
		if strategy := step.Params["runStrategy"]; strategy != "" {
			m.Spec.RunStrategy = vitistackv1alpha1.RunStrategy(strategy)
		}
		if class := step.Params["class"]; class != "" {
			m.Spec.InstanceType = class
		}
	})
}

func remove(ctx context.Context, w *world, step Step) error {
	m, err := w.machine(ctx, step.Subject)
	if err != nil {
		return err
	}
	return w.supervisor.Delete(ctx, m, client.PropagationPolicy(step.Params["propagation"]))
}

// owe deletes a Machine and consents to deleting its virtual machine later, should its cluster be
// silent.
func owe(ctx context.Context, w *world, step Step) error {
	m, err := w.machine(ctx, step.Subject)
	if err != nil {
		return err
	}
	ledger, err := vitistackv1alpha1.LedgerOf(m)
	if err != nil {
		return err
	}
	value := ledger.Config + vitistackv1alpha1.ForceReleaseDeleteLater
	if err := w.annotate(ctx, step.Subject, vitistackv1alpha1.AnnotationForceRelease, value); err != nil {
		return err
	}
	return w.supervisor.Delete(ctx, m)
}

// drawAnnotation draws wishes, mistakes, and consents that nobody asked for.
func drawAnnotation(d *draft) Step {
	choice := of(d,
		[2]string{vitistackv1alpha1.AnnotationKubevirtConfig, d.remote()},
		[2]string{vitistackv1alpha1.AnnotationKubevirtConfig, ""},
		[2]string{vitistackv1alpha1.AnnotationKubevirtConfig, "no-such-cluster"},
		[2]string{vitistackv1alpha1.AnnotationPaused, "true"},
		[2]string{vitistackv1alpha1.AnnotationPaused, ""},
		[2]string{vitistackv1alpha1.AnnotationRecreate, "no-such-uid"},
		[2]string{vitistackv1alpha1.AnnotationAdopt, d.remote() + "/no-such-uid"},
		[2]string{vitistackv1alpha1.AnnotationResize, d.lasting(0, time.Hour)},
		[2]string{vitistackv1alpha1.AnnotationRestart, d.lasting(0, time.Hour)},
	)
	return Step{Subject: d.machine(), Params: map[string]string{"annotation": choice[0], "value": choice[1]}}
}

func reAnnotate(ctx context.Context, w *world, step Step) error {
	return w.annotate(ctx, step.Subject, step.Params["annotation"], step.Params["value"])
}
