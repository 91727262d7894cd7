package brake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	clocktesting "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

const configsNamespace = "kubevirt-configs"

// tester is a *testing.T or a *rapid.T.
type tester interface {
	rapid.TB
	Context() context.Context
}

// scene is a supervisor with placed Machines, and a brake that can be started anew.
type scene struct {
	t      tester
	client client.Client
	clock  *clocktesting.FakePassiveClock
	brake  *Brake
}

func newScene(t tester, objects ...client.Object) *scene {
	t.Helper()
	scheme, err := sharedScheme()
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{t: t, clock: clocktesting.NewFakePassiveClock(time.Unix(2e9, 0))}
	s.client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithStatusSubresource(&vitistackv1alpha1.Machine{}).Build()
	s.start(DefaultRule)
	return s
}

// sharedScheme is made once: it knows too many types to make one for each scene.
var sharedScheme = sync.OnceValues(func() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	return scheme, errors.Join(clientgoscheme.AddToScheme(scheme), vitistackv1alpha1.AddToScheme(scheme))
})

// start is a new process, which remembers nothing.
func (s *scene) start(rule Rule) {
	s.brake = New(Options{Rule: rule, Cache: s.client, Clock: s.clock,
		Book: Book{Writer: s.client, Server: s.client, Namespace: configsNamespace}})
}

// placed is a Machine in a cluster, with the finalizer.
func placed(name, namespace, config string) *vitistackv1alpha1.Machine {
	m := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace,
		UID: types.UID(namespace + "-" + name), Generation: 1, Finalizers: []string{vitistackv1alpha1.FinalizerMachine}}}
	m.Status.KubevirtConfigRef = &vitistackv1alpha1.KubevirtConfigReferenceStatus{Name: config}
	return m
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) get(name, namespace string) *vitistackv1alpha1.Machine {
	s.t.Helper()
	m := &vitistackv1alpha1.Machine{}
	s.must(s.client.Get(s.t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, m))
	return m
}

// remove asks for the deletion of a Machine.
func (s *scene) remove(name, namespace string) {
	s.t.Helper()
	s.must(s.client.Delete(s.t.Context(), s.get(name, namespace)))
}

// ask asks as the reconciler does, and writes into the status what it would.
func (s *scene) ask(name, namespace string) Reply {
	s.t.Helper()
	m := s.get(name, namespace)
	reply, err := s.brake.Ask(s.t.Context(), Question{Kind: Deletion, Machine: m, Config: PlacedIn(m), Held: IsHeld(m)})
	s.must(err)
	if reply.Is == Held && !IsHeld(m) {
		m.Status.SetCondition(metav1.Condition{Type: vitistackv1alpha1.ConditionDeletionHeld, Status: "True",
			Reason: vitistackv1alpha1.ReasonDeletionHeld, LastTransitionTime: metav1.Time{Time: s.clock.Now()}})
		s.must(s.client.Status().Update(s.t.Context(), m))
	}
	return reply
}

// finish is the end of a Machine that was let go.
func (s *scene) finish(name, namespace string) {
	s.t.Helper()
	m := s.get(name, namespace)
	m.Finalizers = nil
	s.must(s.client.Update(s.t.Context(), m))
}

func (s *scene) annotate(object client.Object, key, value string) {
	s.t.Helper()
	s.must(s.client.Get(s.t.Context(), client.ObjectKeyFromObject(object), object))
	object.SetAnnotations(map[string]string{key: value})
	s.must(s.client.Update(s.t.Context(), object))
}

// fleetOf are Machines m0, m1, … of a namespace in a cluster.
func fleetOf(count int, namespace, config string) (all []client.Object) {
	for i := range count {
		all = append(all, placed(fmt.Sprintf("m%d", i), namespace, config))
	}
	return all
}

func name(i int) string { return fmt.Sprintf("m%d", i) }

