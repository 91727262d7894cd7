package machine

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/brake"
)

// listenToConsent lets Machines that the brake holds be woken by who lets a namespace or a cluster go.
// Without a brake nobody is held, and namespaces are not watched.
func (r *MachineReconciler) listenToConsent(to *builder.Builder) *builder.Builder {
	if r.settings.Brake.IsOff() {
		return to
	}
	return to.
		WatchesMetadata(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(r.heldIn(brake.Namespace)),
			builder.WithPredicates(consentChanged())).
		Watches(&vitistackv1alpha1.KubevirtConfig{}, handler.EnqueueRequestsFromMapFunc(r.heldIn(brake.Cluster)),
			builder.WithPredicates(consentChanged()))
}

// heldIn finds the Machines that the brake holds in a namespace or a cluster. Their next reconcile is a
// whole one: no read of the last one shows what a person has said since.
func (r *MachineReconciler) heldIn(of brake.Common) handler.MapFunc {
	return func(_ context.Context, object client.Object) []reconcile.Request {
		var requests []reconcile.Request
		for _, key := range r.brake.Waiting(brake.Scope{Of: of, Name: object.GetName()}) {
			r.memory.rest.Forget(key)
			requests = append(requests, reconcile.Request{NamespacedName: key})
		}
		return requests
	}
}

// consentChanged lets through only that a person says otherwise than before. What was said before the
// operator came is read by each Machine itself.
func consentChanged() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false },
		DeleteFunc:  func(event.DeleteEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, after := e.ObjectOld.GetAnnotations(), e.ObjectNew.GetAnnotations()
			for _, kind := range []brake.Kind{brake.Deletion, brake.Change} {
				if before[kind.Annotation()] != after[kind.Annotation()] {
					return true
				}
			}
			return false
		},
	}
}
