package chaos

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/hostile"
)

// hostileKinds are clusters that do harm.
func hostileKinds() []kind {
	return []kind{{name: "hostile", weight: 3, do: join, draw: func(d *draft) Step {
		return Step{Params: map[string]string{"step": string(of(d, hostile.Steps()...)),
			"manner": of(d, hostile.Names()...), "for": d.lasting(seconds(2), seconds(10))}}
	}}}
}

// served is what a cluster with KubeVirt has that the operator caches.
func served() []hostile.Resource {
	return []hostile.Resource{
		{Group: "kubevirt.io", Version: "v1", Plural: "virtualmachines", Kind: "VirtualMachine"},
		{Group: "kubevirt.io", Version: "v1", Plural: "virtualmachineinstances", Kind: "VirtualMachineInstance"},
		{Group: "cdi.kubevirt.io", Version: "v1beta1", Plural: "datavolumes", Kind: "DataVolume"},
	}
}

// join makes a hostile server one of the clusters for a time.
func join(ctx context.Context, w *world, step Step) error {
	manner, err := hostile.Named(step.Params["manner"])
	if err != nil {
		return err
	}
	name := w.next("hostile")
	server := hostile.New("uid-"+name+"-"+w.namespace, served()...)
	server.Be(hostile.Step(step.Params["step"]), manner)
	meta := w.own(name)
	meta.Namespace = fleet.ConfigsNamespace
	secret := &corev1.Secret{ObjectMeta: meta,
		Data: map[string][]byte{vitistackv1alpha1.KubeconfigSecretKey: server.Kubeconfig()}}
	config := &vitistackv1alpha1.KubevirtConfig{ObjectMeta: meta,
		Spec: vitistackv1alpha1.KubevirtConfigSpec{Name: name, KubeconfigSecretRef: name}}
	leave := func(ctx context.Context) error {
		err := errors.Join(gone(ctx, w.supervisor, config), gone(ctx, w.supervisor, secret))
		if err == nil {
			server.Close()
		}
		return err
	}
	if err := w.undos.add(ctx, name, time.Now().Add(step.duration("for")), leave); err != nil {
		return err
	}
	if err := w.supervisor.Create(ctx, secret.DeepCopy()); err != nil {
		return err
	}
	return w.supervisor.Create(ctx, config.DeepCopy())
}
