package integration

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// parcel is a ConfigMap as a cache holds it: its metadata and one of its values.
type parcel struct {
	metav1.ObjectMeta
	colour string
}

// packConfigMap is a Transform.
func packConfigMap(object any) (any, error) {
	configMap, isConfigMap := object.(*corev1.ConfigMap)
	if !isConfigMap {
		return nil, fmt.Errorf("got a %T", object)
	}
	return &parcel{configMap.ObjectMeta, configMap.Data["colour"]}, nil
}

func (p *parcel) Unpack() runtime.Object {
	return &corev1.ConfigMap{ObjectMeta: *p.DeepCopy(), Data: map[string]string{"colour": p.colour}}
}

func (p *parcel) DeepCopyObject() runtime.Object   { return p.Unpack() }
func (p *parcel) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// hearing collects what informers tell of.
type hearing struct {
	sync.Mutex
	events []string
}

func (h *hearing) note(what string, objects ...any) {
	h.Lock()
	defer h.Unlock()
	for _, object := range objects {
		if gone, isTombstone := object.(toolscache.DeletedFinalStateUnknown); isTombstone {
			object = gone.Obj
		}
		configMap, isConfigMap := object.(*corev1.ConfigMap)
		if !isConfigMap {
			h.events = append(h.events, fmt.Sprintf("%s %T", what, object))
			continue
		}
		h.events = append(h.events, what+" "+configMap.Data["colour"])
	}
}

func (h *hearing) is(want ...string) func(context.Context) error {
	return func(context.Context) error {
		h.Lock()
		defer h.Unlock()
		if diff := cmp.Diff(want, h.events); diff != "" {
			return errors.New("-want +got:\n" + diff)
		}
		return nil
	}
}

// TestPackedKinds: nobody sees that a cache holds a small form of its objects.
func TestPackedKinds(t *testing.T) {
	t.Parallel()
	for name, others := range map[string][]client.Object{
		"a kind of its own":             nil,
		"kinds that are selected alike": {&corev1.Secret{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, func(o *clientmgr.Options) {
				for _, by := range o.Kinds {
					kinds := map[client.Object]cache.ByObject{&corev1.ConfigMap{}: {Label: by.Label, Transform: packConfigMap}}
					for _, other := range others {
						kinds[other] = cache.ByObject{Label: by.Label}
					}
					o.Kinds = kinds
				}
			})
			before := f.coloured("before", "red")
			f.must(east.admin.Create(t.Context(), before))
			f.config("east", f.admin(east, east.Addr()))
			f.connects("east")
			f.readsWhole()
			f.tellsWhole()
		})
	}
}

func (f *fixture) coloured(name, colour string) *corev1.ConfigMap {
	object := f.configMap(name)
	object.Data = map[string]string{"colour": colour, "dropped": "x"}
	return object
}

// readsWhole reads and writes what east's cache holds in a small form.
func (f *fixture) readsWhole() {
	f.t.Helper()
	remote := f.client("east")
	read := &corev1.ConfigMap{}
	f.must(remote.Get(f.t.Context(), f.key("before"), read))
	if diff := cmp.Diff(map[string]string{"colour": "red"}, read.Data); diff != "" || read.Kind != "ConfigMap" {
		f.t.Errorf("of kind %q: -want +got:\n%s", read.Kind, diff)
	}
	read.Data["colour"] = "scribbled"
	f.must(remote.Create(f.t.Context(), f.coloured("written", "blue")))
	list := &corev1.ConfigMapList{}
	f.must(remote.List(f.t.Context(), list, client.InNamespace(f.namespace), client.MatchingLabels{"test": f.label}))
	got := map[string]string{}
	for _, item := range list.Items {
		got[item.Name] = item.Data["colour"] + item.Data["dropped"]
	}
	if diff := cmp.Diff(map[string]string{"before": "red", "written": "blue"}, got); diff != "" {
		f.t.Errorf("a list that has what was just written: -want +got:\n%s", diff)
	}
	err := remote.Get(f.t.Context(), f.key("absent"), read)
	if !apierrors.IsNotFound(err) {
		f.t.Errorf("want NotFound, got %v", err)
	}
}

// tellsWhole changes what is held so, and looks at what is told and indexed.
func (f *fixture) tellsWhole() {
	f.t.Helper()
	cluster, err := f.Cluster("east")
	f.must(err)
	byColour := func(o client.Object) []string { return []string{o.(*corev1.ConfigMap).Data["colour"]} }
	f.must(cluster.GetCache().IndexField(f.t.Context(), &corev1.ConfigMap{}, "colour", byColour))
	list := &corev1.ConfigMapList{}
	f.must(cluster.GetCache().List(f.t.Context(), list, client.MatchingFields{"colour": "red"}))
	if len(list.Items) != 1 || list.Items[0].Name != "before" {
		f.t.Errorf("want the red one, got %+v", list.Items)
	}

	sources, informers := &hearing{}, &hearing{}
	f.listenTo(f.t.Context(), func(_ string, o client.Object) {
		if o.GetName() == "before" {
			sources.note("", o)
		}
	})
	informer, err := cluster.GetCache().GetInformer(f.t.Context(), &corev1.ConfigMap{})
	f.must(err)
	_, err = informer.AddEventHandler(toolscache.FilteringResourceEventHandler{
		FilterFunc: func(o any) bool {
			named, isObject := o.(client.Object)
			return !isObject || named.GetName() == "before"
		},
		Handler: toolscache.ResourceEventHandlerFuncs{
			AddFunc:    func(o any) { informers.note("add", o) },
			UpdateFunc: func(before, after any) { informers.note("update", before, after) },
			DeleteFunc: func(o any) { informers.note("delete", o) },
		},
	})
	f.must(err)
	eventually.Eventually(f.t, 20*time.Second, "what is there is told of", informers.is("add red"))
	changed := f.coloured("before", "green")
	f.must(east.admin.Update(f.t.Context(), changed))
	eventually.Eventually(f.t, 20*time.Second, "the change is told of",
		informers.is("add red", "update red", "update green"))
	f.must(east.admin.Delete(f.t.Context(), changed))
	eventually.Eventually(f.t, 20*time.Second, "the end is told of",
		informers.is("add red", "update red", "update green", "delete green"))
	eventually.Eventually(f.t, 20*time.Second, "a Source tells the same", sources.is(" red", " red", " green", " green"))
}
