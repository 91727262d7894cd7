package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

type spec = vitistackv1alpha1.MachineRolloutSpec

// restart is a rollout that restarts all Machines of team-a, two at a time.
func restart(change func(*spec)) *vitistackv1alpha1.MachineRollout {
	rollout := &vitistackv1alpha1.MachineRollout{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "r", UID: "r", Generation: 1,
			CreationTimestamp: metav1.NewTime(noon)},
		Spec: spec{Action: vitistackv1alpha1.RolloutRestart, MaxUnavailable: new(intstr.FromInt32(2))},
	}
	if change != nil {
		change(&rollout.Spec)
	}
	return rollout
}

// called gives a rollout another name, and an age in relation to restart's.
func called(
	name string, older time.Duration, rollout *vitistackv1alpha1.MachineRollout,
) *vitistackv1alpha1.MachineRollout {
	rollout.Name, rollout.UID = name, types.UID(name)
	rollout.CreationTimestamp = metav1.NewTime(noon.Add(-older))
	return rollout
}

// ready is a Machine that runs: 2 processors and 2 GiB, of class medium.
func ready(name string, changes ...func(*vitistackv1alpha1.Machine)) *vitistackv1alpha1.Machine {
	m := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{
		Namespace: "team-a", Name: name, UID: types.UID("uid-" + name), Generation: 1,
		CreationTimestamp: metav1.NewTime(noon.Add(-time.Hour)), Annotations: map[string]string{},
	}}
	m.Spec.MachineClass = "medium"
	m.Status.CPUs, m.Status.Memory = 2, 2<<30
	says(m, metav1.ConditionTrue, vitistackv1alpha1.ReasonReady)
	for _, change := range changes {
		change(m)
	}
	return m
}

func says(m *vitistackv1alpha1.Machine, status metav1.ConditionStatus, reason string) {
	m.Status.SetCondition(metav1.Condition{Type: vitistackv1alpha1.ConditionReady, Status: status, Reason: reason,
		Message: "as it is", ObservedGeneration: m.Generation, LastTransitionTime: metav1.NewTime(noon)})
}

func notReady(m *vitistackv1alpha1.Machine) {
	says(m, metav1.ConditionFalse, vitistackv1alpha1.ReasonGuestNotReady)
}

// token lets a Machine be asked by a rollout.
func token(uid string) func(*vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) {
		m.Annotations[vitistackv1alpha1.AnnotationRestart] = "rollout/" + uid
	}
}

// record lets a Machine's record say that it was restarted for a token.
func record(token string, at time.Time, isDone bool) func(*vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) {
		m.Annotations[vitistackv1alpha1.AnnotationPlacementRestart] = vitistackv1alpha1.RestartRecord{
			Token: token, Instance: "i", At: metav1.NewTime(at.UTC().Truncate(time.Second)), Done: isDone}.String()
	}
}

// world is a supervisor with two processes that both believe to lead. The caches of each may be
// behind; each write may be the last one of its process, or be made late.
type world struct {
	store  client.WithWatch
	cached [2]*snapshot
	lead   [2]*Controller
	clock  *clocktesting.FakePassiveClock
	events *events.FakeRecorder
	dies   func() (before, after bool) // whether a write is not made, or is the last one
	stalls func()                      // what happens before a write
	writes int
	asks   map[string]int // how often Machines were asked
}

// snapshot is what a process's caches show.
type snapshot struct {
	machines []vitistackv1alpha1.Machine
	rollouts []vitistackv1alpha1.MachineRollout
	behind   bool
}

var errDied = errors.New("the process died")

func newWorld(objects ...client.Object) *world {
	scheme := runtime.NewScheme()
	if err := vitistackv1alpha1.AddToScheme(scheme); err != nil {
		panic(err)
	}
	w := &world{events: events.NewFakeRecorder(10000), clock: clocktesting.NewFakePassiveClock(noon),
		dies: func() (bool, bool) { return false, false }, stalls: func() {}, asks: map[string]int{}}
	w.store = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithStatusSubresource(&vitistackv1alpha1.MachineRollout{}).Build()
	for i := range w.lead {
		w.cached[i] = &snapshot{}
		cached := interceptor.NewClient(w.store, interceptor.Funcs{
			Get: w.cached[i].get, List: w.cached[i].list, Patch: w.patch, SubResourcePatch: w.patchStatus,
		})
		w.lead[i] = New(cached, Options{Server: w.store, Namespace: "configs", Events: w.events, Clock: w.clock})
		w.lead[i].machines = cached
	}
	return w
}

func (s *snapshot) get(
	ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption,
) error {
	if rollout, isRollout := object.(*vitistackv1alpha1.MachineRollout); isRollout && s.behind {
		for i := range s.rollouts {
			if client.ObjectKeyFromObject(&s.rollouts[i]) == key {
				s.rollouts[i].DeepCopyInto(rollout)
				return nil
			}
		}
	}
	return c.Get(ctx, key, object, options...)
}

