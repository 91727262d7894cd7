package journeys

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// TestLongDrain empties a cluster of 50 Machines, eight at a time, while 50 others are created:
// nothing fails, the others do not wait, and the supervisor is not written to for ever.
func TestLongDrain(t *testing.T) {
	const guests, inFlight = 50, 8
	observe(t)
	label := map[string]string{"drain": "fifty"}
	var all []*traveller
	var namespaces []string
	for i := range guests {
		g := &traveller{t: t, key: client.ObjectKey{Namespace: fmt.Sprintf("fifty-%02d", i), Name: fmt.Sprintf("fifty-%02d", i)},
			marks: map[string]string{}}
		g.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: g.key.Namespace}})
		m := small(g.key, east)
		m.Labels = label
		g.create(m)
		all, namespaces = append(all, g), append(namespaces, g.key.Namespace)
	}
	for _, g := range all {
		g.runsIn(east)
		g.write(east, "before the drain")
	}
	quiet := createdIn(t, "quiet", guests)
	since := time.Now()
	evacuation := &vitistackv1alpha1.Evacuation{ObjectMeta: metav1.ObjectMeta{Namespace: fleet.ConfigsNamespace, Name: "fifty"}}
	evacuation.Spec = vitistackv1alpha1.EvacuationSpec{Config: east, MaxInFlight: inFlight,
		Selector: &metav1.LabelSelector{MatchLabels: label}}
	all[0].create(evacuation)
	busy := createdIn(t, "busy", guests)
	eventually.Eventually(t, 20*time.Minute, "the cluster is empty", func(ctx context.Context) error {
		if err := world.supervisor.Get(ctx, client.ObjectKeyFromObject(evacuation), evacuation); err != nil {
			return err
		}
		if evacuation.Status.Phase != vitistackv1alpha1.EvacuationSucceeded {
			return fmt.Errorf("%+v", evacuation.Status)
		}
		return nil
	})
	took := time.Since(since)
	for _, g := range all {
		ledger, err := vitistackv1alpha1.LedgerOf(g.machine())
		if err != nil || ledger.Config == east {
			t.Fatalf("%s is in %s, %v", g.key, ledger.Config, err)
		}
		g.runsIn(ledger.Config)
		g.reads(ledger.Config)
		g.gone(east)
	}
	calls := ownWrites(t, since, namespaces...)
	written := len(calls)
	t.Logf("writes:\n%s", audit.By(calls, func(c audit.Call) string { return fmt.Sprint(c.Verb, " ", c.Kind(), " ", c.Code) }))
	t.Logf("%d Machines, %d at once, in %s; %.1f writes to the supervisor a Machine; creation of %d others: "+
		"median %s before, %s meanwhile: %.2f times; the same calls by hand: %s before, %s meanwhile: %.2f times",
		guests, inFlight, took.Round(time.Second), float64(written)/guests, guests,
		quiet.operator, busy.operator, busy.operator.Seconds()/quiet.operator.Seconds(),
		quiet.byHand, busy.byHand, busy.byHand.Seconds()/quiet.byHand.Seconds())
	if written > guests*mostSupervisorWrites {
		t.Errorf("%d writes to the supervisor", written)
	}
}

func small(key client.ObjectKey, cluster string) *vitistackv1alpha1.Machine {
	return &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name,
			Annotations: map[string]string{vitistackv1alpha1.AnnotationKubevirtConfig: cluster}},
		Spec: vitistackv1alpha1.MachineSpec{Provider: "kubevirt", InstanceType: "small",
			Disks: []vitistackv1alpha1.MachineSpecDisk{{Name: "root", SizeGB: 10, Boot: true}}},
	}
}

// pace is how long creations take: the operator's, from a Machine until its virtual machine exists, and
// those of a loop by hand, which makes the same calls and looks at nothing. Both are medians.
type pace struct{ operator, byHand time.Duration }

// createdIn creates Machines one after the other, a fifth of a second apart, in two clusters, and makes
// the same calls by hand beside each.
func createdIn(t *testing.T, namespace string, count int) pace {
	t.Helper()
	g := &traveller{t: t}
	hand := namespace + "-by-hand"
	for _, name := range []string{namespace, hand} {
		g.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	for _, cluster := range []string{west, north} {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: hand}}
		if err := world.remote[cluster].Create(t.Context(), namespace); err != nil {
			t.Fatal(err)
		}
	}
	operators, byHand := make([]time.Duration, count), make([]time.Duration, count)
	var waiting sync.WaitGroup
	for i := range count {
		cluster := []string{west, north}[i%2]
		key := client.ObjectKey{Namespace: namespace, Name: fmt.Sprintf("m%02d", i)}
		g.create(small(key, cluster))
		begun := time.Now()
		waiting.Go(func() {
			vm := client.ObjectKey{Namespace: namespace, Name: "vm-" + key.Name}
			err := wait.PollUntilContextTimeout(t.Context(), 5*time.Millisecond, patience, true,
				func(ctx context.Context) (bool, error) {
					return world.remote[cluster].Get(ctx, vm, &kubevirtv1.VirtualMachine{}) == nil, nil
				})
			if operators[i] = time.Since(begun); err != nil {
				t.Errorf("%s has no virtual machine: %v", key, err)
			}
		})
		waiting.Go(func() { byHand[i] = createByHand(t, cluster, client.ObjectKey{Namespace: hand, Name: key.Name}) })
		time.Sleep(200 * time.Millisecond)
	}
	waiting.Wait()
	return pace{operator: median(operators), byHand: median(byHand)}
}

// createByHand writes twice to the supervisor and once to a remote, as a creation does, and returns how
// long that takes.
func createByHand(t *testing.T, cluster string, key client.ObjectKey) time.Duration {
	t.Helper()
	begun := time.Now()
	record := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	if err := world.supervisor.Create(t.Context(), record); err != nil {
		t.Error(err)
	}
	before := record.DeepCopy()
	record.Data = map[string]string{"config": cluster}
	if err := world.supervisor.Patch(t.Context(), record, client.MergeFrom(before)); err != nil {
		t.Error(err)
	}
	if err := world.remote[cluster].Create(t.Context(), halted(key)); err != nil {
		t.Error(err)
	}
	return time.Since(begun)
}

// halted is a virtual machine that never runs.
func halted(key client.ObjectKey) *kubevirtv1.VirtualMachine {
	strategy := kubevirtv1.RunStrategyHalted
	vm := &kubevirtv1.VirtualMachine{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	vm.Spec.RunStrategy, vm.Spec.Template = &strategy, &kubevirtv1.VirtualMachineInstanceTemplateSpec{}
	vm.Spec.Template.Spec.Domain.Resources.Requests = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}
	return vm
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2].Round(time.Millisecond)
}
