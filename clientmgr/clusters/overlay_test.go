package clusters

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// lagging is a cache that shows what it was told and no more, with its informer.
type lagging struct {
	cache.Informer
	client.Client // the server
	shown         client.Client
	handler       toolscache.ResourceEventHandler
	overlay       *overlay
	clock         *clocktesting.FakePassiveClock
	user          client.Client
}

func newLagging(t testing.TB, selector labels.Selector, funcs interceptor.Funcs) *lagging {
	t.Helper()
	build := func() *fake.ClientBuilder { return fake.NewClientBuilder().WithScheme(scheme.Scheme) }
	l := &lagging{Client: build().WithInterceptorFuncs(funcs).Build(),
		clock: clocktesting.NewFakePassiveClock(time.Unix(1e9, 0))}
	l.shown = build().Build()
	l.overlay = newOverlay(scheme.Scheme, l.clock)
	kinds, err := kindsOf(map[client.Object]cache.ByObject{&corev1.ConfigMap{}: {Label: selector}}, scheme.Scheme)
	if err != nil {
		t.Fatal(err)
	}
	l.overlay.add(kinds[0], l, nil)
	l.user = &readYourWrites{
		recordingClient: recordingClient{Client: l.Client, overlay: l.overlay}, reader: overlaidReader{cacheOf{l}, l.overlay},
	}
	return l
}

// cacheOf reads what the cache shows.
type cacheOf struct{ l *lagging }

func (c cacheOf) Get(ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption) error {
	return c.l.shown.Get(ctx, key, object, opts...)
}

func (c cacheOf) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	return c.l.shown.List(ctx, list, opts...)
}

func (l *lagging) AddEventHandler(
	handler toolscache.ResourceEventHandler,
) (toolscache.ResourceEventHandlerRegistration, error) {
	l.handler = handler
	return nil, nil
}

// show makes the cache hold these objects, as they are, without telling anybody.
func (l *lagging) show(objects ...*corev1.ConfigMap) {
	builder := fake.NewClientBuilder().WithScheme(scheme.Scheme)
	for _, object := range objects {
		builder.WithObjects(object.DeepCopy())
	}
	l.shown = builder.Build()
}

// live returns an object as the server has it.
func (l *lagging) live(t *testing.T, name string) *corev1.ConfigMap {
	t.Helper()
	object := &corev1.ConfigMap{}
	if err := l.Get(t.Context(), client.ObjectKey{Namespace: "ns", Name: name}, object); err != nil {
		t.Fatal(err)
	}
	return object
}

func configMap(name, value string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, UID: types.UID("uid-of-" + name),
			Labels: map[string]string{"ours": "true"}},
		Data: map[string]string{"v": value},
	}
}

// sight is what a reader sees of an object.
func (l *lagging) sight(t *testing.T, name string) string {
	t.Helper()
	object := &corev1.ConfigMap{}
	err := l.user.Get(t.Context(), client.ObjectKey{Namespace: "ns", Name: name}, object)
	switch {
	case apierrors.IsNotFound(err):
		return "absent"
	case err != nil:
		t.Fatal(err)
	case object.DeletionTimestamp != nil:
		return "going"
	}
	return object.Data["v"]
}

// listed is what a reader sees in a list, by name.
func (l *lagging) listed(t *testing.T, opts ...client.ListOption) map[string]string {
	t.Helper()
	var list corev1.ConfigMapList
	if err := l.user.List(t.Context(), &list, append(opts, client.InNamespace("ns"))...); err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, item := range list.Items {
		seen[item.Name] = item.Data["v"]
		if item.DeletionTimestamp != nil {
			seen[item.Name] = "going"
		}
	}
	return seen
}

func (l *lagging) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// change writes a value and returns the object as it was before.
func (l *lagging) change(t *testing.T, name, value string) (before *corev1.ConfigMap) {
	t.Helper()
	before = l.live(t, name)
	after := before.DeepCopy()
	after.Data["v"] = value
	l.must(t, l.user.Patch(t.Context(), after, client.MergeFrom(before)))
	return before
}

