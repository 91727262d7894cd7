package journeys

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	t.Logf("%d Machines, %d at once, in %s; %.1f writes to the supervisor a Machine; creation of %d others: median %s before, %s meanwhile: %.2f times",
		guests, inFlight, took.Round(time.Second), float64(written)/guests, guests, quiet, busy,
		busy.Seconds()/quiet.Seconds())
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

// createdIn creates Machines one after the other, a fifth of a second apart, in two clusters, and
// returns the median of the times until the virtual machine of each exists.
func createdIn(t *testing.T, namespace string, count int) time.Duration {
	t.Helper()
	g := &traveller{t: t}
	g.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	times := make([]time.Duration, count)
	var waiting sync.WaitGroup
	for i := range count {
		cluster := []string{west, north}[i%2]
		key := client.ObjectKey{Namespace: namespace, Name: fmt.Sprintf("m%02d", i)}
		g.create(small(key, cluster))
		begun := time.Now()
		waiting.Go(func() {
			for time.Since(begun) < patience {
				vm := &kubevirtv1.VirtualMachine{}
				if world.remote[cluster].Get(context.Background(), client.ObjectKey{Namespace: namespace, Name: "vm-" + key.Name}, vm) == nil {
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
			times[i] = time.Since(begun)
		})
		time.Sleep(200 * time.Millisecond)
	}
	waiting.Wait()
	slices.Sort(times)
	return times[count/2].Round(time.Millisecond)
}
