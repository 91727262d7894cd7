// Package kubevirt tells whether KubeVirt is installed and running in a cluster, by what KubeVirt's
// operator writes there.
package kubevirt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// crd is the definition that KubeVirt's operator comes with.
const crd = "kubevirts.kubevirt.io"

var crdKind = schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}

// State is what was seen of KubeVirt in a cluster. The zero value means that nobody has looked.
type State struct {
	// Answered says that the cluster gave an answer. Without one, only Message is set.
	Answered bool
	// Installed and Ready are that answer. Ready implies Installed.
	Installed, Ready bool
	// Version is the one that runs, for example v1.8.2. "" where it is not known.
	Version string
	// Reason says why it is not installed or not ready; "" where it is.
	Reason string
	// Message is a sentence for people. It quotes no error, which may tell an address.
	Message string
}

// Look asks a cluster, through a reader that asks the cluster itself. The error is why there is no
// answer.
func Look(ctx context.Context, live client.Reader) (State, error) {
	var list kubevirtv1.KubeVirtList
	err := live.List(ctx, &list)
	switch {
	case err == nil:
		return Of(list.Items), nil
	case errors.Is(err, clientmgr.ErrForbidden), apierrors.IsForbidden(err):
		return State{Message: "listing " + crd + " is forbidden"}, err
	case undefined(ctx, live):
		return missing("CustomResourceDefinition " + crd + " does not exist"), nil
	default:
		return State{Message: "KubeVirt could not be looked at"}, err
	}
}

// undefined reports whether the server itself says that it does not know KubeVirt. A list that
// fails proves nothing.
func undefined(ctx context.Context, live client.Reader) bool {
	definition := &metav1.PartialObjectMetadata{}
	definition.SetGroupVersionKind(crdKind)
	return apierrors.IsNotFound(live.Get(ctx, client.ObjectKey{Name: crd}, definition))
}

// Of judges the KubeVirt objects of a cluster. It is pure. A cluster should have one; of several,
// one that works is enough.
func Of(objects []kubevirtv1.KubeVirt) State {
	if len(objects) == 0 {
		return missing("there is no KubeVirt object")
	}
	objects = slices.Clone(objects)
	slices.SortFunc(objects, func(a, b kubevirtv1.KubeVirt) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	for i := range objects {
		if ailment(&objects[i]) == "" {
			return State{Answered: true, Installed: true, Ready: true, Version: objects[i].Status.ObservedKubeVirtVersion,
				Message: "KubeVirt works"}
		}
	}
	reason := ailment(&objects[0])
	return State{
		Answered: true, Installed: true, Version: objects[0].Status.ObservedKubeVirtVersion, Reason: reason,
		Message: "KubeVirt does not work: " + reason,
	}
}

func missing(reason string) State {
	return State{Answered: true, Reason: reason, Message: "KubeVirt is not installed: " + reason}
}

// ailment says why a KubeVirt does not work; "" where it does.
func ailment(object *kubevirtv1.KubeVirt) string {
	switch {
	case !object.DeletionTimestamp.IsZero():
		return "it is being deleted"
	case object.Status.Phase != kubevirtv1.KubeVirtPhaseDeployed:
		return fmt.Sprintf("its phase is %q", object.Status.Phase)
	}
	for _, condition := range object.Status.Conditions {
		if condition.Type == kubevirtv1.KubeVirtConditionAvailable && condition.Status == corev1.ConditionFalse {
			return "it is not available: " + condition.Reason
		}
	}
	return ""
}
