package evacuation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// world is a supervisor whose cache may be behind, and which may refuse or fail.
type world struct {
	store      client.WithWatch
	stale      []vitistackv1alpha1.MachineMove // what the cache shows of MachineMoves, where behind is true
	behind     bool
	refuse     func(move *vitistackv1alpha1.MachineMove) error
	writes     int
	events     *events.FakeRecorder
	clock      *clocktesting.FakePassiveClock
	controller *Controller
}

func newWorld(objects ...client.Object) *world {
	scheme := runtime.NewScheme()
	if err := vitistackv1alpha1.AddToScheme(scheme); err != nil {
		panic(err)
	}
	w := &world{events: events.NewFakeRecorder(1000), clock: clocktesting.NewFakePassiveClock(noon)}
	w.store = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithStatusSubresource(&vitistackv1alpha1.Evacuation{}, &vitistackv1alpha1.MachineMove{}).
		WithIndex(&vitistackv1alpha1.Machine{}, clientmgr.IndexConfig, clientmgr.ByConfig).Build()
	cached := interceptor.NewClient(w.store, interceptor.Funcs{List: w.list, Create: w.create,
		SubResourcePatch: w.patch})
	w.controller = New(cached, Options{Server: w.store, Namespace: "kubevirt-configs", Events: w.events, Clock: w.clock})
	w.controller.machines = w.store
	return w
}

func (w *world) list(
	ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption,
) error {
	if moves, isMoves := list.(*vitistackv1alpha1.MachineMoveList); isMoves && w.behind {
		moves.Items = w.stale
		return nil
	}
	return c.List(ctx, list, options...)
}

func (w *world) create(
	ctx context.Context, c client.WithWatch, object client.Object, options ...client.CreateOption,
) error {
	if move, isMove := object.(*vitistackv1alpha1.MachineMove); isMove && w.refuse != nil {
		if err := w.refuse(move); err != nil {
			return err
		}
	}
	return c.Create(ctx, object, options...)
}

func (w *world) patch(
	ctx context.Context, c client.Client, sub string, object client.Object, patch client.Patch,
	options ...client.SubResourcePatchOption,
) error {
	w.writes++
	return c.SubResource(sub).Patch(ctx, object, patch, options...)
}

func (w *world) reconcile() (ctrl.Result, error) {
	return w.controller.Reconcile(context.Background(),
		ctrl.Request{NamespacedName: types.NamespacedName{Namespace: "kubevirt-configs", Name: "east"}})
}

func (w *world) moves() []vitistackv1alpha1.MachineMove {
	moves := &vitistackv1alpha1.MachineMoveList{}
	if err := w.store.List(context.Background(), moves); err != nil {
		panic(err)
	}
	return moves.Items
}

func (w *world) status() vitistackv1alpha1.EvacuationStatus {
	evacuation := &vitistackv1alpha1.Evacuation{}
	key := types.NamespacedName{Namespace: "kubevirt-configs", Name: "east"}
	if err := w.store.Get(context.Background(), key, evacuation); err != nil {
		panic(err)
	}
	return evacuation.Status
}

// advance changes the status of a move.
func (w *world) advance(move *vitistackv1alpha1.MachineMove, change func(*vitistackv1alpha1.MachineMoveStatus)) {
	before := move.DeepCopy()
	change(&move.Status)
	if err := w.store.Status().Patch(context.Background(), move, client.MergeFrom(before)); err != nil {
		panic(err)
	}
}

// place lets a Machine be in another cluster.
func (w *world) place(name, config string) {
	machine := &vitistackv1alpha1.Machine{}
	if err := w.store.Get(context.Background(), keyOf("team-a", name), machine); err != nil {
		panic(err)
	}
	before := machine.DeepCopy()
	machine.Annotations = in(config, name).Annotations
	if err := w.store.Patch(context.Background(), machine, client.MergeFrom(before)); err != nil {
		panic(err)
	}
}

