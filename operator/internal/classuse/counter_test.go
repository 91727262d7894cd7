package classuse

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

func class(name string, cores int64, change func(*vitistackv1alpha1.MachineClass)) *vitistackv1alpha1.MachineClass {
	c := &vitistackv1alpha1.MachineClass{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}}
	c.Spec.CPU.Cores = cores
	c.Spec.Memory.Quantity.Set(cores << 30)
	if change != nil {
		change(c)
	}
	return c
}

// sized is a Machine that asks for a class, and has this many processors and GiB.
func sized(name, class string, cores int) *vitistackv1alpha1.Machine {
	m := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
	m.Spec.InstanceType = class
	m.Status.CPUs, m.Status.Memory = cores, int64(cores)<<30
	return m
}

// world counts writes, and may prune the numbers.
type world struct {
	client.WithWatch
	clock   *clocktesting.FakePassiveClock
	counter *Counter
	writes  int
	prunes  bool
}

func newWorld(objects ...client.Object) *world {
	scheme := runtime.NewScheme()
	if err := vitistackv1alpha1.AddToScheme(scheme); err != nil {
		panic(err)
	}
	w := &world{clock: clocktesting.NewFakePassiveClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))}
	w.WithWatch = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithStatusSubresource(&vitistackv1alpha1.MachineClass{}, &vitistackv1alpha1.Machine{}).Build()
	for _, object := range objects {
		if m, isMachine := object.(*vitistackv1alpha1.Machine); isMachine {
			if err := w.Status().Update(context.Background(), m); err != nil {
				panic(err)
			}
		}
	}
	cached := interceptor.NewClient(w.WithWatch, interceptor.Funcs{SubResourcePatch: w.patch})
	w.counter = New(cached, Options{Clock: w.clock})
	w.counter.machines = w.WithWatch
	return w
}

func (w *world) patch(
	ctx context.Context, c client.Client, sub string, object client.Object, patch client.Patch,
	options ...client.SubResourcePatchOption,
) error {
	w.writes++
	if class := object.(*vitistackv1alpha1.MachineClass); w.prunes {
		class.Status.Machines, class.Status.Outdated = nil, nil
		return nil
	}
	return c.SubResource(sub).Patch(ctx, object, patch, options...)
}

// count counts once and returns what the classes tell.
func (w *world) count(t *testing.T) map[string]string {
	t.Helper()
	w.clock.SetTime(w.clock.Now().Add(interval))
	if _, err := w.counter.Reconcile(t.Context(), ctrl.Request{}); err != nil {
		t.Fatal(err)
	}
	classes := &vitistackv1alpha1.MachineClassList{}
	if err := w.List(t.Context(), classes); err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for i := range classes.Items {
		if u, known := of(&classes.Items[i]); known {
			told[classes.Items[i].Name] = fmt.Sprintf("%d of %d", u.outdated, u.machines)
		}
	}
	return told
}

// TestCount: a class that is edited tells how many Machines differ from it, and nothing is written where
// no number changes.
func TestCount(t *testing.T) {
	instancetype := sized("by-the-cluster", "web", 7)
	instancetype.Annotations = map[string]string{vitistackv1alpha1.AnnotationInstancetype: "u1.large"}
	own := sized("own-size", "web", 3)
	own.Spec.CPU.Cores, own.Spec.Memory = 3, 3<<30
	objects := []client.Object{
		class("web", 2, nil), class("usual", 1, func(c *vitistackv1alpha1.MachineClass) { c.Spec.Default = true }),
		class("unused", 1, nil),
		sized("a", "web", 2), sized("b", "web", 2), sized("unknown", "web", 0), sized("none", "", 4), sized("built-in", "small", 9),
		instancetype, own,
	}
	w := newWorld(objects...)
	want := map[string]string{"web": "0 of 4", "usual": "1 of 1", "unused": "0 of 0"}
	if diff := cmp.Diff(want, w.count(t)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	web := &vitistackv1alpha1.MachineClass{}
	if err := w.Get(t.Context(), client.ObjectKey{Name: "web"}, web); err != nil {
		t.Fatal(err)
	}
	before := web.DeepCopy()
	web.Spec.CPU.Cores = 4
	if err := w.Patch(t.Context(), web, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	writes := w.writes
	want["web"] = "2 of 4"
	if diff := cmp.Diff(want, w.count(t)); diff != "" {
		t.Errorf("after the class was edited: -want +got:\n%s", diff)
	}
	w.count(t)
	if w.writes != writes+1 {
		t.Errorf("%d writes for one number that changed", w.writes-writes)
	}
	result, err := w.counter.Reconcile(t.Context(), ctrl.Request{})
	if err != nil || result.RequeueAfter != interval {
		t.Errorf("a second count at once: %+v, %v", result, err)
	}
}

// TestPruned: a definition that does not keep the numbers is written to once.
func TestPruned(t *testing.T) {
	w := newWorld(class("web", 2, nil), sized("a", "web", 2))
	w.prunes = true
	w.count(t)
	w.count(t)
	if w.writes != 1 {
		t.Errorf("%d writes of what is not kept", w.writes)
	}
}
