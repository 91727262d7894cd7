package move

import (
	"context"
	"errors"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	exportv1 "kubevirt.io/api/export/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
)

// mayExport asks the source cluster whether it would offer the disks, without offering them.
func (r *Reconciler) mayExport(ctx context.Context, source side.Remote, guest Guest) error {
	unavailable := func(doing string, err error) error {
		p, isProblem := problem.As(problem.Remote(err, source.Config, problem.At{Condition: onMove, Doing: doing}))
		if isProblem && !p.Blocked() && p.Reason != vitistackv1alpha1.ReasonKindMissing {
			return p
		}
		return problem.Person(onMove, vitistackv1alpha1.ReasonExportUnavailable,
			"cluster %s does not let its disks be copied: %s; what it takes stands in deploy/docs/move.md", source.Config, err)
	}
	launchers := &corev1.PodList{}
	if err := source.Server.List(ctx, launchers, client.InNamespace(guest.VM.Namespace), client.Limit(1)); err != nil {
		return unavailable("listing Pods", err)
	}
	export := &exportv1.VirtualMachineExport{}
	export.Namespace, export.Name = guest.VM.Namespace, "move-"+string(uuid.NewUUID())
	export.Spec.Source = corev1.TypedLocalObjectReference{
		APIGroup: ptr.To(kubevirtv1.GroupVersion.Group), Kind: "VirtualMachine", Name: guest.VM.Name,
	}
	if err := source.Writer.Create(ctx, export, client.DryRunAll, side.FieldOwner); err != nil {
		return unavailable("creating a VirtualMachineExport", err)
	}
	outside, err := reachesOutside(ctx, source)
	switch {
	case apierrors.IsForbidden(err):
		return nil // it is seen when the disks are offered
	case err != nil:
		return unavailable("looking for the Ingress of virt-exportproxy", err)
	case !outside:
		return problem.Person(onMove, vitistackv1alpha1.ReasonExportUnavailable, "%s", onlyInside(source.Config))
	}
	return nil
}

// onlyInside says that a cluster offers disks to itself alone, and what helps.
func onlyInside(config string) string {
	return "cluster " + config + " offers disks inside itself alone; put an Ingress or a Route before virt-exportproxy, " +
		"as deploy/docs/move.md says"
}

// exportProxy is the Service by which KubeVirt knows what leads to its exports from outside.
const exportProxy = "virt-exportproxy"

// reachesOutside reports whether a cluster has an Ingress or a Route by which others reach its
// exports, in the namespace of KubeVirt, where that looks for one.
func reachesOutside(ctx context.Context, source side.Remote) (bool, error) {
	kubevirts := &kubevirtv1.KubeVirtList{}
	if err := source.Server.List(ctx, kubevirts); err != nil {
		return false, err
	}
	for i := range kubevirts.Items {
		here := client.InNamespace(kubevirts.Items[i].Namespace)
		ingresses := &networkingv1.IngressList{}
		if err := source.Server.List(ctx, ingresses, here); err != nil {
			return false, err
		}
		if slices.ContainsFunc(ingresses.Items, leadsToExports) {
			return true, nil
		}
		routes := &unstructured.UnstructuredList{}
		routes.SetAPIVersion("route.openshift.io/v1")
		routes.SetKind("RouteList")
		err := source.Server.List(ctx, routes, here)
		if err != nil && !errors.Is(err, clientmgr.ErrKindNotServed) {
			return false, err
		}
		for _, route := range routes.Items {
			if name, _, _ := unstructured.NestedString(route.Object, "spec", "to", "name"); name == exportProxy {
				return true, nil
			}
		}
	}
	return false, nil
}

func leadsToExports(ingress networkingv1.Ingress) bool {
	isProxy := func(backend *networkingv1.IngressBackend) bool {
		return backend != nil && backend.Service != nil && backend.Service.Name == exportProxy
	}
	if isProxy(ingress.Spec.DefaultBackend) {
		return true
	}
	for _, rule := range ingress.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for _, path := range rule.HTTP.Paths {
			if isProxy(&path.Backend) {
				return true
			}
		}
	}
	return false
}
