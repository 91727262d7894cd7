package onfleet

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/observer"
)

// stage is a namespace in all clusters, and an observer who has seen nothing yet.
type stage struct {
	t         *testing.T
	namespace string
	observer  *observer.Observer
}

func enter(t *testing.T, options observer.Options) *stage {
	t.Helper()
	s := &stage{t: t, namespace: notInNames.ReplaceAllString(strings.ToLower(t.Name()), "-")}
	for name := range world.person {
		s.create(name, world.person, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}})
	}
	o, err := observer.New(t.Context(), world.fleet, options)
	if err != nil {
		t.Fatal(err)
	}
	s.observer = o
	t.Cleanup(func() {
		o.Close()
		s.leave()
	})
	return s
}

// notInNames is what a namespace's name must not have.
var notInNames = regexp.MustCompile("[^a-z0-9]+")

// leave clears the stage: the next observer would find the same.
func (s *stage) leave() {
	s.t.Helper()
	ctx, end := context.WithTimeout(context.Background(), patience)
	defer end()
	if err := world.person[fleet.Supervisor].DeleteAllOf(ctx, &vitistackv1alpha1.Machine{},
		client.InNamespace(s.namespace)); err != nil {
		s.t.Error(err)
	}
	for _, remote := range []string{east, west} {
		c := world.person[remote]
		if err := c.DeleteAllOf(ctx, &kubevirtv1.VirtualMachine{}, client.InNamespace(s.namespace)); err != nil {
			s.t.Error(err)
		}
		if err := s.none(ctx, remote); err != nil {
			s.t.Errorf("%s still has instances: %v", remote, err)
		}
	}
}

// none waits until a cluster has no instances of the stage.
func (s *stage) none(ctx context.Context, cluster string) error {
	return wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		left := &kubevirtv1.VirtualMachineInstanceList{}
		err := world.person[cluster].List(ctx, left, client.InNamespace(s.namespace))
		return err == nil && len(left.Items) == 0, nil
	})
}

func (s *stage) create(cluster string, as map[string]client.Client, object client.Object) {
	s.t.Helper()
	if err := as[cluster].Create(s.t.Context(), object); err != nil {
		s.t.Fatalf("creating %T %s in %s: %v", object, object.GetName(), cluster, err)
	}
}

// machine makes a Machine, and what a good operator does for it: the record, the VirtualMachine and
// a status that says so.
func (s *stage) machine(name, cluster string) (*vitistackv1alpha1.Machine, *kubevirtv1.VirtualMachine) {
	s.t.Helper()
	m := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name}}
	s.create(fleet.Supervisor, world.person, m)
	ledger := vitistackv1alpha1.Ledger{Config: cluster, ClusterUID: world.identity[cluster], Namespace: s.namespace,
		VMName: "vm-" + name, Nonce: "n1"}
	s.write(m, ledger)
	vm := s.vm(m, name)
	s.create(cluster, world.operator, vm)
	ledger.VMUID = string(vm.UID)
	s.write(m, ledger)
	s.ready(m)
	return m, vm
}

// vm is a VirtualMachine of a Machine that is not made yet.
func (s *stage) vm(m *vitistackv1alpha1.Machine, name string) *kubevirtv1.VirtualMachine {
	labels := map[string]string{vitistackv1alpha1.LabelMachineUID: string(m.UID)}
	return &kubevirtv1.VirtualMachine{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "vm-" + name, Labels: labels},
		Spec: kubevirtv1.VirtualMachineSpec{
			RunStrategy: ptr.To(kubevirtv1.RunStrategyAlways),
			Template: &kubevirtv1.VirtualMachineInstanceTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: kubevirtv1.VirtualMachineInstanceSpec{Domain: kubevirtv1.DomainSpec{
					CPU: &kubevirtv1.CPU{Cores: 2}, Devices: kubevirtv1.Devices{},
				}},
			},
		},
	}
}