// TestKilledBetween: eight deletions, a kill, and eight more: the second eight meet what the first
// process let go.
func TestKilledBetween(t *testing.T) {
	s := newScene(t, fleetOf(40, "team", "east")...)
	for i := range 8 {
		s.remove(name(i), "team")
		if got := s.ask(name(i), "team"); got.Is != Go {
			t.Fatalf("deletion %d: %+v", i, got)
		}
		s.finish(name(i), "team")
	}
	s.start(DefaultRule)
	for i := 8; i < 16; i++ {
		s.remove(name(i), "team")
	}
	for i := 8; i < 16; i++ {
		if got := s.ask(name(i), "team"); got.Is != Held {
			t.Errorf("deletion %d after the kill: %+v", i, got)
		}
	}
}

// TestBookIsSmall: what is past is taken out, a small fleet writes nothing, and neither does a person's
// word.
func TestBookIsSmall(t *testing.T) {
	small := newScene(t, fleetOf(10, "team", "east")...)
	for i := range 10 {
		small.remove(name(i), "team")
		if got := small.ask(name(i), "team"); got.Is != Go {
			t.Fatalf("the brake can never bite here: %+v", got)
		}
	}
	if book := small.book(); len(book) != 0 {
		t.Errorf("a small fleet writes %v", book)
	}

	s := newScene(t, fleetOf(40, "team", "east")...)
	s.remove("m0", "team")
	s.ask("m0", "team")
	s.finish("m0", "team")
	s.clock.SetTime(s.clock.Now().Add(DefaultRule.Window))
	for i := 20; i < 40; i++ {
		s.remove(name(i), "team")
	}
	if got := s.ask("m20", "team"); got.Is != Held { // which finds that m0 is over, and writes nothing
		t.Fatalf("a burst: %+v", got)
	}
	s.clock.SetTime(s.clock.Now().Add(DefaultRule.Window))
	s.remove("m1", "team")
	s.ask("m1", "team")
	if book := s.book(); len(book) != 1 || book["team-m1"] == "" {
		t.Errorf("the book has %v", book)
	}
	s.annotate(placed("m2", "team", "east"), vitistackv1alpha1.AnnotationConfirmDeletion, "true")
	s.remove("m2", "team")
	if got := s.ask("m2", "team"); got.Is != Go || len(s.book()) != 1 {
		t.Errorf("a confirmed one: %+v, the book has %v", got, s.book())
	}
}

func (s *scene) book() map[string]string {
	s.t.Helper()
	book := &corev1.ConfigMap{}
	err := s.client.Get(s.t.Context(),
		client.ObjectKey{Namespace: configsNamespace, Name: vitistackv1alpha1.DeletionsConfigMap}, book)
	if client.IgnoreNotFound(err) != nil {
		s.t.Fatal(err)
	}
	return book.Data
}

// TestLettingGo: each way in which a person lets a held Machine go, and those that are none.
func TestLettingGo(t *testing.T) {
	in := func(d time.Duration) string { return time.Unix(2e9, 0).Add(d).UTC().Format(time.RFC3339) }
	machine := func() client.Object { return placed("m0", "team", "east") }
	namespace := func() client.Object { return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team"}} }
	config := func() client.Object {
		return &vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Namespace: configsNamespace, Name: "east"}}
	}
	for name, tc := range map[string]struct {
		reason, value string
		at            func() client.Object
		want          Answer
		told          bool
	}{
		"Machine":         {reason: "One Machine is let go by its own word.", at: machine, value: "true", want: Go},
		"MachineForATime": {reason: "It may be let go for a time, too.", at: machine, value: in(time.Hour), want: Go},
		"MachineTooLate":  {reason: "A time that is over is no word.", at: machine, value: in(-time.Hour), want: Held},
		"Namespace":       {reason: "A namespace lets go for a time.", at: namespace, value: in(time.Hour), want: Go},
		"NamespaceForEver": {reason: "A namespace that is open for ever would have no brake.", at: namespace, value: "true",
			want: Held, told: true},
		"Config": {reason: "A cluster lets go for a time.", at: config, value: in(time.Hour), want: Go},
		"ConfigForEver": {reason: "A cluster that is open for ever would have no brake.", at: config, value: "true",
			want: Held, told: true},
		"Nonsense": {reason: "What cannot be read is told.", at: machine, value: "yes", want: Held, told: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, append(fleetOf(20, "team", "east"), namespace(), config())...)
			for i := range 20 {
				s.remove(fmt.Sprintf("m%d", i), "team")
			}
			if got := s.ask("m0", "team"); got.Is != Held || !got.Bit {
				t.Fatalf("the brake does not bite: %+v", got)
			}
			s.annotate(tc.at(), vitistackv1alpha1.AnnotationConfirmDeletion, tc.value)
			got := s.ask("m0", "team")
			if got.Is != tc.want || (got.Wrong != "") != tc.told || got.Bit {
				t.Errorf("%s: %+v", tc.reason, got)
			}
		})
	}
}

