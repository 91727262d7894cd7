package onfleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// node is the annotation by which somebody else says that a Machine is healthy.
const node = "example.com/node"

// scene is a namespace with Machines and a rollout over them.
type scene struct {
	t         *testing.T
	namespace string
	count     int
	most      int
	rollout   *vitistackv1alpha1.MachineRollout
	observer  *observer
	since     time.Time
}

func supervisor() client.Client { return world.fleet.Supervisor.Client() }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *scene) name(i int) string { return fmt.Sprintf("%s-%03d", s.namespace, i) }

func cluster(i int) string { return []string{east, west}[i%2] }

// newScene makes Machines in two clusters, and waits until they run.
func newScene(t *testing.T, namespace string, count int) *scene {
	t.Helper()
	s := &scene{t: t, namespace: namespace, count: count, most: 5}
	must(t, supervisor().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}))
	for i := range count {
		must(t, supervisor().Create(t.Context(), &vitistackv1alpha1.Machine{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: s.name(i), Annotations: map[string]string{
				vitistackv1alpha1.AnnotationKubevirtConfig: cluster(i), node: "Ready"}},
			Spec: vitistackv1alpha1.MachineSpec{Provider: "kubevirt", InstanceType: "small",
				Disks: []vitistackv1alpha1.MachineSpecDisk{{Name: "root", SizeGB: 10, Boot: true}}},
		}))
	}
	t.Cleanup(func() { tellLog(t) })
	eventually.Eventually(t, 20*time.Minute, "all Machines run", func(ctx context.Context) error {
		if machines := s.machines(ctx, notReady); len(machines) > 0 {
			return fmt.Errorf("%d do not: %s", len(machines), machines[0])
		}
		return nil
	})
	return s
}

func notReady(m *vitistackv1alpha1.Machine) bool {
	ready := m.Status.Condition(vitistackv1alpha1.ConditionReady)
	return ready == nil || ready.Status != metav1.ConditionTrue
}

// machines are the names of those that are so.
func (s *scene) machines(ctx context.Context, are func(*vitistackv1alpha1.Machine) bool) (names []string) {
	s.t.Helper()
	list := &vitistackv1alpha1.MachineList{}
	must(s.t, supervisor().List(ctx, list, client.InNamespace(s.namespace)))
	for i := range list.Items {
		if are(&list.Items[i]) {
			names = append(names, list.Items[i].Name)
		}
	}
	return names
}

// own lets a Machine have an owner with a controller.
func (s *scene) own(name string) {
	s.t.Helper()
	machine := &vitistackv1alpha1.Machine{}
	must(s.t, supervisor().Get(s.t.Context(), client.ObjectKey{Namespace: s.namespace, Name: name}, machine))
	owner := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "pool"}}
	must(s.t, supervisor().Create(s.t.Context(), owner))
	before := machine.DeepCopy()
	machine.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID,
		Controller: new(true)}}
	must(s.t, supervisor().Patch(s.t.Context(), machine, client.MergeFrom(before)))
}

// annotate changes the annotation of a Machine by which somebody else tells how it is.
func (s *scene) annotate(name, value string) {
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, node, value)
	machine := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name}}
	if err := supervisor().Patch(context.Background(), machine, client.RawPatch("application/merge-patch+json", patch)); err != nil {
		s.t.Error(err)
	}
}

// begin makes the rollout. The Machine that is named does not come back before it is told to: whoever
// knows its node says nothing good of it from the moment on in which it is asked.
func (s *scene) begin(lost string) {
	s.t.Helper()
	s.observer = observe(s.t, s.namespace, func(m *vitistackv1alpha1.Machine) {
		if m.Name == lost {
			s.annotate(lost, "Lost")
		}
	})
	s.since = time.Now()
	s.rollout = &vitistackv1alpha1.MachineRollout{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "restart"}}
	s.rollout.Spec = vitistackv1alpha1.MachineRolloutSpec{
		Action: vitistackv1alpha1.RolloutRestart, MaxUnavailable: new(intstr.FromInt32(int32(s.most))),
		Order: vitistackv1alpha1.RolloutByName, Deadline: &metav1.Duration{Duration: 25 * time.Second},
		Healthy: &vitistackv1alpha1.RolloutHealthy{Annotation: &vitistackv1alpha1.RolloutAnnotation{Name: node, Value: "Ready"}},
	}
	must(s.t, supervisor().Create(s.t.Context(), s.rollout))
}

