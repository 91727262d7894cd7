package integration

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// writer is a client that reads its own writes from a namespace of the supervisor.
type writer struct {
	client.Client
	t         *testing.T
	namespace string
	cache     cache.Cache // what the client reads beneath
}

// newWriter returns a writer whose informers watch through config, and which writes directly.
func newWriter(t *testing.T, config *rest.Config, http *http.Client) *writer {
	t.Helper()
	f := &fixture{t: t}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "writes-"}}
	f.must(supervisor.admin.Create(t.Context(), namespace))
	w := &writer{t: t, namespace: namespace.Name}
	var err error
	w.cache, err = cache.New(config, cache.Options{
		Scheme: scheme, HTTPClient: http, DefaultNamespaces: map[string]cache.Config{namespace.Name: {}},
	})
	f.must(err)
	cached, err := client.New(supervisor.Config(), client.Options{
		Scheme: scheme, HTTPClient: supervisor.http, Cache: &client.CacheOptions{Reader: w.cache},
	})
	f.must(err)
	kinds := []client.Object{&vitistackv1alpha1.KubevirtConfig{}, &corev1.ConfigMap{}}
	w.Client, err = clusters.NewReadYourWrites(cached, w.cache, scheme, kinds...)
	f.must(err)
	t.Cleanup(f.run(w.cache.Start))
	if !w.cache.WaitForCacheSync(t.Context()) {
		t.Fatal("the cache has not synced")
	}
	return w
}

func (w *writer) config(name string) *vitistackv1alpha1.KubevirtConfig {
	return &vitistackv1alpha1.KubevirtConfig{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name},
		Spec:       vitistackv1alpha1.KubevirtConfigSpec{KubeconfigSecretRef: "first"},
	}
}

// told is what a reader sees of a KubevirtConfig: its Secret's name and its message.
func told(ctx context.Context, reader client.Reader, namespace, name string) string {
	config := &vitistackv1alpha1.KubevirtConfig{}
	err := reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, config)
	if err != nil {
		return string(apierrors.ReasonForError(err))
	}
	return described(config)
}

func described(config *vitistackv1alpha1.KubevirtConfig) string {
	if config.DeletionTimestamp != nil {
		return "going"
	}
	return config.Spec.KubeconfigSecretRef + "/" + config.Status.Message
}

// wantSeen compares what Get and List say about a KubevirtConfig. "NotFound" is in no list.
func (w *writer) wantSeen(reason, name, want string) {
	w.t.Helper()
	got := map[string]string{"get": told(w.t.Context(), w, w.namespace, name), "list": "NotFound"}
	var list vitistackv1alpha1.KubevirtConfigList
	if err := w.List(w.t.Context(), &list, client.InNamespace(w.namespace)); err != nil {
		w.t.Fatal(err)
	}
	for i := range list.Items {
		if list.Items[i].Name == name {
			got["list"] = described(&list.Items[i])
		}
	}
	if diff := cmp.Diff(map[string]string{"get": want, "list": want}, got); diff != "" {
		w.t.Errorf("%s (-want +got):\n%s", reason, diff)
	}
}

// patcher writes a patch of the spec or the status.
type patcher func(client.Object, client.Patch) error

// change writes the spec or the status of a KubevirtConfig as the client sees it.
func (w *writer) change(name string, to func(*vitistackv1alpha1.KubevirtConfig), write patcher) {
	w.t.Helper()
	config := &vitistackv1alpha1.KubevirtConfig{}
	if err := w.Get(w.t.Context(), client.ObjectKey{Namespace: w.namespace, Name: name}, config); err != nil {
		w.t.Fatal(err)
	}
	before := config.DeepCopy()
	to(config)
	// The lock fails where the object that was read is not the latest one.
	if err := write(config, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		w.t.Fatal(err)
	}
}

// patchSpec is a patcher.
func (w *writer) patchSpec(object client.Object, patch client.Patch) error {
	return w.Patch(w.t.Context(), object, patch)
}

// patchStatus is a patcher.
func (w *writer) patchStatus(object client.Object, patch client.Patch) error {
	return w.Status().Patch(w.t.Context(), object, patch)
}

// applied is a KubevirtConfig for a server-side apply of its Secret's name.
func (w *writer) applied(name, secret string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"kubeconfigSecretRef": secret}}}
	object.SetGroupVersionKind(vitistackv1alpha1.SchemeGroupVersion.WithKind("KubevirtConfig"))
	object.SetNamespace(w.namespace)
	object.SetName(name)
	return object
}

