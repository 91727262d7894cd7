package agent

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	handle "sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// setUp gives every role its watches.
func (a *Agent) setUp(ctx context.Context, manager ctrl.Manager, options Options) error {
	c := manager.GetClient()
	if err := index(ctx, manager); err != nil {
		return err
	}
	if err := a.setUpExports(manager, options); err != nil {
		return err
	}
	if err := manager.Add(&node{name: NodeName(options.Cluster), client: manager.GetClient(), gate: a.gate}); err != nil {
		return err
	}
	addresses := newClaims()
	h := &handler{
		client: c, events: manager.GetEventRecorder("virt-handler"), cluster: options.Cluster, script: options.Script,
		light:   options.Light,
		waiters: newWaiters(), macs: newClaims(), addresses: addresses, crashes: newClaims(), schedule: newSchedule(),
	}
	if err := a.control(manager, "instance", &kubevirtv1.VirtualMachineInstance{}, h, h.watches(c)...); err != nil {
		return err
	}
	if err := a.setUpStorage(ctx, manager, options); err != nil {
		return err
	}
	if options.Light {
		return a.setUpLight(manager)
	}
	if options.Verbs != nil {
		v := &verbs{Verbs: *options.Verbs, node: NodeName(options.Cluster), client: c, live: manager.GetAPIReader(),
			gate: a.gate}
		if err := manager.Add(v); err != nil {
			return err
		}
	}
	k := &kubelet{client: c, cluster: options.Cluster, script: options.Script, addresses: addresses, servers: a.servers}
	watches := []func(*builder.Builder){
		on(&kubevirtv1.VirtualMachineInstance{}, podsOfInstance(c)), on(&kubevirtv1.VirtualMachine{}, podsOfInstance(c)),
	}
	if a.servers != nil {
		watches = append(watches, onWake(a.servers.ends), on(objectOf(secretKind), a.servers.podsOfSecret))
	}
	return a.control(manager, "pod", &corev1.Pod{}, k, watches...)
}

// index lets the caches answer by more than name.
func index(ctx context.Context, manager ctrl.Manager) error {
	for _, i := range []struct {
		kind  client.Object
		field string
		of    client.IndexerFunc
	}{
		{&kubevirtv1.VirtualMachineInstance{}, macIndex, macsOf},
		{&kubevirtv1.VirtualMachineInstance{}, claimIndex, claimsNamed},
		{&kubevirtv1.VirtualMachine{}, volumeIndex, volumesNamed},
		{&corev1.Pod{}, launcherIndex, launcherOf},
	} {
		if err := manager.GetFieldIndexer().IndexField(ctx, i.kind, i.field, i.of); err != nil {
			return err
		}
	}
	return nil
}

// watches are what an instance's state depends on, beside the instance.
func (h *handler) watches(c client.Client) []func(*builder.Builder) {
	all := []func(*builder.Builder){
		on(&kubevirtv1.VirtualMachine{}, sameName), // its annotations
		on(&kubevirtv1.VirtualMachineInstance{}, instancesOfMAC(c)),
		on(&corev1.PersistentVolumeClaim{}, h.waitersOf(claimKind)),
		on(&cdiv1.DataVolume{}, h.waitersOf(claimKind)), // it fills the claim of its name
	}
	for _, kind := range []schema.GroupVersionKind{secretKind, configMapKind, attachmentKind} {
		all = append(all, on(objectOf(kind), h.waitersOf(kind)))
	}
	if !h.light {
		all = append(all, on(&corev1.Pod{}, instanceOfPod))
	}
	return all
}

// on wakes a role for what requests makes of an event's object.
func on(kind client.Object, requests handle.MapFunc) func(*builder.Builder) {
	return func(b *builder.Builder) { b.Watches(kind, handle.EnqueueRequestsFromMapFunc(requests)) }
}

// onWake wakes a role for the objects that come through a channel.
func onWake(events <-chan event.GenericEvent) func(*builder.Builder) {
	return func(b *builder.Builder) {
		b.WatchesRawSource(source.Channel(events, &handle.EnqueueRequestForObject{}))
	}
}

// wake sends the key of an object to a role, unless nobody listens any more.
func wake(ctx context.Context, events chan<- event.GenericEvent, key types.NamespacedName) {
	object := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	select {
	case events <- event.GenericEvent{Object: object}:
	case <-ctx.Done():
	}
}

// onChange is on without the objects that are new to the cluster.
func onChange(kind client.Object, requests handle.MapFunc) func(*builder.Builder) {
	return func(b *builder.Builder) {
		b.Watches(kind, handle.EnqueueRequestsFromMapFunc(requests), builder.WithPredicates(predicate.Funcs{
			CreateFunc: func(e event.CreateEvent) bool { return e.IsInInitialList },
		}))
	}
}

func sameName(_ context.Context, object client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: keyOf(object)}}
}

func instanceOfPod(_ context.Context, object client.Object) []reconcile.Request {
	var requests []reconcile.Request
	for _, name := range launcherOf(object) {
		requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: object.GetNamespace(),
			Name: name}})
	}
	return requests
}

// podsOfInstance returns the Pods of an instance, or of the VirtualMachine of the same name.
func podsOfInstance(c client.Client) handle.MapFunc {
	return func(ctx context.Context, object client.Object) []reconcile.Request {
		pods := &corev1.PodList{}
		err := c.List(ctx, pods, client.InNamespace(object.GetNamespace()),
			client.MatchingFields{launcherIndex: object.GetName()})
		if err != nil {
			return nil // the cache has stopped
		}
		var requests []reconcile.Request
		for i := range pods.Items {
			requests = append(requests, reconcile.Request{NamespacedName: keyOf(&pods.Items[i])})
		}
		return requests
	}
}

// instancesOfMAC returns the instances that wait for an address which this one may have given up.
func instancesOfMAC(c client.Client) handle.MapFunc {
	return func(ctx context.Context, object client.Object) []reconcile.Request {
		vmi, ok := object.(*kubevirtv1.VirtualMachineInstance)
		if !ok {
			return nil
		}
		var requests []reconcile.Request
		for _, mac := range macsOf(vmi) {
			same := &kubevirtv1.VirtualMachineInstanceList{}
			if err := c.List(ctx, same, client.MatchingFields{macIndex: mac}); err != nil {
				return nil // the cache has stopped
			}
			for i := range same.Items {
				if same.Items[i].UID != vmi.UID && same.Items[i].Status.Phase != kubevirtv1.Running {
					requests = append(requests, reconcile.Request{NamespacedName: keyOf(&same.Items[i])})
				}
			}
		}
		return requests
	}
}

// waitersOf returns the instances that wait for an object of a kind.
func (h *handler) waitersOf(kind schema.GroupVersionKind) handle.MapFunc {
	return func(_ context.Context, object client.Object) []reconcile.Request {
		var requests []reconcile.Request
		for _, instance := range h.waiters.of(need{kind, keyOf(object)}) {
			requests = append(requests, reconcile.Request{NamespacedName: instance})
		}
		return requests
	}
}