func (s *snapshot) list(
	ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption,
) error {
	if machines, isMachines := list.(*vitistackv1alpha1.MachineList); isMachines && s.behind {
		for i := range s.machines {
			machines.Items = append(machines.Items, *s.machines[i].DeepCopy())
		}
		return nil
	}
	return c.List(ctx, list, options...)
}

// fallBehind lets the caches of a process stand still.
func (w *world) fallBehind(process int) {
	*w.cached[process] = snapshot{machines: w.machines(), rollouts: w.rollouts(), behind: true}
}

func (w *world) catchUp(process int) { *w.cached[process] = snapshot{} }

func (w *world) write(do func() error) error {
	w.stalls()
	before, after := w.dies()
	if before {
		return errDied
	}
	w.writes++
	if err := do(); err != nil {
		return err
	}
	if after {
		return errDied
	}
	return nil
}

func (w *world) patch(
	ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption,
) error {
	return w.write(func() error {
		err := c.Patch(ctx, object, patch, options...)
		if err == nil {
			w.asks[object.GetName()]++
		}
		return err
	})
}

func (w *world) patchStatus(
	ctx context.Context, c client.Client, sub string, object client.Object, patch client.Patch,
	options ...client.SubResourcePatchOption,
) error {
	return w.write(func() error { return c.SubResource(sub).Patch(ctx, object, patch, options...) })
}

func (w *world) reconcile(process int, name string) (ctrl.Result, error) {
	return w.lead[process].Reconcile(context.Background(),
		ctrl.Request{NamespacedName: types.NamespacedName{Namespace: "team-a", Name: name}})
}

func (w *world) machines() []vitistackv1alpha1.Machine {
	list := &vitistackv1alpha1.MachineList{}
	must(w.store.List(context.Background(), list))
	return list.Items
}

func (w *world) rollouts() []vitistackv1alpha1.MachineRollout {
	list := &vitistackv1alpha1.MachineRolloutList{}
	must(w.store.List(context.Background(), list))
	return list.Items
}

func (w *world) status(name string) vitistackv1alpha1.MachineRolloutStatus {
	rollout := &vitistackv1alpha1.MachineRollout{}
	must(w.store.Get(context.Background(), types.NamespacedName{Namespace: "team-a", Name: name}, rollout))
	return rollout.Status
}

// change changes a Machine as somebody else would.
func (w *world) change(name string, how ...func(*vitistackv1alpha1.Machine)) {
	m := &vitistackv1alpha1.Machine{}
	must(w.store.Get(context.Background(), types.NamespacedName{Namespace: "team-a", Name: name}, m))
	before := m.DeepCopy()
	if m.Annotations == nil {
		m.Annotations = map[string]string{}
	}
	for _, each := range how {
		each(m)
	}
	must(w.store.Patch(context.Background(), m, client.MergeFrom(before)))
}

func (w *world) changeRollout(name string, how func(*vitistackv1alpha1.MachineRollout)) {
	rollout := &vitistackv1alpha1.MachineRollout{}
	must(w.store.Get(context.Background(), types.NamespacedName{Namespace: "team-a", Name: name}, rollout))
	before := rollout.DeepCopy()
	how(rollout)
	rollout.Generation++
	must(w.store.Patch(context.Background(), rollout, client.MergeFrom(before)))
}

// goOn lets the operator and the guest of a Machine do one step of what the Machine is asked, and says
// whether there was one.
func (w *world) goOn(m *vitistackv1alpha1.Machine) bool {
	asked := m.Annotations[vitistackv1alpha1.AnnotationRestart]
	last, found, _ := vitistackv1alpha1.RestartRecordOf(m)
	condition := m.Status.Condition(vitistackv1alpha1.ConditionReady)
	switch {
	case asked != "" && (!found || last.Token != asked):
		w.change(m.Name, record(asked, w.clock.Now(), false))
	case found && !last.Done && condition.Status == metav1.ConditionTrue:
		w.change(m.Name, notReady)
	case found && !last.Done:
		w.change(m.Name, record(last.Token, last.At.Time, true), sized)
	case found && condition.Status != metav1.ConditionTrue:
		w.change(m.Name, func(m *vitistackv1alpha1.Machine) { says(m, metav1.ConditionTrue, vitistackv1alpha1.ReasonReady) })
	default:
		return false
	}
	return true
}

// sized gives a Machine the size of its class.
func sized(m *vitistackv1alpha1.Machine) {
	if m.Annotations[vitistackv1alpha1.AnnotationResize] != "" {
		cpus := map[string]int{"small": 1, "medium": 2, "large": 4}[m.Spec.MachineClass]
		m.Status.CPUs, m.Status.Memory = cpus, int64(cpus)<<30
	}
}

func must(err error) {
	if err != nil {
		panic(fmt.Sprint(err))
	}
}