// until waits until the status of the rollout is so.
func (s *scene) until(within time.Duration, what string, is func(vitistackv1alpha1.MachineRolloutStatus) bool) {
	s.t.Helper()
	eventually.Eventually(s.t, within, what, func(ctx context.Context) error {
		if err := supervisor().Get(ctx, client.ObjectKeyFromObject(s.rollout), s.rollout); err != nil {
			return err
		}
		if !is(s.rollout.Status) {
			status := s.rollout.Status
			ready := meta.FindStatusCondition(status.Conditions, vitistackv1alpha1.ConditionReady)
			return fmt.Errorf("%s, %d of %d, %v under way, %v", status.Phase, status.Updated, status.Total, status.InFlight, ready)
		}
		return nil
	})
}

func (s *scene) updated(count int) func(vitistackv1alpha1.MachineRolloutStatus) bool {
	return func(status vitistackv1alpha1.MachineRolloutStatus) bool {
		return int(status.Updated) >= count && len(status.InFlight) > 0
	}
}

// killed ends the operator in the middle of the rollout, and starts another one.
func (s *scene) killed() {
	s.t.Helper()
	must(s.t, errors.Join(world.operator.Kill(), world.operator.Start()))
}

// lost waits until the rollout pauses because of one Machine, and lets that come back. It may pause
// before because of others: the guests of Machines that were begun when the operator was killed are
// not restarted before the next operator has the lease, which takes most of the deadline.
func (s *scene) lost(name string) {
	s.t.Helper()
	s.until(4*time.Minute, "the rollout pauses because of "+name, func(status vitistackv1alpha1.MachineRolloutStatus) bool {
		if status.Phase != vitistackv1alpha1.RolloutPaused {
			return false
		}
		ready := meta.FindStatusCondition(status.Conditions, vitistackv1alpha1.ConditionReady)
		if ready.Reason != vitistackv1alpha1.ReasonNotHealthyInTime {
			s.t.Errorf("it says %s: %s", ready.Reason, ready.Message)
		}
		return strings.Contains(ready.Message, name)
	})
	s.t.Logf("paused: %s", meta.FindStatusCondition(s.rollout.Status.Conditions, vitistackv1alpha1.ConditionReady).Message)
	s.annotate(name, "Ready")
}

// cut lets a cluster be silent until its Machines are Unknown, and then answer again.
func (s *scene) cut(name string) {
	s.t.Helper()
	var there []string
	for i := range s.count {
		if cluster(i) == name {
			there = append(there, s.name(i))
		}
	}
	remote, err := world.fleet.Cluster(name)
	must(s.t, err)
	s.observer.excuse(true, there...)
	must(s.t, remote.SetFault(faults.Fault{Kind: faults.Blackhole}))
	unknown := func(m *vitistackv1alpha1.Machine) bool {
		ready := m.Status.Condition(vitistackv1alpha1.ConditionReady)
		return ready != nil && ready.Status == metav1.ConditionUnknown
	}
	eventually.Eventually(s.t, 3*time.Minute, "the cluster is silent", func(ctx context.Context) error {
		if count := len(s.machines(ctx, unknown)); count < len(there) {
			return fmt.Errorf("%d of %d Machines are Unknown", count, len(there))
		}
		return nil
	})
	_, before := s.observer.counted()
	quiet := time.Now()
	eventually.Eventually(s.t, time.Minute, "nothing begins", func(context.Context) error {
		if time.Since(quiet) < 5*time.Second {
			return errors.New("too short to tell")
		}
		return nil
	})
	if _, after := s.observer.counted(); after != before {
		s.t.Errorf("%d Machines were begun while %d are Unknown", after-before, len(there))
	}
	must(s.t, remote.SetFault(faults.Fault{}))
	eventually.Eventually(s.t, 3*time.Minute, "the cluster is back", func(ctx context.Context) error {
		if count := len(s.machines(ctx, unknown)); count > 0 {
			return fmt.Errorf("%d Machines are Unknown", count)
		}
		return nil
	})
	s.observer.excuse(false, there...)
}

