package scenarios

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// withBrake are the arguments of an operator with the default brake.
var withBrake = []string{"--deletion-brake=10,30%,5m"}

// maxBeforeBite is how many deletions that brake lets go before it knows how many are wanted.
const maxBeforeBite = 10

// TestBrake deletes a folder of Machines at once: see prune.
func TestBrake(t *testing.T) {
	took := prune(t, "brake", 36, withBrake)
	bare := prune(t, "brake-off", 36, []string{unbraked})
	t.Logf("from the word of a person until all are gone: %s; without a brake: %s (ratio %.2f)", took, bare,
		took.Seconds()/bare.Seconds())
	if took > bare*3/2+2*time.Second {
		t.Errorf("the brake slows a deletion that was confirmed: %s, without it %s", took, bare)
	}
}

// TestLongBrake is the figure of the specification: 300 Machines over 3 clusters.
func TestLongBrake(t *testing.T) {
	took := prune(t, "long-brake", 300, withBrake)
	bare := prune(t, "long-brake-off", 300, []string{unbraked})
	t.Logf("300 Machines, from the word of a person until all are gone: %s; without a brake: %s (ratio %.2f)", took, bare,
		took.Seconds()/bare.Seconds())
}

// prune deletes many Machines at once. With a brake it waits until all that are left are held, kills
// the operator, sees that nothing goes and nothing is asked meanwhile, and lets them go. It returns how
// long it took from the word that lets them go until nothing is left.
func prune(t *testing.T, name string, count int, args []string) (took time.Duration) {
	t.Helper()
	ns := namespace(t, name)
	operator := startWith(t, args)
	defer operator.end(t)
	machines := createRunning(t, ns, count)
	begun, asked, left := time.Now(), callsAbout(t, ns), count
	eachAtOnce(t, machines, func(m *vitistackv1alpha1.Machine) error { return supervisor().Delete(t.Context(), m) })
	if args[0] == withBrake[0] {
		allHeld(t, machines)
		gone := len(vmDeletions(t, ns))
		if gone > maxBeforeBite {
			t.Errorf("%d virtual machines were deleted before the brake bit", gone)
		}
		t.Logf("%d of %d virtual machines were deleted before the brake bit", gone, count)
		deleteAgain(t, machines) // as tools do that prune
		operator.restart(t)
		allHeld(t, machines)
		if left := countMachines(t, ns); left != count-gone {
			t.Errorf("%d Machines are left, %d are held", left, count-gone)
		}
		costsNothing(t, ns, quiet)
		if now := len(vmDeletions(t, ns)); now != gone {
			t.Errorf("%d virtual machines were deleted while they were held", now-gone)
		}
		begun, asked, left = time.Now(), callsAbout(t, ns), count-gone
		confirmNamespace(t, ns, vitistackv1alpha1.AnnotationConfirmDeletion)
	}
	untilGone(t, machines)
	took = time.Since(begun)
	t.Logf("%d Machines went in %s, with %.1f calls each", left, took, float64(callsAbout(t, ns)-asked)/float64(left))
	if left := countVMs(t, ns); left > 0 {
		t.Errorf("%d virtual machines are left", left)
	}
	return took
}

// callsAbout is how often the operator has asked any cluster about a namespace.
func callsAbout(t *testing.T, ns string) (calls int) {
	t.Helper()
	for _, cluster := range world.fleet.Clusters() {
		calls += len(callsIn(t, cluster, func(c call) bool { return c.ObjectRef.Namespace == ns }))
	}
	return calls
}

// deleteAgain deletes what is being deleted already.
func deleteAgain(t *testing.T, machines []*vitistackv1alpha1.Machine) {
	t.Helper()
	eachAtOnce(t, machines, func(m *vitistackv1alpha1.Machine) error {
		return client.IgnoreNotFound(supervisor().Delete(t.Context(), m))
	})
}

func countMachines(t *testing.T, ns string) int {
	t.Helper()
	list := &vitistackv1alpha1.MachineList{}
	if err := supervisor().List(t.Context(), list, client.InNamespace(ns)); err != nil {
		t.Fatal(err)
	}
	return len(list.Items)
}

// quiet is for how long Machines that are held must cost nothing.
const quiet = 15 * time.Second

// costsNothing waits until nothing was asked about a namespace in any cluster for a while. The Event of
// each Machine comes half a minute after the process does.
func costsNothing(t *testing.T, ns string, quiet time.Duration) {
	t.Helper()
	last, since := -1, time.Now()
	eventually(t, patience+4*quiet, func() string {
		if calls := callsAbout(t, ns); calls != last {
			last, since = calls, time.Now()
		}
		if time.Since(since) < quiet {
			return "Machines that are held cost calls"
		}
		return ""
	})
	t.Logf("held for %s: 0 calls in any cluster", quiet)
}

