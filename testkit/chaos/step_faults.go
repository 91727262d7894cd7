package chaos

import (
	"context"

	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// faultKinds are the faults of the proxies.
func faultKinds() []kind {
	return []kind{{name: "fault", weight: 14, do: setFault, draw: drawFault}}
}

// drawFault draws every kind on everything that it can act on.
func drawFault(d *draft) Step {
	kind := of(d, faults.Kinds()[1:]...) // the first is pass
	fault := faults.Fault{Kind: kind, On: of(d, kind.Scopes()...)}
	switch kind {
	case faults.Latency:
		fault.Latency = d.between(seconds(0), seconds(4))
	case faults.Errors:
		fault.Rate = of(d, 0.1, 0.5, 1)
	}
	return Step{Subject: d.cluster(), Params: map[string]string{
		"spec": fault.Spec(), "on": string(fault.On), "for": d.lasting(seconds(1), seconds(8))}}
}

func setFault(ctx context.Context, w *world, step Step) error {
	cluster, err := w.fleet.Cluster(step.Subject)
	if err != nil {
		return err
	}
	fault, err := faults.ParseFault(step.Params["spec"], step.Params["on"])
	if err != nil {
		return err
	}
	err = w.lasting(ctx, "fault of "+step.Subject, step, func(context.Context) error {
		return cluster.SetFault(faults.Fault{})
	})
	if err != nil {
		return err
	}
	return cluster.SetFault(fault)
}