// ends waits until the rollout is through, and holds what was seen.
func (s *scene) ends() {
	s.t.Helper()
	s.until(20*time.Minute, "all Machines are done", func(status vitistackv1alpha1.MachineRolloutStatus) bool {
		return status.Phase == vitistackv1alpha1.RolloutSucceeded
	})
	took := time.Since(s.since).Round(time.Second)
	if int(s.rollout.Status.Updated) != s.count || int(s.rollout.Status.Total) != s.count {
		s.t.Errorf("%+v", s.rollout.Status)
	}
	most, asked := s.observer.counted()
	if most > s.most || asked != s.count {
		s.t.Errorf("%d Machines were not Ready at once, %d may be; %d were asked", most, s.most, asked)
	}
	for name, began := range s.instances() {
		if began != 1 {
			s.t.Errorf("%s was restarted %d times", name, began)
		}
	}
	writes, quiet := s.writes(s.since, time.Now()), time.Now()
	eventually.Eventually(s.t, time.Minute, "it rests", func(context.Context) error {
		if time.Since(quiet) < 10*time.Second {
			return errors.New("too short to tell")
		}
		return nil
	})
	if late := s.writes(quiet.Add(3*time.Second), time.Now()); len(late) > 0 {
		s.t.Errorf("it does not rest: %v", late)
	}
	s.t.Logf("%d Machines, %d at once, in %s; at most %d were not Ready; %.1f writes to the supervisor a Machine:\n%s",
		s.count, s.most, took, most, float64(len(writes))/float64(s.count),
		audit.By(writes, func(c audit.Call) string { return fmt.Sprint(c.Verb, " ", c.Kind(), " ", c.Code) }))
}

// instances is how often each guest was started since the rollout began.
func (s *scene) instances() map[string]int {
	s.t.Helper()
	started := map[string]int{}
	for i := range s.count {
		started["vm-"+s.name(i)] = 0
	}
	for _, remote := range world.fleet.Remotes {
		calls, err := audit.Read(remote.ControlPlane.AuditLog(), audit.Filter{Since: s.since, Verb: "create",
			Resource: "virtualmachineinstances", Namespace: s.namespace})
		must(s.t, err)
		for _, call := range calls {
			if call.Subresource == "" && call.Code == 201 {
				started[call.Name]++
			}
		}
	}
	return started
}

// writes are the operator's to the supervisor.
func (s *scene) writes(since, until time.Time) []audit.Call {
	s.t.Helper()
	calls, err := audit.Read(world.fleet.Supervisor.ControlPlane.AuditLog(), audit.Filter{User: fleet.OperatorUser,
		Since: since, Until: until, Writes: true, Namespace: s.namespace, But: []string{"events"}})
	must(s.t, err)
	return calls
}

// tellLog shows the end of the operator's log where a test has failed.
func tellLog(t *testing.T) {
	if !t.Failed() {
		return
	}
	content, err := os.ReadFile(world.operator.Log)
	if err != nil {
		t.Log(err)
		return
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	t.Log(strings.Join(lines[max(0, len(lines)-60):], "\n"))
}

// TestRollout restarts forty Machines, five at a time. The operator is killed on the way, and one
// Machine does not come back: the rollout pauses, names it, and goes on when it is healthy.
func TestRollout(t *testing.T) {
	s := newScene(t, "forty", 40)
	lost := s.name(30)
	s.begin(lost)
	s.until(4*time.Minute, "some are done", s.updated(8))
	s.killed()
	s.lost(lost)
	s.ends()
}

// TestLongRollout restarts three hundred Machines, five at a time, while the operator is killed, one
// Machine does not come back, and a cluster falls silent.
func TestLongRollout(t *testing.T) {
	s := newScene(t, "many", 300)
	lost := s.name(200)
	s.begin(lost)
	s.until(20*time.Minute, "some are done", s.updated(40))
	s.killed()
	s.until(20*time.Minute, "more are done", s.updated(100))
	s.cut(east)
	s.until(20*time.Minute, "even more are done", s.updated(150))
	s.lost(lost)
	s.ends()
}
