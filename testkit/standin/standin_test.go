package standin

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	goleak.VerifyTestMain(m)
}

// world is one stand-in with a client of it.
type world struct {
	*Server
	config *rest.Config
	scheme *runtime.Scheme
	client client.WithWatch
}

func newWorld(t *testing.T) *world {
	t.Helper()
	servers, err := NewServers(Options{})
	must(t, err)
	t.Cleanup(servers.Close)
	w := &world{scheme: runtime.NewScheme()}
	w.Server, err = servers.Start("east")
	must(t, err)
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, kubevirtv1.AddToScheme, cdiv1beta1.AddToScheme,
	} {
		must(t, add(w.scheme))
	}
	w.config, err = clientcmd.RESTConfigFromKubeConfig(w.Kubeconfig())
	must(t, err)
	w.config.QPS = -1
	w.config.ContentType = "application/json"
	w.client, err = client.NewWithWatch(w.config, client.Options{Scheme: w.scheme})
	must(t, err)
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) until(t *testing.T, what func(context.Context) error) {
	t.Helper()
	eventually.Eventually(t, time.Minute, "the stand-in does it", what)
}

func newClaim(name string) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{
		Namespace: "default", Name: name, Labels: map[string]string{"of": "test"},
	}}
}

func newVM(name string, strategy kubevirtv1.VirtualMachineRunStrategy) *kubevirtv1.VirtualMachine {
	vm := &kubevirtv1.VirtualMachine{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
	vm.Spec.RunStrategy = &strategy
	vm.Spec.DataVolumeTemplates = []kubevirtv1.DataVolumeTemplateSpec{
		{ObjectMeta: metav1.ObjectMeta{Name: name + "-root"}},
	}
	vm.Spec.Template = &kubevirtv1.VirtualMachineInstanceTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"of": "test"}},
	}
	nic := kubevirtv1.Interface{Name: "default", MacAddress: "02:00:00:00:00:01"}
	vm.Spec.Template.Spec.Domain.Devices.Interfaces = []kubevirtv1.Interface{nic}
	return vm
}

func ptr[T any](v T) *T { return &v }

// TestFinalizers: what a finalizer holds is marked, and goes with its last finalizer.
func TestFinalizers(t *testing.T) {
	w := newWorld(t)
	held := newClaim("held")
	held.Finalizers = []string{"example.com/held"}
	must(t, w.client.Create(t.Context(), held))
	must(t, w.client.Delete(t.Context(), held))
	must(t, w.client.Get(t.Context(), client.ObjectKeyFromObject(held), held))
	if held.DeletionTimestamp == nil {
		t.Error("an object that is being deleted does not say so")
	}
	before := held.DeepCopy()
	held.Finalizers = nil
	must(t, w.client.Patch(t.Context(), held, client.MergeFrom(before)))
	if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(held), held); !apierrors.IsNotFound(err) {
		t.Errorf("without a finalizer it is still there: %v", err)
	}
}