// TestReadsOwnWritesOfASilentWatch reads while the informers hear of nothing: everything that is
// seen comes from the client's own writes.
func TestReadsOwnWritesOfASilentWatch(t *testing.T) {
	t.Parallel()
	config, http, proxy := behind(t, supervisor)
	w := newWriter(t, config, http)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(proxy.Set(faults.Fault{Kind: faults.Blackhole}))

	must(w.Create(t.Context(), w.config("a")))
	w.wantSeen("A created object is there at once.", "a", "first/")
	w.change("a", func(c *vitistackv1alpha1.KubevirtConfig) { c.Spec.KubeconfigSecretRef = "second" }, w.patchSpec)
	w.wantSeen("A patch shows at once.", "a", "second/")
	w.change("a", func(c *vitistackv1alpha1.KubevirtConfig) { c.Status.Message = "well" }, w.patchStatus)
	w.wantSeen("A patch of the status shows at once, with the spec of the patch before.", "a", "second/well")
	applied := client.ApplyConfigurationFromUnstructured(w.applied("a", "third"))
	must(w.Apply(t.Context(), applied, client.ForceOwnership, client.FieldOwner("test")))
	w.wantSeen("An apply shows at once, with the status of the patch before.", "a", "third/well")

	configMap := corev1ac.ConfigMap("typed", w.namespace).WithData(map[string]string{"v": "1"})
	must(w.Apply(t.Context(), configMap, client.FieldOwner("test")))
	typed := &corev1.ConfigMap{}
	must(w.Get(t.Context(), client.ObjectKey{Namespace: w.namespace, Name: "typed"}, typed))
	if diff := cmp.Diff(map[string]string{"v": "1"}, typed.Data); diff != "" {
		t.Errorf("an object that was applied with a typed configuration (-want +got):\n%s", diff)
	}

	must(w.Delete(t.Context(), w.config("a")))
	w.wantSeen("A deleted object reads as going: whether a finalizer holds it only the server knows.", "a", "going")
	must(w.Create(t.Context(), w.config("a")))
	w.wantSeen("A new object of the name replaces the deleted one.", "a", "first/")
	must(w.Create(t.Context(), w.config("b")))
	must(w.Delete(t.Context(), w.config("b")))
	another := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"kubeconfigSecretRef":"another"}}`))
	must(supervisor.admin.Patch(t.Context(), w.config("a"), another))
	w.wantSeen("What another client wrote is not known yet.", "a", "first/")

	must(proxy.Set(faults.Fault{}))
	eventually.Eventually(t, time.Minute, "the informers have caught up", func(ctx context.Context) error {
		for name, want := range map[string]string{"a": "another/", "b": "NotFound"} {
			if got := told(ctx, w, w.namespace, name); got != want {
				return fmt.Errorf("%s: want %q, got %q", name, want, got)
			}
		}
		return nil
	})
}

// TestReadsOwnWritesOfABusyWatch writes from many goroutines while the informers follow, and
// another client writes into the same objects.
func TestReadsOwnWritesOfABusyWatch(t *testing.T) {
	t.Parallel()
	w := newWriter(t, supervisor.Config(), supervisor.http)
	failures := make(chan error, 8)
	var working sync.WaitGroup
	for i := range cap(failures) {
		working.Go(func() {
			for turn := range 8 {
				if err := w.turn(fmt.Sprintf("config-%d", i), turn); err != nil {
					failures <- fmt.Errorf("config-%d, turn %d: %w", i, turn, err)
					return
				}
			}
		})
	}
	working.Wait()
	close(failures)
	for err := range failures {
		t.Error(err)
	}
	eventually.Eventually(t, time.Minute, "nothing is left of what was deleted", func(ctx context.Context) error {
		var list vitistackv1alpha1.KubevirtConfigList
		if err := w.List(ctx, &list, client.InNamespace(w.namespace)); err != nil || len(list.Items) > 0 {
			return errors.Join(err, fmt.Errorf("%d objects are listed", len(list.Items)))
		}
		return nil
	})
}

// turn is the life of one object: each read must show the last write of this client.
func (w *writer) turn(name string, turn int) error {
	ctx := w.t.Context()
	config := w.config(name)
	if err := w.Create(ctx, config); err != nil {
		return err
	}
	sees := func(want string) error {
		if got := told(ctx, w, w.namespace, name); got != want {
			return fmt.Errorf("want %q, got %q", want, got)
		}
		return nil
	}
	if err := sees("first/"); err != nil {
		return err
	}
	for i := range 5 {
		noise := fmt.Appendf(nil, `{"metadata":{"labels":{"noise":"%d-%d"}}}`, turn, i)
		if err := supervisor.admin.Patch(ctx, w.config(name), client.RawPatch(types.MergePatchType, noise)); err != nil {
			return err
		}
		spec := fmt.Appendf(nil, `{"spec":{"kubeconfigSecretRef":"s%d"}}`, i)
		if err := w.Patch(ctx, w.config(name), client.RawPatch(types.MergePatchType, spec)); err != nil {
			return err
		}
		status := fmt.Appendf(nil, `{"status":{"message":"m%d"}}`, i)
		if err := w.Status().Patch(ctx, w.config(name), client.RawPatch(types.MergePatchType, status)); err != nil {
			return err
		}
		if err := sees(fmt.Sprintf("s%d/m%d", i, i)); err != nil {
			return err
		}
	}
	if err := w.Delete(ctx, config); err != nil {
		return err
	}
	if got := told(ctx, w, w.namespace, name); got != "going" && got != "NotFound" {
		return fmt.Errorf("deleted, and it reads %q", got)
	}
	return nil
}