func TestReadYourWrites(t *testing.T) {
	cases := map[string]struct {
		reason string
		do     func(t *testing.T, l *lagging)
		want   string
		size   int64
	}{
		"created, event to come": {
			reason: "an object that was just created is not absent because the watch is late",
			do:     func(t *testing.T, l *lagging) { l.must(t, l.user.Create(t.Context(), configMap("a", "1"))) },
			want:   "1", size: 1,
		},
		"created, event came": {
			reason: "once the informer has the object nothing is remembered",
			do: func(t *testing.T, l *lagging) {
				l.must(t, l.user.Create(t.Context(), configMap("a", "1")))
				l.show(l.live(t, "a"))
				l.handler.OnAdd(l.live(t, "a"), false)
			},
			want: "1",
		},
		"created, event came before the answer": {
			reason: "the cache has the object already when the answer is noted; the first read forgets the note",
			do: func(t *testing.T, l *lagging) {
				l.must(t, l.user.Create(t.Context(), configMap("a", "1")))
				l.show(l.live(t, "a"))
			},
			want: "1",
		},
		"changed, cache is behind": {
			reason: "a reader sees its own change although the cache shows the former version",
			do: func(t *testing.T, l *lagging) {
				l.must(t, l.user.Create(t.Context(), configMap("a", "1")))
				l.show(l.change(t, "a", "2"))
			},
			want: "2", size: 1,
		},
		"changed, cache is ahead": {
			reason: "what somebody else wrote later is newer than the client's own write",
			do: func(t *testing.T, l *lagging) {
				l.must(t, l.user.Create(t.Context(), configMap("a", "1")))
				l.change(t, "a", "2")
				newer := l.live(t, "a")
				newer.Data["v"] = "3"
				l.must(t, l.Update(t.Context(), newer))
				l.show(newer)
			},
			want: "3",
		},
		"an old event": {
			reason: "the event of an earlier version does not end the memory of a later one",
			do: func(t *testing.T, l *lagging) {
				l.must(t, l.user.Create(t.Context(), configMap("a", "1")))
				before := l.change(t, "a", "2")
				l.show(before)
				l.handler.OnAdd(before, false)
			},
			want: "2", size: 1,
		},
		"deleted, event to come": {
			reason: "an object that was deleted is going; whether a finalizer holds it is not known yet",
			do: func(t *testing.T, l *lagging) {
				l.must(t, l.user.Create(t.Context(), configMap("a", "1")))
				l.show(l.live(t, "a"))
				l.handler.OnAdd(l.live(t, "a"), false)
				l.must(t, l.user.Delete(t.Context(), configMap("a", "")))
			},
			want: "going", size: 1,
		},
		"created and deleted before any event": {
			reason: "the cache never had the object, and the server may still have it",
			do: func(t *testing.T, l *lagging) {
				l.must(t, l.user.Create(t.Context(), configMap("a", "1")))
				l.must(t, l.user.Delete(t.Context(), configMap("a", "")))
			},
			want: "going", size: 1,
		},
		"deleted, event came": {
			reason: "the informer has dropped the object, so that it is absent",
			do: func(t *testing.T, l *lagging) {
				l.must(t, l.user.Create(t.Context(), configMap("a", "1")))
				last := l.live(t, "a")
				l.must(t, l.user.Delete(t.Context(), configMap("a", "")))
				l.handler.OnDelete(toolscache.DeletedFinalStateUnknown{Obj: last})
			},
			want: "absent",
		},
		"recreated": {
			reason: "the event of the former object's end does not end the memory of the new object",
			do: func(t *testing.T, l *lagging) {
				l.must(t, l.user.Create(t.Context(), configMap("a", "1")))
				last := l.live(t, "a")
				l.must(t, l.user.Delete(t.Context(), configMap("a", "")))
				again := configMap("a", "2")
				again.UID, again.Annotations = "another", map[string]string{}
				l.must(t, l.user.Create(t.Context(), again))
				again.ResourceVersion = "5"
				l.overlay.remember(writeKey{declaration{corev1.SchemeGroupVersion.WithKind("ConfigMap"), typed},
					client.ObjectKeyFromObject(again)},
					write{object: again, uid: again.UID, version: again.ResourceVersion})
				l.show(last)
				l.handler.OnDelete(last)
			},
			want: "2", size: 1,
		},
		"the informer never comes": {
			reason: "after 30 s the cache is believed again, so that no memory lasts for ever",
			do: func(t *testing.T, l *lagging) {
				l.must(t, l.user.Create(t.Context(), configMap("a", "1")))
				l.clock.SetTime(l.clock.Now().Add(overlayAge))
			},
			want: "absent",
		},
		"dry run": {
			reason: "a dry run has written nothing",
			do: func(t *testing.T, l *lagging) {
				l.must(t, l.user.Create(t.Context(), configMap("a", "1"), client.DryRunAll))
			},
			want: "absent",
		},
		"applied": {
			reason: "the result of an apply stands in the configuration",
			do: func(t *testing.T, l *lagging) {
				l.overlay.note(declaration{corev1.SchemeGroupVersion.WithKind("ConfigMap"), typed}, func() client.Object {
					object := configMap("a", "1")
					object.ResourceVersion = "7"
					whole, _ := l.overlay.inForm(declaration{corev1.SchemeGroupVersion.WithKind("ConfigMap"), unstructuredForm},
						object)
					return whole
				}())
			},
			want: "1", size: 1,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l := newLagging(t, nil, interceptor.Funcs{})
			tc.do(t, l)
			if diff := cmp.Diff(tc.want, l.sight(t, "a")); diff != "" {
				t.Errorf("%s: Get: -want +got:\n%s", tc.reason, diff)
			}
			want := map[string]string{"a": tc.want}
			if tc.want == "absent" {
				want = map[string]string{}
			}
			if diff := cmp.Diff(want, l.listed(t)); diff != "" {
				t.Errorf("%s: List: -want +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.size, l.overlay.size.Load()); diff != "" {
				t.Errorf("%s: remembered writes: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestDeletedBeforeTheAnswer lets another client delete an object before the answer to its creation
// arrives.
func TestDeletedBeforeTheAnswer(t *testing.T) {
	var l *lagging
	l = newLagging(t, nil, interceptor.Funcs{
		Create: func(ctx context.Context, server client.WithWatch, object client.Object, opts ...client.CreateOption) error {
			if err := server.Create(ctx, object, opts...); err != nil {
				return err
			}
			l.handler.OnAdd(object, false)
			l.handler.OnDelete(object)
			return nil
		},
	})
	l.must(t, l.user.Create(t.Context(), configMap("a", "1")))
	if diff := cmp.Diff("absent", l.sight(t, "a")); diff != "" {
		t.Errorf("a late answer brought back an object that was gone: -want +got:\n%s", diff)
	}
	if diff := cmp.Diff(0, len(l.overlay.locked.gone)); diff != "" {
		t.Errorf("deletions are remembered although no write is under way: -want +got:\n%s", diff)
	}
}

func TestListIsCorrected(t *testing.T) {
	l := newLagging(t, labels.SelectorFromSet(labels.Set{"ours": "true"}), interceptor.Funcs{})
	for i := range 3 {
		l.must(t, l.user.Create(t.Context(), configMap(strconv.Itoa(i), "old")))
	}
	l.show(l.live(t, "0"), l.live(t, "1"))
	l.change(t, "1", "new")
	unlabelled := l.live(t, "0")
	unlabelled.Labels = nil
	l.must(t, l.user.Update(t.Context(), unlabelled))
	if diff := cmp.Diff(map[string]string{"1": "new", "2": "old"}, l.listed(t)); diff != "" {
		t.Errorf("an object that lost the cache's label is out, a new one is in: -want +got:\n%s", diff)
	}
	if diff := cmp.Diff("absent", l.sight(t, "0")); diff != "" {
		t.Errorf("an object that lost the cache's label: -want +got:\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{}, l.listed(t, client.MatchingLabels{"ours": "no"})); diff != "" {
		t.Errorf("nothing has this label: -want +got:\n%s", diff)
	}
}

func TestOverlayIsSafeForConcurrentUse(t *testing.T) {
	l := newLagging(t, nil, interceptor.Funcs{})
	var users sync.WaitGroup
	for i := range 8 {
		users.Go(func() {
			name := strconv.Itoa(i)
			if err := l.user.Create(t.Context(), configMap(name, "0")); err != nil {
				t.Error(err)
				return
			}
			for n := range 20 {
				l.change(t, name, strconv.Itoa(n))
				if diff := cmp.Diff(strconv.Itoa(n), l.sight(t, name)); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				l.listed(t)
				l.handler.OnAdd(l.live(t, name), false)
			}
		})
	}
	users.Wait()
}

// nothing is a reader that costs nothing, so that a benchmark measures what stands before it.
type nothing struct{ client.Reader }

func (nothing) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return nil
}

func TestEmptyOverlayAllocatesNothing(t *testing.T) {
	reader := overlaidReader{nothing{}, newOverlay(scheme.Scheme, clock.RealClock{})}
	key, object := client.ObjectKey{Namespace: "ns", Name: "a"}, &corev1.ConfigMap{}
	if got := testing.AllocsPerRun(1000, func() { _ = reader.Get(t.Context(), key, object) }); got != 0 {
		t.Errorf("a read past an empty overlay allocates: want 0, got %v", got)
	}
}

// BenchmarkEmptyOverlay prints what a cached read costs without and with an empty overlay before
// it.
func BenchmarkEmptyOverlay(b *testing.B) {
	key, object := client.ObjectKey{Namespace: "ns", Name: "a"}, &corev1.ConfigMap{}
	readers := map[string]client.Reader{
		"without": nothing{}, "with": overlaidReader{nothing{}, newOverlay(scheme.Scheme, clock.RealClock{})},
	}
	for name, reader := range readers {
		b.Run(name, func(b *testing.B) {
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				_ = reader.Get(ctx, key, object)
			}
		})
	}
}