// TestWatch: a watch begins with what there is and a bookmark, shows what begins and stops being
// chosen, is resumed where it was, and is told when that is too long ago.
func TestWatch(t *testing.T) {
	w := newWorld(t)
	must(t, w.client.Create(t.Context(), newClaim("first")))
	chosen := client.MatchingLabels{"of": "test"}
	list := &corev1.PersistentVolumeClaimList{}
	must(t, w.client.List(t.Context(), list, chosen))
	begun := w.watch(t, chosen, &metav1.ListOptions{SendInitialEvents: ptr(true), AllowWatchBookmarks: true,
		ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan})
	begun.next(t, watch.Added, "first")
	if mark := begun.next(t, watch.Bookmark, ""); mark.GetAnnotations()[metav1.InitialEventsAnnotationKey] != "true" {
		t.Errorf("the bookmark does not end the first events: %v", mark.GetAnnotations())
	}
	must(t, w.client.Create(t.Context(), newClaim("second")))
	begun.next(t, watch.Added, "second")
	patch := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"of":"others"}}}`))
	must(t, w.client.Patch(t.Context(), newClaim("first"), patch))
	begun.next(t, watch.Deleted, "first")
	resumed := w.watch(t, chosen, &metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	resumed.next(t, watch.Added, "second")
	resumed.next(t, watch.Deleted, "first")
	for i := range 2*history + 1 {
		body := fmt.Appendf(nil, `{"metadata":{"labels":{"n":"%d"}}}`, i)
		must(t, w.client.Patch(t.Context(), newClaim("second"), client.RawPatch(types.MergePatchType, body)))
	}
	late := w.watch(t, chosen, &metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	event := <-late.events.ResultChan()
	if err := apierrors.FromObject(event.Object); event.Type != watch.Error || !apierrors.IsResourceExpired(err) {
		t.Errorf("a watch from long ago is told %s %v, want 410 Gone", event.Type, event.Object)
	}
}

type watching struct{ events watch.Interface }

func (w *world) watch(t *testing.T, chosen client.ListOption, raw *metav1.ListOptions) watching {
	t.Helper()
	events, err := w.client.Watch(t.Context(), &corev1.PersistentVolumeClaimList{}, chosen, &client.ListOptions{Raw: raw})
	must(t, err)
	t.Cleanup(events.Stop)
	return watching{events}
}

func (w watching) next(t *testing.T, kind watch.EventType, name string) client.Object {
	t.Helper()
	event := <-w.events.ResultChan()
	object, is := event.Object.(client.Object)
	if !is || event.Type != kind || object.GetName() != name {
		t.Fatalf("the watch shows %s %+v, want %s %s", event.Type, event.Object, kind, name)
	}
	return object
}

// TestReadsThatWantToBeNewer: a restored cluster is known by this answer.
func TestReadsThatWantToBeNewer(t *testing.T) {
	w := newWorld(t)
	namespace := &corev1.Namespace{}
	must(t, w.client.Get(t.Context(), client.ObjectKey{Name: metav1.NamespaceSystem}, namespace))
	if namespace.UID != w.UID() {
		t.Errorf("the cluster's UID is %s, and %s is told", w.UID(), namespace.UID)
	}
	newer := strconv.FormatInt(w.revision()+1000, 10)
	err := w.client.Get(t.Context(), client.ObjectKey{Name: metav1.NamespaceSystem}, namespace,
		&client.GetOptions{Raw: &metav1.GetOptions{ResourceVersion: newer}})
	if !apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge) {
		t.Errorf("a read that wants the future is told %v", err)
	}
}

// TestCache holds that controller-runtime's cache, which the operator has, fills from a stand-in by
// a watch and follows it.
func TestCache(t *testing.T) {
	w := newWorld(t)
	must(t, w.client.Create(t.Context(), newVM("a", kubevirtv1.RunStrategyAlways)))
	cached, err := cache.New(w.config, cache.Options{Scheme: w.scheme})
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- cached.Start(ctx) }()
	defer func() {
		cancel()
		must(t, <-ended)
	}()
	w.runs(t, cached, "a")
	must(t, w.client.Create(t.Context(), newVM("b", kubevirtv1.RunStrategyAlways)))
	w.runs(t, cached, "b")
	must(t, w.client.Delete(t.Context(), newVM("b", kubevirtv1.RunStrategyAlways)))
	w.until(t, func(ctx context.Context) error {
		instances := &kubevirtv1.VirtualMachineInstanceList{}
		if err := cached.List(ctx, instances); err != nil || len(instances.Items) != 1 {
			return fmt.Errorf("%d instances are left of 1: %w", len(instances.Items), err)
		}
		return nil
	})
	calls := w.Calls()
	if calls["list virtualmachines"] != 0 || calls["watch virtualmachines"] != 1 {
		t.Errorf("the cache lists and does not watch: %v", calls)
	}
}

// runs waits until a cache shows that a guest runs, and all that belongs to it.
func (w *world) runs(t *testing.T, cached client.Reader, name string) {
	t.Helper()
	key := client.ObjectKey{Namespace: "default", Name: name}
	w.until(t, func(ctx context.Context) error {
		vm, instance := &kubevirtv1.VirtualMachine{}, &kubevirtv1.VirtualMachineInstance{}
		volume := &cdiv1beta1.DataVolume{}
		for at, object := range map[client.ObjectKey]client.Object{
			key: instance, {Namespace: "default", Name: name + "-root"}: volume,
		} {
			if err := cached.Get(ctx, at, object); err != nil {
				return err
			}
		}
		if err := cached.Get(ctx, key, vm); err != nil {
			return err
		}
		switch {
		case vm.Status.PrintableStatus != kubevirtv1.VirtualMachineStatusRunning:
			return fmt.Errorf("the virtual machine is %s", vm.Status.PrintableStatus)
		case instance.Status.Phase != kubevirtv1.Running || len(instance.Status.Interfaces) != 1 ||
			instance.Status.Interfaces[0].IP == "" || instance.Labels["of"] != "test":
			return fmt.Errorf("the instance is %+v", instance.Status)
		case volume.Status.Phase != cdiv1beta1.Succeeded:
			return fmt.Errorf("the disk is %s", volume.Status.Phase)
		}
		return nil
	})
}

// TestHalting: a guest goes when its VirtualMachine is halted, and comes again.
func TestHalting(t *testing.T) {
	w := newWorld(t)
	must(t, w.client.Create(t.Context(), newVM("a", kubevirtv1.RunStrategyAlways)))
	w.runs(t, w.client, "a")
	for _, strategy := range []kubevirtv1.VirtualMachineRunStrategy{
		kubevirtv1.RunStrategyHalted, kubevirtv1.RunStrategyAlways,
	} {
		want := map[bool]int{true: 1}[strategy == kubevirtv1.RunStrategyAlways]
		patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"spec":{"runStrategy":%q}}`, strategy))
		must(t, w.client.Patch(t.Context(), newVM("a", ""), patch))
		w.until(t, func(context.Context) error {
			if count := w.Count("virtualmachineinstances"); count != want {
				return fmt.Errorf("%s: %d instances, want %d", strategy, count, want)
			}
			return nil
		})
	}
}

// TestSilence: a silent stand-in answers nothing and loses nothing, and another one does not care.
func TestSilence(t *testing.T) {
	w := newWorld(t)
	must(t, w.client.Create(t.Context(), newClaim("early"))) // and the client knows the kind
	w.Silence(true)
	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan error, 1)
	go func() { answered <- w.client.Create(ctx, newClaim("late")) }()
	w.until(t, func(context.Context) error {
		if w.Calls()["create persistentvolumeclaims"] < 2 {
			return fmt.Errorf("nothing was asked")
		}
		return nil
	})
	if count := w.Count("persistentvolumeclaims"); count != 1 {
		t.Errorf("a silent stand-in has done what it was asked: %d claims", count)
	}
	w.Silence(false)
	must(t, <-answered)
	cancel()
	must(t, w.client.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: "late"}, newClaim("")))
}