// TestNeverTooManyNeverTwice: whatever moves do, however far the cache is behind, and wherever the
// process dies, there are never more moves under way than are allowed, and never two of a Machine.
func TestNeverTooManyNeverTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.Int32Range(1, 4).Draw(t, "maxInFlight")
		count := rapid.IntRange(1, 9).Draw(t, "Machines")
		objects := []client.Object{drain(func(s *vitistackv1alpha1.EvacuationSpec) {
			s.MaxInFlight = most
			s.PauseOnFailure = new(rapid.Bool().Draw(t, "pauseOnFailure"))
		})}
		for i := range count {
			objects = append(objects, sized(in("east", fmt.Sprintf("m%d", i)), time.Hour, rapid.Int64Range(1, 99).Draw(t, "size")))
		}
		w := newWorld(objects...)
		w.refuse = func(*vitistackv1alpha1.MachineMove) error {
			if rapid.IntRange(0, 9).Draw(t, "the process dies") == 0 {
				return errors.New("gone")
			}
			return nil
		}
		check := func() {
			under, machines := 0, map[string]bool{}
			for i := range w.moves() {
				move := w.moves()[i]
				if machines[move.Spec.MachineName] {
					t.Fatalf("two moves of %s", move.Spec.MachineName)
				}
				machines[move.Spec.MachineName] = true
				if underWay(&move) {
					under++
				}
			}
			if under > int(most) {
				t.Fatalf("%d moves under way, %d are allowed", under, most)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) { check() },
			"reconcile": func(*rapid.T) {
				_, _ = w.reconcile()
			},
			"fall behind": func(*rapid.T) { w.behind, w.stale = true, w.moves() },
			"catch up":    func(*rapid.T) { w.behind = false },
			"a Machine grows": func(t *rapid.T) {
				name := fmt.Sprintf("m%d", rapid.IntRange(0, count-1).Draw(t, "Machine"))
				machine := &vitistackv1alpha1.Machine{}
				if err := w.store.Get(context.Background(), keyOf("team-a", name), machine); err != nil {
					t.Fatal(err)
				}
				before := machine.DeepCopy()
				machine.Spec.Disks[0].SizeGB = rapid.Int64Range(1, 99).Draw(t, "size")
				if err := w.store.Patch(context.Background(), machine, client.MergeFrom(before)); err != nil {
					t.Fatal(err)
				}
			},
			"a move goes on": func(t *rapid.T) {
				moves := slices.DeleteFunc(w.moves(), func(m vitistackv1alpha1.MachineMove) bool { return m.Status.Phase.Over() })
				if len(moves) == 0 {
					return
				}
				move := &moves[rapid.IntRange(0, len(moves)-1).Draw(t, "move")]
				phase := rapid.SampledFrom([]vitistackv1alpha1.MovePhase{vitistackv1alpha1.MovePhaseCopying,
					vitistackv1alpha1.MovePhaseSucceeded, vitistackv1alpha1.MovePhaseFailed}).Draw(t, "phase")
				w.advance(move, func(s *vitistackv1alpha1.MachineMoveStatus) {
					s.Phase = phase
					s.Steps = []vitistackv1alpha1.MoveStep{{Phase: vitistackv1alpha1.MovePhaseStopping}}
				})
				if phase == vitistackv1alpha1.MovePhaseSucceeded {
					w.place(move.Spec.MachineName, "west")
				}
			},
		})
	})
}

// TestTenantsEvacuation: whoever may write Evacuations in a namespace of his own empties no cluster with
// them, whatever wakes the controller.
func TestTenantsEvacuation(t *testing.T) {
	tenants := drain(nil)
	tenants.Namespace = "team-a"
	w := newWorld(tenants, in("east", "m1"))
	if w.controller.counts(tenants) {
		t.Error("its own events wake the controller")
	}
	woken := w.controller.evacuations(t.Context(), func(*vitistackv1alpha1.Evacuation) bool { return true })
	if len(woken) > 0 {
		t.Errorf("a Machine's events wake the controller for %v", woken)
	}
	request := ctrl.Request{NamespacedName: client.ObjectKeyFromObject(tenants)}
	if _, err := w.controller.Reconcile(t.Context(), request); err != nil || len(w.moves()) > 0 || w.writes > 0 {
		t.Errorf("it moves %d Machines and makes %d writes: %v", len(w.moves()), w.writes, err)
	}
}

// TestEvacuate goes a whole evacuation: two at a time, one that cannot go, and back again when it can.
func TestEvacuate(t *testing.T) {
	objects := []client.Object{drain(nil)}
	for i := range 5 {
		objects = append(objects, in("east", fmt.Sprintf("m%d", i)))
	}
	w := newWorld(append(objects, in("west", "elsewhere"))...)
	step := func() {
		t.Helper()
		if _, err := w.reconcile(); err != nil {
			t.Fatal(err)
		}
	}
	step()
	for range 10 { // m3 cannot go; all others do
		moves := w.moves()
		for i := range moves {
			move := &moves[i]
			switch {
			case move.Status.Phase.Over():
			case move.Spec.MachineName == "m3":
				w.advance(move, func(s *vitistackv1alpha1.MachineMoveStatus) {
					*s = saying(&vitistackv1alpha1.MachineMove{}, "CannotMove", "it has a host device", true).Status
					s.Phase = vitistackv1alpha1.MovePhasePending
				})
			default:
				w.advance(move, func(s *vitistackv1alpha1.MachineMoveStatus) { s.Phase = vitistackv1alpha1.MovePhaseSucceeded })
				w.place(move.Spec.MachineName, "west")
			}
		}
		step()
	}
	status := w.status()
	if status.Phase != vitistackv1alpha1.EvacuationIncomplete || status.Moved != 4 || status.Left != 1 ||
		len(status.Stays) != 1 || status.Stays[0].Message != "it has a host device" {
		t.Fatalf("the status is %+v", status)
	}
	writes := w.writes
	for range 5 {
		step()
	}
	if w.writes != writes {
		t.Errorf("%d writes where nothing changed", w.writes-writes)
	}

	moves := w.moves() // the device is gone
	for i := range moves {
		if move := &moves[i]; move.Spec.MachineName == "m3" {
			w.advance(move, func(s *vitistackv1alpha1.MachineMoveStatus) {
				s.Phase, s.Conditions = vitistackv1alpha1.MovePhaseSucceeded, nil
			})
			w.place("m3", "west")
		}
	}
	step()
	status = w.status()
	if status.Phase != vitistackv1alpha1.EvacuationSucceeded || status.Moved != 5 || status.Stays != nil {
		t.Fatalf("the status is %+v", status)
	}
	for _, condition := range status.Conditions {
		if want := condition.Type == vitistackv1alpha1.ConditionReady; (condition.Status == metav1.ConditionTrue) != want {
			t.Errorf("%s is %s", condition.Type, condition.Status)
		}
	}
	var told []string
	for len(w.events.Events) > 0 {
		told = append(told, <-w.events.Events)
	}
	if len(told) != 3 {
		t.Errorf("want an Event of the beginning, of the end, and of the better end, got %q", told)
	}
}

