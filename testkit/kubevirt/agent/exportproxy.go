package agent

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	exportv1 "kubevirt.io/api/export/v1beta1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/contents"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/exports"
)

// setUpExports lets exports have servers, and requests from outside a way to them.
func (a *Agent) setUpExports(manager ctrl.Manager, options Options) (err error) {
	if options.Exports == nil {
		return nil
	}
	cached, live := manager.GetClient(), manager.GetAPIReader()
	a.servers, err = newServers(*options.Exports, cached, live, options.Contents, a.services)
	if err != nil {
		return err
	}
	return manager.Add(exports.NewProxy(exports.Options{
		Address:     options.Exports.Address,
		Certificate: options.Exports.Certificate,
		Authority:   a.servers.authority,
		Services:    a.services,
		Find:        findExport(live),
		Size:        sizeOf(cached),
		Pass:        a.gate.pass,
		Faults:      options.Exports.Faults,
	}))
}

// findExport asks the API server for an export: nobody watches them but KubeVirt.
func findExport(c client.Reader) func(context.Context, string, string) (exports.Found, bool, error) {
	return func(ctx context.Context, namespace, name string) (exports.Found, bool, error) {
		export := &exportv1.VirtualMachineExport{}
		err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, export)
		if apierrors.IsNotFound(err) {
			return exports.Found{}, false, nil
		}
		if err != nil || export.Status == nil {
			return exports.Found{}, err == nil, err
		}
		return exports.Found{
			Service: export.Status.ServiceName, Ready: export.Status.Phase == exportv1.Ready,
		}, true, nil
	}
}

// sizeOf returns how big claims are said to be.
func sizeOf(c client.Reader) func(context.Context, string, string) int64 {
	return func(ctx context.Context, namespace, name string) int64 {
		claim := &corev1.PersistentVolumeClaim{}
		if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, claim); err != nil {
			return 0
		}
		return contents.Capacity(claim)
	}
}
