// Package secrets asks package clusters for a cluster for each Secret that has a label and holds a
// kubeconfig. Label and key are by default those of multicluster-runtime's kubeconfig provider.
package secrets

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
)

// The convention of multicluster-runtime's kubeconfig provider.
const (
	// Label is on each Secret that counts, with the value "true".
	Label = "sigs.k8s.io/multicluster-runtime-kubeconfig"
	// Key has the kubeconfig.
	Key = "kubeconfig"
)

// The annotations of a Secret that tell which cluster it leads to. Nobody but people and tools of
// theirs writes them.
const (
	// AnnotationClusterUID is the identity that the cluster is known to have: the UID of its namespace
	// kube-system. A kubeconfig that leads elsewhere is not followed.
	AnnotationClusterUID = "clusters.vitistack.io/uid"
	// AnnotationAcceptUID is another identity that a person consents to.
	AnnotationAcceptUID = "clusters.vitistack.io/accept-uid"
)

// Options say which Secrets count. The zero value works.
type Options struct {
	// Namespace of the Secrets. "" means all; a cluster's name is the Secret's name, or
	// "namespace/name" where all namespaces count.
	Namespace string
	// Label and Key are names. Default: the constants of this package.
	Label, Key string
}

func (o Options) withDefaults() Options {
	if o.Label == "" {
		o.Label = Label
	}
	if o.Key == "" {
		o.Key = Key
	}
	return o
}

// Cache returns cache options for the Secrets that count, without what is no kubeconfig, to be
// merged into a cache's ByObject.
func Cache(options Options) map[client.Object]cache.ByObject {
	o := options.withDefaults()
	by := cache.ByObject{Label: labels.SelectorFromSet(labels.Set{o.Label: "true"}), Transform: o.trim}
	if o.Namespace != "" {
		by.Namespaces = map[string]cache.Config{o.Namespace: {}}
	}
	return map[client.Object]cache.ByObject{&corev1.Secret{}: by}
}

// trim drops what is of no use here, so that it is not kept in memory.
func (o Options) trim(object any) (any, error) {
	if secret, isSecret := object.(*corev1.Secret); isSecret {
		secret.ManagedFields = nil
		for key := range secret.Data {
			if key != o.Key {
				delete(secret.Data, key)
			}
		}
	}
	return object, nil
}

// Clusters is what a Source tells of Secrets. *clusters.Manager is one.
type Clusters interface {
	Put(name string, wish clusters.Wish)
	Remove(name string)
}

// Source follows Secrets. Add it to a controller-runtime manager, beside the clusters.Manager, or
// call Start. Under leader election both run in the leader alone.
type Source struct {
	informers cache.Informers
	to        Clusters
	options   Options
}

// New returns a Source that follows the Secrets of informers, a cache that is limited with Cache.
// It does no I/O.
func New(informers cache.Informers, to Clusters, options Options) *Source {
	return &Source{informers: informers, to: to, options: options.withDefaults()}
}

// Start follows the Secrets until ctx ends.
func (s *Source) Start(ctx context.Context) error {
	informer, err := s.informers.GetInformer(ctx, &corev1.Secret{}, cache.BlockUntilSynced(false))
	if err != nil {
		return fmt.Errorf("watching Secrets: %w", err)
	}
	registration, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    s.changed,
		UpdateFunc: func(_, now any) { s.changed(now) },
		DeleteFunc: s.deleted,
	})
	if err != nil {
		return fmt.Errorf("watching Secrets: %w", err)
	}
	<-ctx.Done()
	return informer.RemoveEventHandler(registration)
}

// here says whether a Secret is where those are that count: a cache may hold others.
func (s *Source) here(secret *corev1.Secret) bool {
	return s.options.Namespace == "" || secret.Namespace == s.options.Namespace
}

func (s *Source) changed(object any) {
	secret, isSecret := object.(*corev1.Secret)
	switch {
	case !isSecret || !s.here(secret):
	case secret.Labels[s.options.Label] == "true":
		s.to.Put(s.name(secret), s.wish(secret))
	default:
		s.to.Remove(s.name(secret)) // it lost its label
	}
}

func (s *Source) deleted(object any) {
	if gone, isTombstone := object.(toolscache.DeletedFinalStateUnknown); isTombstone {
		object = gone.Obj
	}
	if secret, isSecret := object.(*corev1.Secret); isSecret && s.here(secret) {
		s.to.Remove(s.name(secret))
	}
}

func (s *Source) name(secret *corev1.Secret) string {
	if s.options.Namespace == "" {
		return secret.Namespace + "/" + secret.Name
	}
	return secret.Name
}

func (s *Source) wish(secret *corev1.Secret) clusters.Wish {
	w := clusters.Wish{
		UID:           secret.UID,
		Kubeconfig:    secret.Data[s.options.Key],
		RememberedUID: secret.Annotations[AnnotationClusterUID],
		AcceptedUID:   secret.Annotations[AnnotationAcceptUID],
	}
	if len(w.Kubeconfig) == 0 {
		w.Kubeconfig = nil
		w.Problem = fmt.Sprintf("Secret %s/%s has no key %s", secret.Namespace, secret.Name, s.options.Key)
	}
	return w
}
