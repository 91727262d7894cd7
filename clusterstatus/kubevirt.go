package config

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/compatibility"
)

// KubeVirt is what was seen of KubeVirt in a cluster. The zero value means that nobody has looked.
type KubeVirt struct {
	// Answered says that the cluster gave an answer. Without one, only Message is set.
	Answered bool
	// Installed and Ready are that answer. Ready implies Installed.
	Installed, Ready bool
	// Version is the one that runs, for example v1.8.2. "" where it is not known.
	Version string
	// Message is a sentence for people.
	Message string
}

const (
	// lookInterval is the time between two looks at a KubeVirt, lookAgain that after a look that got no answer.
	lookInterval = 10 * time.Minute
	lookAgain    = time.Minute
	// lookTimeout bounds a look.
	lookTimeout = 5 * time.Second

	kubeVirtCRD = "kubevirts.kubevirt.io"
)

var crdKind = schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}

// kubeVirtOf judges the KubeVirt objects of a cluster. It is pure. A cluster should have one; of several, one that works is enough.
func kubeVirtOf(objects []kubevirtv1.KubeVirt) KubeVirt {
	if len(objects) == 0 {
		return KubeVirt{Answered: true, Message: "KubeVirt is not installed: there is no KubeVirt object"}
	}
	objects = slices.Clone(objects)
	slices.SortFunc(objects, func(a, b kubevirtv1.KubeVirt) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	first := KubeVirt{Answered: true, Installed: true, Version: objects[0].Status.ObservedKubeVirtVersion}
	first.Message = "KubeVirt does not work: " + ailment(&objects[0])
	for i := range objects {
		if ailment(&objects[i]) == "" {
			return KubeVirt{
				Answered: true, Installed: true, Ready: true, Version: objects[i].Status.ObservedKubeVirtVersion, Message: "KubeVirt works",
			}
		}
	}
	return first
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

// look asks a cluster about its KubeVirt, past all caches.
func look(ctx context.Context, remotes clientmgr.LiveGetter, config string) KubeVirt {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	live, err := remotes.Live(config)
	if err != nil {
		return KubeVirt{Message: "KubeVirt could not be looked at"}
	}
	var list kubevirtv1.KubeVirtList
	err = live.List(ctx, &list)
	switch {
	case err == nil:
		return kubeVirtOf(list.Items)
	case errors.Is(err, clientmgr.ErrForbidden), apierrors.IsForbidden(err):
		return KubeVirt{Message: "listing kubevirts.kubevirt.io is forbidden"}
	case undefined(ctx, live):
		return KubeVirt{Answered: true, Message: "KubeVirt is not installed: CustomResourceDefinition " + kubeVirtCRD + " does not exist"}
	default: // err may quote an address
		return KubeVirt{Message: "KubeVirt could not be looked at"}
	}
}

// undefined reports whether the server itself says that it does not know KubeVirt. A list that fails proves nothing.
func undefined(ctx context.Context, live client.Reader) bool {
	definition := &metav1.PartialObjectMetadata{}
	definition.SetGroupVersionKind(crdKind)
	return apierrors.IsNotFound(live.Get(ctx, client.ObjectKey{Name: kubeVirtCRD}, definition))
}

// sight is the last look at a cluster's KubeVirt and its definitions, and the connection that it was made through.
type sight struct {
	kubevirt   KubeVirt
	schema     *compatibility.Answer // nil where nobody looks at definitions
	at         time.Time
	clusterUID string
	since      time.Time
}

// due returns the time until the next look: 0 where it is to be made now.
func (s sight) due(state clientmgr.State, now time.Time) time.Duration {
	if s.at.IsZero() || s.clusterUID != state.ClusterUID || !s.since.Equal(state.Since) {
		return 0
	}
	interval := lookInterval
	if !s.kubevirt.Answered || s.schema != nil && !s.schema.Answered {
		interval = lookAgain
	}
	return max(0, s.at.Add(interval).Sub(now))
}
