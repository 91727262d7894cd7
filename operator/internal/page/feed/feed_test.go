package feed

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	fcache "k8s.io/client-go/tools/cache/testing"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/view"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// caches are real informers on sources that a test fills.
type caches struct {
	t                *testing.T
	configs, sources *fcache.FakeControllerSource
	informers        map[string]toolscache.SharedIndexInformer
}

func newCaches(t *testing.T) *caches {
	t.Helper()
	c := &caches{t: t, configs: fcache.NewFakeControllerSource(), sources: fcache.NewFakeControllerSource()}
	c.informers = map[string]toolscache.SharedIndexInformer{
		"config":  toolscache.NewSharedIndexInformer(c.configs, &vitistackv1alpha1.KubevirtConfig{}, 0, nil),
		"machine": toolscache.NewSharedIndexInformer(c.sources, &vitistackv1alpha1.Machine{}, 0, nil),
	}
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	for _, informer := range c.informers {
		go informer.RunWithContext(ctx)
		if !toolscache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
			t.Fatal("an informer does not fill")
		}
	}
	return c
}

func (c *caches) GetInformer(
	_ context.Context, object client.Object, _ ...cache.InformerGetOption,
) (cache.Informer, error) {
	if _, is := object.(*vitistackv1alpha1.Machine); is {
		return c.informers["machine"], nil
	}
	return c.informers["config"], nil
}

func (c *caches) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return errors.New("nobody reads one object")
}

func (c *caches) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	switch list := list.(type) {
	case *vitistackv1alpha1.MachineList:
		for _, object := range c.informers["machine"].GetStore().List() {
			list.Items = append(list.Items, *object.(*vitistackv1alpha1.Machine))
		}
	case *vitistackv1alpha1.KubevirtConfigList:
		for _, object := range c.informers["config"].GetStore().List() {
			list.Items = append(list.Items, *object.(*vitistackv1alpha1.KubevirtConfig))
		}
	}
	return nil
}

// add adds a Machine, and waits until the informer has it.
func (c *caches) add(name string) *vitistackv1alpha1.Machine {
	c.t.Helper()
	machine := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "blue", Name: name}}
	c.sources.Add(machine.DeepCopy()) // the source changes what it is given
	c.until(machine)
	return machine
}

func (c *caches) until(machine *vitistackv1alpha1.Machine) {
	c.t.Helper()
	eventually.Eventually(c.t, 30*time.Second, "the informer has it", eventually.True(func() bool {
		held, found, err := c.informers["machine"].GetStore().Get(machine)
		return err == nil && found && held.(*vitistackv1alpha1.Machine).Status.Phase == machine.Status.Phase
	}))
}

// modify changes the phase of a Machine.
func (c *caches) modify(
	machine *vitistackv1alpha1.Machine, phase vitistackv1alpha1.MachinePhase,
) *vitistackv1alpha1.Machine {
	after := machine.DeepCopy()
	after.Status.Phase = phase
	c.sources.Modify(after.DeepCopy())
	return after
}