// TestBrakeTrickle deletes one Machine after the other, slower than the operator works, and then their
// namespace. It goes once a person has confirmed each of the Machines that are left.
func TestBrakeTrickle(t *testing.T) {
	ns := namespace(t, "trickle")
	startWith(t, withBrake)
	machines := createRunning(t, ns, 36)
	for _, m := range machines {
		if err := supervisor().Delete(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		select {
		case <-time.After(200 * time.Millisecond): // the person's own pace
		case <-t.Context().Done():
		}
	}
	allHeld(t, machines)
	if gone := len(vmDeletions(t, ns)); gone > maxBeforeBite {
		t.Errorf("%d virtual machines were deleted before the brake bit", gone)
	}
	t.Logf("%d of 36 virtual machines were deleted before the brake bit", len(vmDeletions(t, ns)))
	remove(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})
	for _, m := range machines {
		if notGone(t, m) != "" {
			annotate(t, m, vitistackv1alpha1.AnnotationConfirmDeletion, "true")
		}
	}
	untilGone(t, machines)
}

// TestBrakeKeep restores the folder: a person keeps the virtual machines, the same manifests are
// applied again, and every guest runs on, under the same UID and without a restart.
func TestBrakeKeep(t *testing.T) {
	ns := namespace(t, "kept")
	startWith(t, withBrake)
	machines := createRunning(t, ns, 24)
	before := guests(t, ns)
	eachAtOnce(t, machines, func(m *vitistackv1alpha1.Machine) error { return supervisor().Delete(t.Context(), m) })
	allHeld(t, machines)
	var kept []*vitistackv1alpha1.Machine
	for _, m := range machines {
		if notGone(t, m) != "" {
			kept = append(kept, m)
		}
	}
	if len(kept) < 24-maxBeforeBite {
		t.Fatalf("only %d Machines are held", len(kept))
	}
	for _, m := range kept {
		annotate(t, m, vitistackv1alpha1.AnnotationKeepVM, "true")
	}
	untilGone(t, machines)
	for i, m := range kept {
		config := m.Annotations[vitistackv1alpha1.AnnotationKubevirtConfig]
		manifest := machine(ns, m.Name, config)
		if i%2 == 1 { // one that leaves the choice to the strategies
			manifest.Annotations = nil
		}
		create(t, manifest)
		eventually(t, 2*patience, func() string { return notRunning(t, manifest, config) })
	}
	after := guests(t, ns)
	for _, m := range kept {
		name := "vm-" + m.Name
		if before[name] != after[name] || after[name] == (identity{}) {
			t.Errorf("%s was %v and is %v", name, before[name], after[name])
		}
	}
	book := &corev1.ConfigMap{}
	key := client.ObjectKey{Namespace: fleet.ConfigsNamespace, Name: vitistackv1alpha1.DeletionsConfigMap}
	if err := supervisor().Get(t.Context(), key, book); err != nil {
		t.Fatal(err)
	}
	for entry, text := range book.Data {
		if strings.HasPrefix(entry, vitistackv1alpha1.KeptPrefix) {
			t.Errorf("what was inherited still waits: %s", text)
		}
	}
	tidyUp(t, kept)
}

// tidyUp deletes Machines and lets them go.
func tidyUp(t *testing.T, machines []*vitistackv1alpha1.Machine) {
	t.Helper()
	confirmNamespace(t, machines[0].Namespace, vitistackv1alpha1.AnnotationConfirmDeletion)
	eachAtOnce(t, machines, func(m *vitistackv1alpha1.Machine) error { return supervisor().Delete(t.Context(), m) })
	untilGone(t, machines)
}

// TestBrakeChanges turns off many guests at once.
func TestBrakeChanges(t *testing.T) {
	ns := namespace(t, "halted")
	startWith(t, withBrake)
	machines := createRunning(t, ns, 36)
	halt := func(strategy vitistackv1alpha1.RunStrategy) {
		t.Helper()
		eachAtOnce(t, machines, func(m *vitistackv1alpha1.Machine) error {
			now := read(t, m)
			before := now.DeepCopy()
			now.Spec.RunStrategy = strategy
			return supervisor().Patch(t.Context(), now, client.MergeFrom(before))
		})
	}
	counted := func() (held, stopped int) {
		t.Helper()
		for _, m := range machines {
			now := read(t, m)
			if c := now.Status.Condition(vitistackv1alpha1.ConditionReady); c.Reason == vitistackv1alpha1.ReasonChangeHeld {
				held++
			}
			if now.Status.Phase == vitistackv1alpha1.MachinePhaseStopped {
				stopped++
			}
		}
		return held, stopped
	}
	halt(vitistackv1alpha1.RunStrategyHalted)
	eventually(t, 2*patience, func() string {
		if held, stopped := counted(); held+stopped < len(machines) {
			return fmt.Sprintf("%d are held, %d stopped", held, stopped)
		}
		return ""
	})
	held, stopped := counted()
	t.Logf("%d of %d guests were stopped before the brake bit", stopped, len(machines))
	if stopped > maxBeforeBite || held < len(machines)-maxBeforeBite {
		t.Errorf("%d guests were stopped, %d changes are held", stopped, held)
	}
	confirmNamespace(t, ns, vitistackv1alpha1.AnnotationConfirmChange)
	eventually(t, 2*patience, func() string {
		if held, stopped := counted(); stopped < len(machines) {
			return fmt.Sprintf("%d are held, %d stopped", held, stopped)
		}
		return ""
	})
	tidyUp(t, machines)
}

