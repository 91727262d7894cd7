package clientmgr

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

func TestUnwatchedSecrets(t *testing.T) {
	name := types.NamespacedName{Namespace: "elsewhere", Name: "east"}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name},
		Data:       map[string][]byte{"kubeconfig": []byte("one"), "other": []byte("x")},
	}
	var away sync.Map
	store := interceptor.NewClient(fake.NewClientBuilder().WithObjects(secret).Build(), interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object,
			options ...client.GetOption) error {
			if err, isAway := away.Load("away"); isAway {
				return err.(error)
			}
			return c.Get(ctx, key, object, options...)
		},
	})
	told := make(chan types.NamespacedName, 10)
	u := &unwatched{reader: store, interval: 10 * time.Millisecond, timeout: time.Second, clock: clock.RealClock{},
		asked: make(chan struct{}, 1),
		changed: func(o any) {
			told <- client.ObjectKeyFromObject(o.(client.Object))
		}}
	reads := func(want string) {
		t.Helper()
		got, err := u.get(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string][]byte{"kubeconfig": []byte(want)}, got.Data); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	hears := func() {
		t.Helper()
		select {
		case got := <-told:
			if got != name {
				t.Errorf("told of %s", got)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("not told")
		}
	}
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	running.Go(func() { u.run(ctx) })
	defer running.Wait()
	defer cancel()
	if _, err := u.get(name); !errors.Is(err, errNotRead) {
		t.Errorf("the first question waits for nobody: %v", err)
	}
	hears()
	reads("one")

	away.Store("away", errors.New("no contact")) // no news: what was known stays
	secret.Data["kubeconfig"] = []byte("two")
	if err := store.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	reads("one")
	away.Delete("away")
	hears()
	reads("two")
	away.Store("away", apierrors.NewForbidden(corev1.Resource("secrets"), name.Name, errors.New("no")))
	hears()
	if _, err := u.get(name); !apierrors.IsForbidden(err) {
		t.Errorf("the right was taken away: got %v", err)
	}
	away.Delete("away")
	hears()
	reads("two")
	u.keep(secretIndex{})
	if known := u.known(); len(known) > 0 {
		t.Errorf("nobody names it any more: %v", known)
	}
	if len(told) > 0 {
		t.Errorf("told of %s for nothing", <-told)
	}
}

// TestSlowSecretDelaysNoOther has the reads of three Secrets hang: a fourth is read meanwhile, and
// the questions are answered at once.
func TestSlowSecretDelaysNoOther(t *testing.T) {
	names := []types.NamespacedName{{Namespace: "a", Name: "hung"}, {Namespace: "b", Name: "hung"},
		{Namespace: "c", Name: "hung"}, {Namespace: "d", Name: "quick"}}
	store := interceptor.NewClient(fake.NewClientBuilder().WithObjects(
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "d", Name: "quick"}}).Build(), interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object,
			options ...client.GetOption) error {
			if key.Name == "hung" {
				<-ctx.Done()
				return ctx.Err()
			}
			return c.Get(ctx, key, object, options...)
		},
	})
	told := make(chan types.NamespacedName, 10)
	u := &unwatched{reader: store, interval: time.Hour, timeout: time.Minute, clock: clock.RealClock{},
		asked: make(chan struct{}, 1), changed: func(o any) { told <- client.ObjectKeyFromObject(o.(client.Object)) }}
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	running.Go(func() { u.run(ctx) })
	defer running.Wait()
	defer cancel()
	for _, name := range names {
		if _, err := u.get(name); !errors.Is(err, errNotRead) {
			t.Errorf("%s: %v", name, err)
		}
	}
	select {
	case got := <-told:
		if diff := cmp.Diff(names[3], got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("a Secret waits for others that hang")
	}
}