// write writes a record as the operator does.
func (s *stage) write(m *vitistackv1alpha1.Machine, ledger vitistackv1alpha1.Ledger) {
	s.t.Helper()
	before := m.DeepCopy()
	metav1.SetMetaDataAnnotation(&m.ObjectMeta, vitistackv1alpha1.AnnotationPlacement, ledger.String())
	if err := world.operator[fleet.Supervisor].Patch(s.t.Context(), m, client.MergeFrom(before)); err != nil {
		s.t.Fatal(err)
	}
}

// ready says that a Machine is as it asks.
func (s *stage) ready(m *vitistackv1alpha1.Machine) {
	s.t.Helper()
	before := m.DeepCopy()
	m.Status.ObservedGeneration = m.Generation
	m.Status.Conditions = []vitistackv1alpha1.MachineCondition{{Type: vitistackv1alpha1.ConditionReady, Status: "True",
		Reason: vitistackv1alpha1.ReasonReady, LastTransitionTime: metav1.Now()}}
	if err := world.operator[fleet.Supervisor].Status().Patch(s.t.Context(), m, client.MergeFrom(before)); err != nil {
		s.t.Fatal(err)
	}
}

// finds checks until the observer has found a violation of an invariant that is about an object, and
// holds that it found nothing else but what is named too.
func (s *stage) finds(invariant, object string, beside ...string) {
	s.t.Helper()
	var all []observer.Violation
	eventually.Eventually(s.t, patience, invariant+" about "+object, func(ctx context.Context) error {
		found, err := s.observer.Check(ctx)
		all = append(all, found...)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(all, func(v observer.Violation) bool {
			return v.Invariant == invariant && strings.Contains(v.Object, object)
		}) {
			return fmt.Errorf("found: %v", all)
		}
		return nil
	})
	for _, v := range all {
		if v.Invariant != invariant && !slices.Contains(beside, v.Invariant) {
			s.t.Errorf("beside it: %s", v)
		}
	}
}

