package secrets_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/secrets"
)

// told records what a Source asks for.
type told struct {
	mu     sync.Mutex
	wishes map[string]clusters.Wish
}

func (t *told) Put(name string, wish clusters.Wish) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wishes[name] = wish
}

func (t *told) Remove(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.wishes, name)
}

func (t *told) now() map[string]clusters.Wish {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := map[string]clusters.Wish{}
	for name, wish := range t.wishes {
		now[name] = wish
	}
	return now
}

// informers has one informer, of Secrets, and gives the test its handler.
type informers struct {
	cache.Informers
	informer
}

type informer struct {
	cache.Informer
	handler chan toolscache.ResourceEventHandler
}

func (i informers) GetInformer(context.Context, client.Object, ...cache.InformerGetOption) (cache.Informer, error) {
	return i.informer, nil
}

func (i informer) AddEventHandler(
	handler toolscache.ResourceEventHandler,
) (toolscache.ResourceEventHandlerRegistration, error) {
	i.handler <- handler
	return nil, nil
}

func (informer) RemoveEventHandler(toolscache.ResourceEventHandlerRegistration) error { return nil }

// secret has the label, and what changes it.
func secret(name string, change func(*corev1.Secret)) *corev1.Secret {
	s := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "fleet", Name: name, UID: "1", Labels: map[string]string{secrets.Label: "true"},
		},
		Data: map[string][]byte{secrets.Key: []byte("file")},
	}
	if change != nil {
		change(s)
	}
	return s
}

func TestSource(t *testing.T) {
	file := clusters.Wish{UID: "1", Kubeconfig: []byte("file")}
	for _, tc := range []struct {
		reason  string
		options secrets.Options
		events  func(toolscache.ResourceEventHandler)
		want    map[string]clusters.Wish
	}{
		{
			reason:  "a labelled Secret is a cluster of its name",
			options: secrets.Options{Namespace: "fleet"},
			events:  func(h toolscache.ResourceEventHandler) { h.OnAdd(secret("east", nil), true) },
			want:    map[string]clusters.Wish{"east": file},
		},
		{
			reason: "two namespaces may have Secrets of one name",
			events: func(h toolscache.ResourceEventHandler) { h.OnAdd(secret("east", nil), true) },
			want:   map[string]clusters.Wish{"fleet/east": file},
		},
		{
			reason:  "a Secret of another namespace in the same cache takes nothing away",
			options: secrets.Options{Namespace: "fleet"},
			events: func(h toolscache.ResourceEventHandler) {
				h.OnAdd(secret("east", nil), true)
				other := secret("east", func(s *corev1.Secret) { s.Namespace, s.Labels = "another", nil })
				h.OnAdd(other, true)
				h.OnDelete(other)
			},
			want: map[string]clusters.Wish{"east": file},
		},
		{
			reason:  "what a person wrote about the identity goes along",
			options: secrets.Options{Namespace: "fleet"},
			events: func(h toolscache.ResourceEventHandler) {
				h.OnAdd(secret("east", func(s *corev1.Secret) {
					s.Annotations = map[string]string{secrets.AnnotationClusterUID: "a", secrets.AnnotationAcceptUID: "b"}
				}), true)
			},
			want: map[string]clusters.Wish{
				"east": {UID: "1", Kubeconfig: []byte("file"), RememberedUID: "a", AcceptedUID: "b"},
			},
		},
		{
			reason:  "a Secret without the key is a cluster that says what it lacks",
			options: secrets.Options{Namespace: "fleet", Key: "value"},
			events:  func(h toolscache.ResourceEventHandler) { h.OnAdd(secret("east", nil), true) },
			want:    map[string]clusters.Wish{"east": {UID: "1", Problem: "Secret fleet/east has no key value"}},
		},
		{
			reason:  "a Secret that loses its label is a cluster no more",
			options: secrets.Options{Namespace: "fleet"},
			events: func(h toolscache.ResourceEventHandler) {
				h.OnAdd(secret("east", nil), true)
				h.OnUpdate(secret("east", nil), secret("east", func(s *corev1.Secret) { s.Labels = nil }))
			},
			want: map[string]clusters.Wish{},
		},
		{
			reason:  "a deletion that was missed is one",
			options: secrets.Options{Namespace: "fleet"},
			events: func(h toolscache.ResourceEventHandler) {
				h.OnAdd(secret("east", nil), true)
				h.OnDelete(toolscache.DeletedFinalStateUnknown{Obj: secret("east", nil)})
			},
			want: map[string]clusters.Wish{},
		},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			to := &told{wishes: map[string]clusters.Wish{}}
			i := informers{informer: informer{handler: make(chan toolscache.ResourceEventHandler, 1)}}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- secrets.New(i, to, tc.options).Start(ctx) }()
			select {
			case handler := <-i.handler:
				tc.events(handler)
			case <-time.After(10 * time.Second):
				t.Fatal("the Secrets are not watched")
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(tc.want, to.now()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestCacheKeepsNothingElse(t *testing.T) {
	for object, by := range secrets.Cache(secrets.Options{Namespace: "fleet"}) {
		kept, err := by.Transform(secret("east", func(s *corev1.Secret) { s.Data["password"] = []byte("x") }))
		if diff := cmp.Diff(secret("east", nil), kept); diff != "" || err != nil {
			t.Errorf("%T: %v, -want +got:\n%s", object, err, diff)
		}
		if got := fmt.Sprint(by.Label); got != secrets.Label+"=true" || len(by.Namespaces) != 1 {
			t.Errorf("%T: the cache holds %s of %v", object, got, by.Namespaces)
		}
	}
}