// TestOneNamespaceRefuses: a namespace that takes no MachineMove keeps no other Machine from going.
func TestOneNamespaceRefuses(t *testing.T) {
	w := newWorld(drain(nil), in("east", "a"), in("east", "b"), in("east", "c"))
	w.refuse = func(move *vitistackv1alpha1.MachineMove) error {
		if move.Spec.MachineName == "a" {
			return apierrors.NewForbidden(vitistackv1alpha1.Resource("machinemoves"), move.Name, errors.New("quota"))
		}
		return nil
	}
	result, err := w.reconcile()
	if err != nil || result.RequeueAfter != retryAfter {
		t.Errorf("%+v, %v", result, err)
	}
	status := w.status()
	if status.Moving != 2 || len(status.Stays) != 1 ||
		status.Stays[0].Reason != vitistackv1alpha1.ReasonSupervisorRefused {
		t.Errorf("the status is %+v", status)
	}
}

// TestSelector: one that cannot be read chooses nothing.
func TestSelector(t *testing.T) {
	labelled := in("east", "web")
	labelled.Labels = map[string]string{"tier": "web"}
	for want, selector := range map[string]*metav1.LabelSelector{
		"[web]": {MatchLabels: map[string]string{"tier": "web"}},
		"[]":    {MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "tier", Operator: "Sometimes"}}},
	} {
		chooses := drain(func(s *vitistackv1alpha1.EvacuationSpec) { s.Selector = selector })
		w := newWorld(chooses, in("east", "db"), labelled.DeepCopy())
		if _, err := w.reconcile(); err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, move := range w.moves() {
			got = append(got, move.Spec.MachineName)
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%v chooses %v, want %s", selector, got, want)
		}
	}
}

// TestGate: moves that were refused for one cause do not all begin when that is mended.
func TestGate(t *testing.T) {
	evacuation := drain(nil)
	objects := []client.Object{evacuation}
	var moves []*vitistackv1alpha1.MachineMove
	for i := range 6 {
		move := is(evacuation, fmt.Sprintf("m%d", i), vitistackv1alpha1.MovePhasePending)
		moves = append(moves, move)
		objects = append(objects, move)
	}
	w := newWorld(objects...)
	gate := &Gate{Reader: w.store}
	pass := func() (let []string) {
		for _, move := range moves {
			held, err := gate.Pass(t.Context(), move)
			if err != nil {
				t.Fatal(err)
			}
			if held == "" {
				let = append(let, move.Spec.MachineName)
			}
		}
		return let
	}
	want := func(when, names string) {
		t.Helper()
		if got := fmt.Sprint(pass()); got != names {
			t.Errorf("%s: %s may begin, want %s", when, got, names)
		}
	}
	want("at first", "[m0 m1]")
	want("while the cache does not show that they have begun", "[m0 m1]")
	w.advance(moves[0], func(s *vitistackv1alpha1.MachineMoveStatus) { s.Phase = vitistackv1alpha1.MovePhaseSucceeded })
	moves = moves[1:]
	want("after one", "[m1 m2]")
	gate.Leave(moves[1])
	moves = append(moves[:1], moves[2:]...)
	want("after one that could not begin after all", "[m1 m3]")

	gate = &Gate{Reader: w.store} // a new process
	w.advance(moves[0], func(s *vitistackv1alpha1.MachineMoveStatus) { s.Phase = vitistackv1alpha1.MovePhaseCopying })
	want("in a new process", "[m1 m3]")

	before := evacuation.DeepCopy()
	evacuation.Spec.Paused = true
	if err := w.store.Patch(t.Context(), evacuation, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	want("while it is paused", "[m1]")
	if err := w.store.Delete(t.Context(), evacuation); err != nil {
		t.Fatal(err)
	}
	want("without the Evacuation", "[m1]")
	moves = append(moves, others(is(evacuation, "x", vitistackv1alpha1.MovePhasePending)))
	want("a person's move", "[m1 x]")
}