// innocent holds that the observer finds nothing but what is named, once everything that was done could
// be judged.
func (s *stage) innocent(but ...string) {
	s.t.Helper()
	found, err := s.observer.Last(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, v := range found {
		if !slices.Contains(but, v.Invariant) {
			s.t.Errorf("nobody did anything wrong: %s", v)
		}
	}
}

// TestInnocent: a person with the operator's user does what a good operator does, and nothing is
// found, while API servers are killed, frozen and restored.
func TestInnocent(t *testing.T) {
	s := enter(t, observer.Options{Skew: 300 * time.Millisecond})
	s.machine("web", east)
	s.machine("db", west)
	s.innocent()
	cluster, err := world.fleet.Cluster(east)
	if err != nil {
		t.Fatal(err)
	}
	if err := cluster.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Launch(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.machine("late", east)
	s.innocent()
}

// TestRestoredCluster: what a restored etcd brings back is nobody's fault: neither the VirtualMachine
// of a Machine that was deleted since, nor the second guest of one that went elsewhere.
func TestRestoredCluster(t *testing.T) {
	s := enter(t, observer.Options{Skew: 300 * time.Millisecond, Quiet: time.Second})
	gone, goneVM := s.machine("gone", east)
	away, awayVM := s.machine("away", east)
	cluster, err := world.fleet.Cluster(east)
	if err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(t.TempDir(), "east.db")
	if err := cluster.Snapshot(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	s.delete(east, goneVM)
	if err := world.person[fleet.Supervisor].Delete(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	s.delete(east, awayVM)
	if err := s.none(t.Context(), east); err != nil {
		t.Fatal(err)
	}
	second := s.away(away)
	s.innocent("I10") // nobody made a record of a move
	if err := cluster.Restore(t.Context(), backup, controlplane.RestoreOptions{BumpRevision: true}); err != nil {
		t.Fatal(err)
	}
	s.innocent()
	for _, v := range s.observer.Converged(t.Context(), patience) {
		t.Errorf("it was brought back: %s", v)
	}
	s.delete(west, second)
}

// away makes a VirtualMachine of a Machine in west, and records it there.
func (s *stage) away(m *vitistackv1alpha1.Machine) *kubevirtv1.VirtualMachine {
	s.t.Helper()
	ledger := vitistackv1alpha1.Ledger{Config: west, ClusterUID: world.identity[west], Namespace: s.namespace,
		VMName: "vm-" + m.Name, Nonce: "n2"}
	s.write(m, ledger)
	vm := s.vm(m, m.Name)
	s.create(west, world.operator, vm)
	ledger.VMUID = string(vm.UID)
	s.write(m, ledger)
	s.ready(m)
	return vm
}

// TestForbidden: a person with the operator's user does what the operator must never do, and the
// observer names it.
func TestForbidden(t *testing.T) {
	for name, c := range map[string]struct {
		reason    string
		do        func(s *stage)
		invariant string
		object    string
		beside    []string
	}{
		"a second guest": {
			reason: "a Machine that runs in east is made once more in west, where even the record names it by now",
			do: func(s *stage) {
				m, _ := s.machine("web", east)
				s.write(m, vitistackv1alpha1.Ledger{Config: west, ClusterUID: world.identity[west],
					Namespace: s.namespace, VMName: "vm-web", Nonce: "n2"})
				s.create(west, world.operator, s.vm(m, "web"))
			},
			invariant: "I1", object: "/web", beside: []string{"I10"},
		},
		"a VirtualMachine without a record": {
			reason: "the Machine is recorded in east, and the VirtualMachine is made under another name",
			do: func(s *stage) {
				m, _ := s.machine("web", east)
				other := s.vm(m, "other")
				other.Spec.RunStrategy = ptr.To(kubevirtv1.RunStrategyHalted)
				s.create(east, world.operator, other)
			},
			invariant: "I2", object: "vm-other",
		},
		"a person's clone is deleted": {
			reason: "a clone carries all labels of the Machine and is its maker's",
			do: func(s *stage) {
				m, _ := s.machine("web", east)
				clone := s.vm(m, "clone")
				s.create(east, world.person, clone)
				s.delete(east, clone)
			},
			invariant: "I2", object: "vm-clone",
		},
		"in bulk": {
			reason: "whatever it hits, a deletion in bulk names nothing by UID",
			do: func(s *stage) {
				if err := world.operator[east].DeleteAllOf(s.t.Context(), &kubevirtv1.VirtualMachine{},
					client.InNamespace(s.namespace)); err != nil {
					s.t.Fatal(err)
				}
			},
			invariant: "I2", object: "virtualmachines",
		},
		"a loop": {
			reason: "one Machine is asked for again and again",
			do: func(s *stage) {
				m, _ := s.machine("web", east)
				for range 60 {
					if err := world.operator[fleet.Supervisor].Get(s.t.Context(), client.ObjectKeyFromObject(m), m); err != nil {
						s.t.Fatal(err)
					}
				}
			},
			invariant: observer.Loop, object: "/web",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := enter(t, observer.Options{Skew: 300 * time.Millisecond, CallsPerMinute: 50})
			c.do(s)
			s.finds(c.invariant, c.object, c.beside...)
		})
	}
}

func (s *stage) delete(cluster string, object client.Object) {
	s.t.Helper()
	if err := world.operator[cluster].Delete(s.t.Context(), object); err != nil {
		s.t.Fatal(err)
	}
}

// TestNeverConverges: what is left undone is named, and only that.
func TestNeverConverges(t *testing.T) {
	s := enter(t, observer.Options{Skew: 300 * time.Millisecond, Quiet: time.Second})
	s.machine("web", east)
	if found := s.observer.Converged(t.Context(), patience); len(found) > 0 {
		t.Fatalf("a good Machine alone: %v", found)
	}
	m, vm := s.machine("gone", west)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "gone-cloud-init",
		Labels: map[string]string{vitistackv1alpha1.LabelMachineUID: string(m.UID)}}}
	s.create(west, world.operator, secret)
	s.delete(west, vm)
	if err := world.person[fleet.Supervisor].Delete(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	s.create(fleet.Supervisor, world.person, &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "waits"}})
	var got []string
	for _, v := range s.observer.Converged(t.Context(), 5*time.Second) {
		got = append(got, v.Invariant+" "+v.Object)
	}
	slices.Sort(got)
	want := []string{"convergence machines " + s.namespace + "/waits", "leak secrets " + s.namespace + "/gone-cloud-init"}
	if !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}