// identity is what must not change when a virtual machine is inherited.
type identity struct{ vm, instance types.UID }

// guests are the virtual machines of a namespace with their running instances, by name.
func guests(t *testing.T, ns string) map[string]identity {
	t.Helper()
	found := map[string]identity{}
	for cluster, vms := range virtualMachines(t, ns) {
		for _, vm := range vms {
			vmi := &kubevirtv1.VirtualMachineInstance{}
			if err := world.remote[cluster].Get(t.Context(), client.ObjectKeyFromObject(&vm), vmi); err != nil {
				t.Fatal(err)
			}
			found[vm.Name] = identity{vm: vm.UID, instance: vmi.UID}
		}
	}
	return found
}

// createRunning creates Machines in turn for each cluster, and waits until all run.
func createRunning(t *testing.T, ns string, count int) []*vitistackv1alpha1.Machine {
	t.Helper()
	machines := make([]*vitistackv1alpha1.Machine, count)
	for i := range machines {
		machines[i] = machine(ns, fmt.Sprintf("m%03d", i), world.fleet.Remotes[i%len(world.fleet.Remotes)].Name)
	}
	eachAtOnce(t, machines, func(m *vitistackv1alpha1.Machine) error { return supervisor().Create(t.Context(), m) })
	untilEach(t, ns, len(machines), "run", func(m *vitistackv1alpha1.Machine) bool {
		c := m.Status.Condition(vitistackv1alpha1.ConditionReady)
		return c != nil && c.Status == "True"
	})
	return machines
}

// allHeld waits until every Machine that is left is held.
func allHeld(t *testing.T, machines []*vitistackv1alpha1.Machine) {
	t.Helper()
	untilEach(t, machines[0].Namespace, 1, "are held", func(m *vitistackv1alpha1.Machine) bool {
		c := m.Status.Condition(vitistackv1alpha1.ConditionDeletionHeld)
		return c != nil && c.Status == "True"
	})
}

// untilEach waits until there are some Machines in a namespace, and all of them are so.
func untilEach(t *testing.T, ns string, least int, what string, is func(*vitistackv1alpha1.Machine) bool) {
	t.Helper()
	eventually(t, 5*patience, func() string {
		list := &vitistackv1alpha1.MachineList{}
		if err := supervisor().List(t.Context(), list, client.InNamespace(ns)); err != nil {
			t.Fatal(err)
		}
		so := 0
		for i := range list.Items {
			if is(&list.Items[i]) {
				so++
			}
		}
		if len(list.Items) < least || so < len(list.Items) {
			return fmt.Sprintf("%d of %d Machines %s", so, len(list.Items), what)
		}
		return ""
	})
}

func untilGone(t *testing.T, machines []*vitistackv1alpha1.Machine) {
	t.Helper()
	eventually(t, 5*patience, func() string {
		list := &vitistackv1alpha1.MachineList{}
		if err := supervisor().List(t.Context(), list, client.InNamespace(machines[0].Namespace)); err != nil {
			t.Fatal(err)
		}
		if len(list.Items) > 0 {
			c := list.Items[0].Status.Condition(vitistackv1alpha1.ConditionReady)
			return fmt.Sprintf("%d Machines are left: %s", len(list.Items), c.Message)
		}
		return ""
	})
}

// eachAtOnce does something with all Machines, sixteen at a time.
func eachAtOnce(
	t *testing.T, machines []*vitistackv1alpha1.Machine, do func(*vitistackv1alpha1.Machine) error,
) {
	t.Helper()
	var working sync.WaitGroup
	for worker := range 16 {
		working.Go(func() {
			for i := worker; i < len(machines); i += 16 {
				if err := do(machines[i]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	working.Wait()
}

// vmDeletions are the operator's deletions of virtual machines of a namespace, by the audit logs.
func vmDeletions(t *testing.T, ns string) (all []string) {
	t.Helper()
	for _, remote := range world.fleet.Remotes {
		all = append(all, callsIn(t, remote, func(c call) bool {
			return c.Verb == "delete" && c.ObjectRef.Resource == "virtualmachines" && c.ObjectRef.Namespace == ns
		})...)
	}
	return all
}

// confirmNamespace lets the Machines of a namespace go for an hour.
func confirmNamespace(t *testing.T, ns, annotation string) {
	t.Helper()
	read := &corev1.Namespace{}
	if err := supervisor().Get(t.Context(), client.ObjectKey{Name: ns}, read); err != nil {
		t.Fatal(err)
	}
	before := read.DeepCopy()
	if read.Annotations == nil {
		read.Annotations = map[string]string{}
	}
	read.Annotations[annotation] = time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	if err := supervisor().Patch(t.Context(), read, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}
