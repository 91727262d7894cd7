package brake

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Annotation is the one by which people let a Kind go.
func (k Kind) Annotation() string {
	if k == Deletion {
		return vitistackv1alpha1.AnnotationConfirmDeletion
	}
	return vitistackv1alpha1.AnnotationConfirmChange
}

// isForever is the value that a Machine alone may have: many Machines are let go for a time.
const isForever = "true"

// consents reads the value of an annotation; "" is no consent. forOne says that it stands on a
// Machine. wrong says why a value is none.
func consents(value string, forOne bool, now time.Time) (given bool, wrong string) {
	if value == "" {
		return false, ""
	}
	if forOne && value == isForever {
		return true, ""
	}
	until, err := time.Parse(time.RFC3339, value)
	switch {
	case err == nil:
		return now.Before(until), ""
	case forOne:
		return false, fmt.Sprintf("is %q: want true, or a time such as 2006-01-02T15:04:05Z", value)
	default:
		return false, fmt.Sprintf("is %q: want the time until which it counts, such as 2006-01-02T15:04:05Z", value)
	}
}

// consent is what people said about Machines, read from caches. It remembers what it has read, and is
// for one moment.
type consent struct {
	kind    Kind
	now     time.Time
	cache   client.Reader
	configs map[string]string // values by KubevirtConfig
	spaces  map[string]string // values by namespace, as far as they were read
}

func (b *Brake) consent(ctx context.Context, kind Kind, now time.Time) consent {
	c := consent{kind: kind, now: now, cache: b.options.Cache, configs: map[string]string{}, spaces: map[string]string{}}
	configs := &vitistackv1alpha1.KubevirtConfigList{}
	if err := b.options.Cache.List(ctx, configs, client.UnsafeDisableDeepCopy); err != nil {
		return c // without an answer nobody has consented
	}
	for i := range configs.Items {
		if value := configs.Items[i].Annotations[kind.Annotation()]; value != "" {
			c.configs[configs.Items[i].Name] = value
		}
	}
	return c
}

// of reports whether a Machine was let go, and what is wrong with the words of who tried.
func (c *consent) of(
	ctx context.Context, machine *vitistackv1alpha1.Machine, config string,
) (given bool, wrong string) {
	for _, each := range []struct {
		where, value string
		forOne       bool
	}{
		{where: "the Machine", value: machine.Annotations[c.kind.Annotation()], forOne: true},
		{where: "namespace " + machine.Namespace, value: c.space(ctx, machine.Namespace)},
		{where: "KubevirtConfig " + config, value: c.configs[config]},
	} {
		given, why := consents(each.value, each.forOne, c.now)
		if given {
			return true, ""
		}
		if why != "" && wrong == "" {
			wrong = fmt.Sprintf("annotation %s of %s %s", c.kind.Annotation(), each.where, why)
		}
	}
	return false, wrong
}

// space is the value at a namespace. One that cannot be read consents to nothing.
func (c *consent) space(ctx context.Context, name string) string {
	if value, known := c.spaces[name]; known {
		return value
	}
	read := NamespaceKind()
	if err := c.cache.Get(ctx, client.ObjectKey{Name: name}, read); err != nil {
		read.Annotations = nil
	}
	c.spaces[name] = read.Annotations[c.kind.Annotation()]
	return c.spaces[name]
}

// NamespaceKind is an empty Namespace of which only the metadata is read and watched.
func NamespaceKind() *metav1.PartialObjectMetadata {
	namespace := &metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	return namespace
}