// TestConfirmedIsNotCounted: 20 that a person let go do not make another one wait.
func TestConfirmedIsNotCounted(t *testing.T) {
	s := newScene(t, append(fleetOf(20, "team", "east"), placed("alone", "other", "east"),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team"}})...)
	s.annotate(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team"}},
		vitistackv1alpha1.AnnotationConfirmDeletion, s.clock.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	for i := range 20 {
		s.remove(name(i), "team")
		if got := s.ask(name(i), "team"); got.Is != Go {
			t.Fatalf("a confirmed one: %+v", got)
		}
	}
	s.remove("alone", "other")
	if got := s.ask("alone", "other"); got.Is != Go {
		t.Errorf("a single one beside confirmed ones: %+v", got)
	}
}

// TestAnotherDay: whom nobody let go stays held, and does not hold a single deletion of the next day.
func TestAnotherDay(t *testing.T) {
	s := newScene(t, fleetOf(40, "team", "east")...)
	for i := range 20 {
		s.remove(name(i), "team")
	}
	for i := range 20 {
		if got := s.ask(name(i), "team"); got.Is != Held {
			t.Fatalf("%d: %+v", i, got)
		}
	}
	for _, restarted := range []bool{false, true} {
		s.clock.SetTime(s.clock.Now().Add(24 * time.Hour))
		if restarted {
			s.start(DefaultRule)
		}
		next := map[bool]string{false: "m30", true: "m31"}[restarted]
		s.remove(next, "team")
		if got := s.ask(next, "team"); got.Is != Go {
			t.Errorf("restarted %t: a single deletion: %+v", restarted, got)
		}
		if got := s.ask("m0", "team"); got.Is != Held {
			t.Errorf("restarted %t: one that was held: %+v", restarted, got)
		}
	}
	s.start(Rule{})
	if got := s.ask("m0", "team"); got.Is != Go {
		t.Errorf("the brake is off: %+v", got)
	}
}

// TestWanted: which Machines keep their virtual machines.
func TestWanted(t *testing.T) {
	held := func(m *vitistackv1alpha1.Machine, generation int64) {
		m.Status.SetCondition(metav1.Condition{Type: vitistackv1alpha1.ConditionDeletionHeld, Status: "True",
			Reason: vitistackv1alpha1.ReasonDeletionHeld, ObservedGeneration: generation,
			LastTransitionTime: metav1.Time{Time: time.Unix(2e9, 0)}})
	}
	m := placed("web", "team", "east")
	if Kept(m) {
		t.Error("a Machine of which nobody said anything is kept")
	}
	m.Annotations = map[string]string{vitistackv1alpha1.AnnotationKeepVM: "true"}
	if !Kept(m) {
		t.Error("the word of a person does not count")
	}
	m = placed("web", "team", "east")
	held(m, 1)
	if Kept(m) {
		t.Error("a Machine that is held is kept")
	}
	m.Generation = 2
	if !Kept(m) {
		t.Error("a Machine whose spec was applied anew is not kept")
	}
	held(m, 0) // as definitions of others keep it
	if Kept(m) {
		t.Error("a Machine is kept of which nobody knows which generation was held")
	}
}

// TestChanges: changes are counted for themselves; who takes one back is not counted.
func TestChanges(t *testing.T) {
	s := newScene(t, fleetOf(30, "team", "east")...)
	ask := func(i int, held bool) Answer {
		t.Helper()
		m := s.get(name(i), "team")
		reply, err := s.brake.Ask(t.Context(), Question{Kind: Change, Machine: m, Config: "east", Held: held})
		s.must(err)
		return reply.Is
	}
	for i := range 9 {
		if got := ask(i, false); got != Go {
			t.Fatalf("change %d: %v", i, got)
		}
	}
	if got := ask(9, false); got != Held { // 10 of 30 are more than 30 %, and not more than 10
		if got != Go {
			t.Fatalf("change 9: %v", got)
		}
	}
	if got := ask(10, false); got != Held {
		t.Errorf("the eleventh change: %v", got)
	}
	s.brake.Withdraw(Change, types.NamespacedName{Namespace: "team", Name: name(10)})
	s.clock.SetTime(s.clock.Now().Add(DefaultRule.Window))
	if got := ask(11, false); got != Go {
		t.Errorf("a change on another occasion: %v", got)
	}
	s.start(DefaultRule)
	if got := ask(12, true); got != Held {
		t.Errorf("a change that was held before the restart: %v", got)
	}
	s.remove("m20", "team")
	if got := s.ask("m20", "team"); got.Is != Go {
		t.Errorf("a deletion beside changes: %+v", got)
	}
}

// TestInheritance: what was kept is known after a restart, until it is struck out.
func TestInheritance(t *testing.T) {
	s := newScene(t)
	key := types.NamespacedName{Namespace: "team", Name: "web"}
	want := Keep{Namespace: "team", Name: "web", Config: "east", VMUID: "vm", Machine: "old"}
	s.must(s.brake.Keep(t.Context(), want))
	for range 2 {
		got, found, err := s.brake.Kept(t.Context(), key, false)
		if err != nil || !found || got != want {
			t.Errorf("kept is %+v, %t, %v", got, found, err)
		}
		s.start(DefaultRule)
		if _, _, known := s.brake.Remembered(key); known {
			t.Error("a new process knows what it has not read")
		}
	}
	if _, _, err := s.brake.Kept(t.Context(), key, false); err != nil {
		t.Fatal(err)
	}
	s.must(s.brake.Inherited(t.Context(), key))
	if _, found, err := s.brake.Kept(t.Context(), key, true); found || err != nil || len(s.book()) > 0 {
		t.Errorf("it is found still: %t, %v, %v", found, err, s.book())
	}
}

// history is what a fleet went through, as a person who counts would see it.
type history struct {
	*scene
	t       *rapid.T
	homes   map[string][2]string // namespace and cluster of each Machine that there ever was
	deleted map[string]bool      // of those that are left: whether they are being deleted
	held    map[string]bool
	words   map[string]bool // which ones a person let go
	letGo   map[string]time.Time
}

// spread are Machines over two namespaces and two clusters.
func spread(t *rapid.T) *history {
	h := &history{t: t, homes: map[string][2]string{}, deleted: map[string]bool{}, held: map[string]bool{},
		words: map[string]bool{}, letGo: map[string]time.Time{}}
	var objects []client.Object
	for i := range rapid.IntRange(1, 60).Draw(t, "Machines") {
		home := [2]string{[]string{"team", "other"}[i%2], []string{"east", "west", "west"}[i%3]}
		h.homes[name(i)], h.deleted[name(i)] = home, false
		objects = append(objects, placed(name(i), home[0], home[1]))
	}
	h.scene = newScene(t, objects...)
	return h
}

// pick picks one that is left.
func (h *history) pick(deleted bool) (string, bool) {
	var names []string
	for i := range h.homes {
		if is, left := h.deleted[i]; left && is == deleted {
			names = append(names, i)
		}
	}
	if len(names) == 0 {
		return "", false
	}
	slices.Sort(names)
	return rapid.SampledFrom(names).Draw(h.t, "Machine"), true
}

func (h *history) step(step string) {
	switch step {
	case "delete":
		if m, found := h.pick(false); found {
			h.remove(m, h.homes[m][0])
			h.deleted[m] = true
		}
	case "ask":
		if m, found := h.pick(true); found {
			h.asks(m)
		}
	case "confirm":
		if m, found := h.pick(true); found {
			h.annotate(placed(m, h.homes[m][0], h.homes[m][1]), vitistackv1alpha1.AnnotationConfirmDeletion, "true")
			h.words[m] = true
		}
	case "wait":
		seconds := rapid.IntRange(0, 400).Draw(h.t, "seconds")
		h.clock.SetTime(h.clock.Now().Add(time.Duration(seconds) * time.Second))
	case "kill":
		h.start(DefaultRule)
	}
}

func (h *history) asks(m string) {
	switch got := h.ask(m, h.homes[m][0]); {
	case got.Is == Held:
		h.held[m] = true
	case got.Is == Go && h.held[m] && !h.words[m]:
		h.t.Fatalf("%s was held, and nobody let it go", m)
	case got.Is == Go:
		if !h.words[m] {
			h.letGo[m] = h.clock.Now()
		}
		h.finish(m, h.homes[m][0])
		delete(h.deleted, m)
	}
}

// check counts in each scope what was let go within the window.
func (h *history) check() {
	for _, scope := range []Scope{{Of: Fleet}, {Of: Namespace, Name: "team"}, {Of: Namespace, Name: "other"},
		{Of: Cluster, Name: "east"}, {Of: Cluster, Name: "west"}} {
		total, recent := 0, 0
		for m, home := range h.homes {
			if !scope.has(home[1], home[0]) {
				continue
			}
			total++
			if at, gone := h.letGo[m]; gone && h.clock.Now().Sub(at) < DefaultRule.Window {
				recent++
			}
		}
		if most := max(DefaultRule.Number, total*DefaultRule.Percent/100); recent > most {
			h.t.Fatalf("%d of %d of %s were let go, at most %d may", recent, total, scope, most)
		}
	}
}

// TestNeverTooMany: in whatever order Machines are deleted, ask, end and are let go, and however often
// the process is killed, no more go within the window than the rule allows, and who was held goes by a
// person's word alone.
func TestNeverTooMany(t *testing.T) {
	steps := []string{"delete", "delete", "delete", "ask", "ask", "ask", "ask", "confirm", "wait", "kill"}
	rapid.Check(t, func(t *rapid.T) {
		h := spread(t)
		for range rapid.IntRange(1, 150).Draw(t, "steps") {
			h.step(rapid.SampledFrom(steps).Draw(t, "step"))
			h.check()
		}
	})
}

// TestAloneIsNeverHeld: a deletion is let go at once where none was within the window.
func TestAloneIsNeverHeld(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.IntRange(1, 30).Draw(t, "Machines")
		s := newScene(t, fleetOf(total, "team", "east")...)
		for i := range total {
			s.remove(name(i), "team")
			if got := s.ask(name(i), "team"); got.Is != Go {
				t.Fatalf("deletion %d: %+v", i, got)
			}
			s.finish(name(i), "team")
			s.clock.SetTime(s.clock.Now().Add(DefaultRule.Window))
			if rapid.Bool().Draw(t, "kill") {
				s.start(DefaultRule)
			}
		}
	})
}

// TestUnreadableBook: an entry of somebody else's hand holds nobody up.
func TestUnreadableBook(t *testing.T) {
	s := newScene(t, append(fleetOf(20, "team", "east"), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: configsNamespace, Name: vitistackv1alpha1.DeletionsConfigMap},
		Data:       map[string]string{"x": "{", "kept.y": "]"},
	})...)
	s.remove("m0", "team")
	if got := s.ask("m0", "team"); got.Is != Go {
		t.Errorf("a single deletion: %+v", got)
	}
	if !strings.Contains(s.book()["team-m0"], `"config":"east"`) {
		t.Errorf("the book has %v", s.book())
	}
}
