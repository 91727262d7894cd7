package chaos

import (
	"context"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// objectKinds are what Machines refer to, which comes, changes and goes.
func objectKinds() []kind {
	return []kind{
		{name: "network", weight: 3, do: setNetwork, draw: func(d *draft) Step {
			return Step{Params: map[string]string{"name": of(d, network, network, "chaos-other-net"), "vlan": d.nth(4000)}}
		}},
		{name: "network-goes", weight: 1, do: endNetwork, draw: func(d *draft) Step {
			return Step{Params: map[string]string{"name": of(d, network, "chaos-other-net")}}
		}},
		{name: "class", weight: 3, do: setClass, draw: func(d *draft) Step {
			return Step{Params: map[string]string{"cores": d.nth(8), "enabled": of(d, "true", "true", "false")}}
		}},
		{name: "class-goes", weight: 1, draw: func(*draft) Step { return Step{} },
			do: func(ctx context.Context, w *world, _ Step) error {
				return gone(ctx, w.supervisor, &vitistackv1alpha1.MachineClass{ObjectMeta: w.own(class)})
			}},
	}
}

// setNetwork makes a NetworkNamespace, or gives the one that there is another VLAN.
func setNetwork(ctx context.Context, w *world, step Step) error {
	nn := &vitistackv1alpha1.NetworkNamespace{ObjectMeta: w.own(step.Params["name"])}
	nn.Namespace = w.namespace
	nn.Spec.DatacenterIdentifier, nn.Spec.SupervisorIdentifier = "dc", "sv"
	if err := isThere(w.supervisor.Create(ctx, nn)); err != nil {
		return err
	}
	if err := w.supervisor.Get(ctx, client.ObjectKeyFromObject(nn), nn); err != nil {
		return err
	}
	before := nn.DeepCopy()
	nn.Status.VlanID = step.number("vlan")
	return w.supervisor.Status().Patch(ctx, nn, client.MergeFrom(before))
}

func endNetwork(ctx context.Context, w *world, step Step) error {
	nn := &vitistackv1alpha1.NetworkNamespace{ObjectMeta: w.own(step.Params["name"])}
	nn.Namespace = w.namespace
	return gone(ctx, w.supervisor, nn)
}

// setClass makes the MachineClass, or changes it.
func setClass(ctx context.Context, w *world, step Step) error {
	mc := &vitistackv1alpha1.MachineClass{ObjectMeta: w.own(class)}
	fill := func(spec *vitistackv1alpha1.MachineClassSpec) {
		spec.Enabled = ptr.To(step.Params["enabled"] != "false")
		spec.CPU.Cores = int64(step.number("cores"))
		spec.Memory.Quantity = resource.MustParse("1Gi")
	}
	fill(&mc.Spec)
	if err := isThere(w.supervisor.Create(ctx, mc)); err != nil {
		return err
	}
	if err := w.supervisor.Get(ctx, client.ObjectKeyFromObject(mc), mc); err != nil {
		return err
	}
	before := mc.DeepCopy()
	fill(&mc.Spec)
	return w.supervisor.Patch(ctx, mc, client.MergeFrom(before))
}