func mustListen(t *testing.T, f *Feed) *Listener {
	t.Helper()
	l, err := f.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func nextBatch(t *testing.T, l *Listener) Batch {
	t.Helper()
	select {
	case batch, open := <-l.Batches():
		if !open {
			t.Fatal("the listener was dropped")
		}
		return batch
	case <-time.After(30 * time.Second):
		t.Fatal("no batch within 30 s")
		return Batch{}
	}
}

// TestChangesAlone: a listener gets all rows first and then those that changed, once.
func TestChangesAlone(t *testing.T) {
	c := newCaches(t)
	web := c.add("web")
	for i := range 200 {
		c.add(fmt.Sprintf("other-%d", i))
	}
	f := New(c, Options{Pause: time.Millisecond})
	l := mustListen(t, f)
	if got := len(l.First().Machines); got != 201 {
		t.Fatalf("%d Machines at first", got)
	}
	web = c.modify(web, vitistackv1alpha1.MachinePhaseRunning)
	batch := nextBatch(t, l)
	if len(batch.Machines) != 1 || batch.Machines[0].Name != "web" || batch.Machines[0].Phase != "Running" {
		t.Errorf("the batch is %+v", batch)
	}
	if len(batch.Changes) != 1 || batch.Changes[0].Before != "Pending" || batch.Changes[0].Now != "Running" {
		t.Errorf("the history gets %+v", batch.Changes)
	}
	labelled := web.DeepCopy()
	labelled.Labels = map[string]string{"nobody": "sees"} // changes nothing that is shown
	c.sources.Modify(labelled.DeepCopy())
	c.sources.Delete(labelled.DeepCopy())
	for batch = nextBatch(t, l); len(batch.GoneMachines) == 0; batch = nextBatch(t, l) {
		t.Errorf("what is not shown is told: %+v", batch)
	}
	if late := mustListen(t, f); len(late.First().Machines) != 200 || len(late.First().Seen) != 2 {
		t.Errorf("who comes later gets %d Machines and %+v", len(late.First().Machines), late.First().Seen)
	}
}

// TestSlowListener: one that takes nothing is dropped, and nobody waits for it.
func TestSlowListener(t *testing.T) {
	c := newCaches(t)
	web := c.add("web")
	f := New(c, Options{Pause: time.Millisecond, MaxBatches: 1})
	slow, quick := mustListen(t, f), mustListen(t, f)
	for i := range 5 {
		web = c.modify(web, vitistackv1alpha1.MachinePhase(fmt.Sprint("Phase", i)))
		if batch := nextBatch(t, quick); batch.Machines[0].Phase != string(web.Status.Phase) {
			t.Fatalf("the quick one gets %+v", batch)
		}
	}
	first, open := <-slow.Batches()
	if !open || first.Machines[0].Phase != "Phase0" {
		t.Errorf("the slow one gets %+v", first)
	}
	if again, open := <-slow.Batches(); open {
		t.Errorf("the slow one goes on with %+v", again)
	}
}

// TestAtRest: without a listener no change is looked at, and nothing runs.
func TestAtRest(t *testing.T) {
	c := newCaches(t)
	web := c.add("web")
	looked := 0
	f := New(c, Options{Pause: time.Millisecond, Machine: func(*vitistackv1alpha1.Machine) bool { looked++; return true }})
	atRest := runtime.NumGoroutine()
	for i := range 100 {
		web = c.modify(web, vitistackv1alpha1.MachinePhase(fmt.Sprint("Phase", i)))
	}
	c.until(web)
	if looked != 0 || runtime.NumGoroutine() > atRest {
		t.Errorf("%d changes were looked at, %d goroutines, before %d", looked, runtime.NumGoroutine(), atRest)
	}
	for range 3 {
		l, err := f.Listen(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		web = c.modify(web, web.Status.Phase+"x")
		nextBatch(t, l)
		l.Close()
		l.Close()
	}
	looked = 0 // nobody runs any more that could look
	for i := range 100 {
		web = c.modify(web, vitistackv1alpha1.MachinePhase(fmt.Sprint("Again", i)))
	}
	c.until(web)
	eventually.Eventually(t, 30*time.Second, "everything has ended", eventually.True(func() bool {
		return runtime.NumGoroutine() <= atRest
	}))
	if looked != 0 {
		t.Errorf("after the last one left %d changes were looked at", looked)
	}
}

// TestHistoryIsBounded: however much happens while somebody listens, little is remembered.
func TestHistoryIsBounded(t *testing.T) {
	r := newRun(New(newCaches(t), Options{}))
	for i := range 3 * maxSeen {
		r.news.put(&vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "blue", Name: fmt.Sprint(i)}}, false)
		r.flush(&Batch{})
	}
	if len(r.seen) != maxSeen || r.seen[maxSeen-1].Name != fmt.Sprint(3*maxSeen-1) {
		t.Errorf("%d changes are remembered, the last is %+v", len(r.seen), r.seen[len(r.seen)-1])
	}
}

// TestOtherNamespace: a KubevirtConfig of the same name elsewhere is not the one that is shown.
func TestOtherNamespace(t *testing.T) {
	c := newCaches(t)
	counts := func(config *vitistackv1alpha1.KubevirtConfig) bool { return config.Namespace == "configs" }
	f := New(c, Options{Pause: time.Millisecond, Config: counts,
		Vitals: func(string) view.Vitals { return view.Vitals{NoRoom: "nobody asked"} }})
	l := mustListen(t, f)
	east := &vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "configs", Name: "east"}}
	c.configs.Add(east.DeepCopy())
	if batch := nextBatch(t, l); len(batch.Clusters) != 1 || batch.Clusters[0].Vitals.NoRoom == "" {
		t.Errorf("the batch is %+v", batch)
	}
	other := &vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "elsewhere", Name: "east"}}
	c.configs.Add(other.DeepCopy())
	c.configs.Delete(other.DeepCopy())
	c.configs.Delete(east.DeepCopy())
	if batch := nextBatch(t, l); len(batch.GoneClusters) != 1 || len(batch.Clusters) != 0 {
		t.Errorf("the batch is %+v", batch)
	}
}
