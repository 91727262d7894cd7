package machine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/placement"
)

// TestExplain holds that an explanation says what the next reconcile does, and writes nothing.
func TestExplain(t *testing.T) {
	anywhere := func(*vitistackv1alpha1.Machine) {}
	cases := map[string]struct {
		reason  string
		machine func(*vitistackv1alpha1.Machine)
		east    *kubevirtv1.VirtualMachine
		silent  string
		settled bool // after the Machine was placed
		lost    bool // and its ledger is gone
		moved   bool // and it asks for another cluster
		want    machine.Verdict
		config  string
		because string // reason
	}{
		"Place": {
			reason:  "a Machine without a virtual machine would be placed",
			machine: in(west), want: machine.VerdictPlace, config: west,
		},
		"Adopt": {
			reason:  "a virtual machine that is there would be adopted",
			machine: anywhere, east: foundVM(ours), want: machine.VerdictAdopt, config: east,
		},
		"Wait": {
			reason:  "a Machine waits while a cluster is silent",
			machine: in(east), silent: west, want: machine.VerdictWait, because: "ClustersUnanswered",
		},
		"Blocked": {
			reason:  "a Machine for which no strategy decides waits for a person",
			machine: anywhere, want: machine.VerdictBlocked, because: "CannotDeterminePlacement",
		},
		"Collides": {
			reason:  "a name that somebody else's virtual machine has blocks the Machine",
			machine: in(east), east: foundVM(foreign), want: machine.VerdictBlocked, because: "NameCollision",
		},
		"Paused": {
			reason:  "a Machine that is paused is not looked after",
			machine: annotated(vitistackv1alpha1.AnnotationPaused, "true"), want: machine.VerdictPaused,
		},
		"Placed": {
			reason:  "of a Machine that is placed nobody is asked any more",
			machine: in(east), settled: true, want: machine.VerdictPlaced, config: east,
		},
		"Moved": {
			reason:  "a Machine whose reference changed stays, and says so",
			machine: in(east), settled: true, moved: true, want: machine.VerdictPlaced, config: east,
			because: "ReferenceChanged",
		},
		"Lost": {
			reason:  "a lost ledger is found again by the virtual machine",
			machine: in(east), settled: true, lost: true, want: machine.VerdictRestore, config: east,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, []string{east, west}, newMachine(tc.machine))
			if tc.east != nil {
				w.put(east, tc.east.DeepCopy())
			}
			if tc.silent != "" {
				w.silence(tc.silent)
			}
			if tc.settled {
				w.mustSettle(chain())
			}
			w.editMachine(func(m *vitistackv1alpha1.Machine) {
				if tc.lost {
					delete(m.Annotations, vitistackv1alpha1.AnnotationPlacement)
				}
				if tc.moved {
					in(west)(m)
				}
			})
			w.forget()
			got, err := w.reconciler(chain()).Explain(t.Context(), webKey)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{string(tc.want), tc.config, tc.because},
				[]string{string(got.Verdict), got.Config, got.Reason}); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if writes := w.written(); len(writes) > 0 {
				t.Errorf("%s: it writes %v", tc.reason, writes)
			}
			if got.Anew == nil != (tc.want != machine.VerdictPlaced && tc.want != machine.VerdictPaused &&
				tc.want != machine.VerdictRestore) {
				t.Errorf("%s: without its record it would be %v", tc.reason, got.Anew)
			}
			if len(got.Trace) == 0 || len(got.Request.Candidates) != 2 {
				t.Errorf("%s: there is no question for replay", tc.reason)
			}
			if tc.settled || tc.want == machine.VerdictPaused {
				return
			}
			if len(got.Trace) != 4 || len(got.Request.Candidates) != 2 {
				t.Errorf("%s: facts of %d clusters, answers of %d strategies", tc.reason, len(got.Request.Candidates),
					len(got.Trace))
			}
			w.mustSettle(chain())
			if placed := w.machine().Annotations[vitistackv1alpha1.AnnotationPlacement] != ""; placed != (tc.config != "") {
				t.Errorf("%s: the Machine is placed: %t", tc.reason, placed)
			}
		})
	}
}

// TestExplainAnew has a story: of a Machine that was placed there was no question, so that nobody
// could try a strategy with it while an operator ran.
func TestExplainAnew(t *testing.T) {
	cases := map[string]struct {
		reason  string
		machine func(*vitistackv1alpha1.Machine)
		paused  bool
		want    machine.Outcome
		asked   string // the reference that strategies see
	}{
		"placed by its reference": {
			reason:  "it asks for east still, and its virtual machine is found there",
			machine: in(east), asked: east,
			want: machine.Outcome{Verdict: machine.VerdictAdopt, Config: east, VM: "vm-web"},
		},
		"placed by default": {
			reason:  "the reference that the operator wrote is none of the Machine's own",
			machine: func(*vitistackv1alpha1.Machine) {},
			want:    machine.Outcome{Verdict: machine.VerdictAdopt, Config: west, VM: "vm-web"},
		},
		"paused": {
			reason:  "what would become of it without the pause",
			machine: in(west), paused: true, asked: west,
			want: machine.Outcome{Verdict: machine.VerdictPlace, Config: west},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, []string{east, west}, newMachine(tc.machine))
			if tc.paused {
				w.editMachine(annotated(vitistackv1alpha1.AnnotationPaused, "true"))
			} else {
				w.mustSettle(chain(), withDefault(west))
			}
			w.forget()
			got, err := w.reconciler(chain(), withDefault(west)).Explain(t.Context(), webKey)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tc.want, got.Anew); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			reference := got.Request.Machine.Reference
			if reference.Field+reference.Annotation != tc.asked {
				t.Errorf("%s: strategies see %+v, want %q", tc.reason, reference, tc.asked)
			}
			if writes := w.written(); len(writes) > 0 {
				t.Errorf("%s: it writes %v", tc.reason, writes)
			}
		})
	}
}

// TestExplainWanted explains Machines of files.
func TestExplainWanted(t *testing.T) {
	named := func(name string) func(*vitistackv1alpha1.Machine) {
		return func(m *vitistackv1alpha1.Machine) { m.Name = name }
	}
	cases := map[string]struct {
		reason  string
		wanted  *vitistackv1alpha1.Machine
		want    machine.Verdict
		config  string
		because string
	}{
		"new": {
			reason: "a Machine that does not exist yet would be placed",
			wanted: newMachine(named("new"), in(west), func(m *vitistackv1alpha1.Machine) { m.UID = "" }),
			want:   machine.VerdictPlace, config: west,
		},
		"new, with a UID and a status": {
			reason: "a Machine that is created gets another UID and no status, whatever a file says",
			wanted: newMachine(named("new"), in(west), func(m *vitistackv1alpha1.Machine) {
				m.Status.KubevirtConfigRef = &vitistackv1alpha1.KubevirtConfigReferenceStatus{Name: east}
			}),
			want: machine.VerdictPlace, config: west,
		},
		"placed": {
			reason: "a file without UID and status is applied to the Machine that is there, which stays",
			wanted: newMachine(in(west), func(m *vitistackv1alpha1.Machine) { m.UID = "" }),
			want:   machine.VerdictPlaced, config: east, because: "ReferenceChanged",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, []string{east, west}, newMachine(in(east)))
			w.mustSettle(chain())
			w.forget()
			got, err := w.reconciler(chain()).ExplainWanted(t.Context(), tc.wanted)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{string(tc.want), tc.config, tc.because},
				[]string{string(got.Verdict), got.Config, got.Reason}); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if got.Machine.UID == "" || len(got.Trace) == 0 {
				t.Errorf("%s: UID %q, %d answers", tc.reason, got.Machine.UID, len(got.Trace))
			}
			if writes := w.written(); len(writes) > 0 {
				t.Errorf("%s: it writes %v", tc.reason, writes)
			}
		})
	}
}

// TestExplainNamesHiddenAnnotations has a story: a strategy read the annotation zone, which nobody
// showed it, and its Machine went to the fallback without a word.
func TestExplainNamesHiddenAnnotations(t *testing.T) {
	w := newWorld(t, []string{east, west}, newMachine(annotated(
		"zone", "b", "example.com/token", "secret", "placement.vitistack.io/hint", "x",
		vitistackv1alpha1.AnnotationKubevirtConfig, east, vitistackv1alpha1.AnnotationAdopt, "east/uid",
	)))
	got, err := w.reconciler(chain()).Explain(t.Context(), webKey)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"example.com/token", "vitistack.io/adopt", "zone"}
	if diff := cmp.Diff(want, got.Hidden); diff != "" {
		t.Errorf("the annotations that strategies do not see (-want +got):\n%s", diff)
	}
	shown := map[string]string{"placement.vitistack.io/hint": "x"}
	if diff := cmp.Diff(shown, got.Request.Machine.Annotations); diff != "" {
		t.Errorf("the annotations that strategies see (-want +got):\n%s", diff)
	}
}

// TestTraceIsKept: who placed the Machine is on it, for people and for tools, and cost no write of
// its own.
func TestTraceIsKept(t *testing.T) {
	w := newWorld(t, []string{east, west}, newMachine())
	w.mustSettle(chain(), withDefault(west))
	trace := vitistackv1alpha1.ParsePlacementTrace(w.machine().Annotations[vitistackv1alpha1.AnnotationPlacementTrace])
	if trace.Config != west || trace.Strategy != "default" || len(trace.Steps) != 4 {
		t.Errorf("the trace is %+v", trace)
	}
	want := `placed in "cluster-west" as team-a/vm-web by strategy default (test)`
	if got := w.machine().Status.Condition("Placed").Message; got != want {
		t.Errorf("Placed says %q, want %q", got, want)
	}
	placing := 0
	w = newWorld(t, []string{east, west}, newMachine(in(east)))
	w.after = func(c call) error {
		if c.writes() && c.kind == anyMachine && c.verb == "patch" && len(w.vms()) == 0 {
			placing++
		}
		return nil
	}
	w.mustSettle(chain())
	if placing != 1 {
		t.Errorf("placing took %d patches of the Machine, want one", placing)
	}
}

// TestTraceSurvivesACrash: a process that ends between the record and the status takes nothing with
// it: people are told who has chosen, and not that its successor found the choice.
func TestTraceSurvivesACrash(t *testing.T) {
	w := newWorld(t, []string{east, west}, newMachine())
	w.after = func(c call) error {
		if c.writes() && c.kind == anyMachine && c.verb == "patch" {
			return errCrash
		}
		return nil
	}
	_, _ = w.reconcile(chain(), withDefault(west))
	w.after = nil
	if w.machine().Annotations[vitistackv1alpha1.AnnotationPlacement] == "" || w.machine().Status.KubevirtConfigRef != nil {
		t.Fatal("the process did not end between the record and the status")
	}
	w.mustSettle(chain())
	want := `placed in "cluster-west" as team-a/vm-web by strategy default (test)`
	if got := w.machine().Status.Condition("Placed").Message; got != want {
		t.Errorf("Placed says %q, want %q", got, want)
	}
}

// TestStrictUniqueness: with it not even a fresh Machine goes on while a cluster is silent.
func TestStrictUniqueness(t *testing.T) {
	for strict, want := range map[bool]string{false: "True/Placed", true: "False/ClustersUnanswered"} {
		w := newWorld(t, []string{east, west}, newMachine(in(east)))
		w.silence(west)
		w.mustSettle(chain(), machine.WithFreshness(freshness(true)), func(r *machine.MachineReconciler) {
			machine.Strict(r, strict)
		})
		if got := w.condition("Placed"); got != want {
			t.Errorf("strict is %t: Placed is %s, want %s", strict, got, want)
		}
	}
}

// hung is a client that never answers a read; the caller's deadline ends it.
type hung struct{ client.Client }

func (hung) Get(ctx context.Context, _ client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
	<-ctx.Done()
	return ctx.Err()
}

func (hung) List(ctx context.Context, _ client.ObjectList, _ ...client.ListOption) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestLookIsBounded looks into eight clusters of which two hang: the look ends by its deadline, the
// six have been asked once each, all at the same time, and who hangs is named. A placed Machine
// asks nobody.
func TestLookIsBounded(t *testing.T) {
	configs := []string{"c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"}
	w := newWorld(t, configs, newMachine(in("c1")))
	w.manager.LiveFunc = func(config string) (client.Reader, error) {
		if config == "c3" || config == "c7" {
			return hung{w.clients[config]}, nil
		}
		return w.clients[config], nil
	}
	w.forget()
	began := time.Now()
	if _, err := w.reconcile(chain()); err != nil {
		t.Fatal(err)
	}
	// Three times as long would be one cluster after the other.
	if took := time.Since(began); took < 2*time.Second || took > 4*time.Second {
		t.Errorf("the look took %v, want its deadline of 2 s", took)
	}
	if looks := w.called(func(c call) bool { return c.verb == "list" && c.kind == anyVM+"List" }); len(looks) != 6 {
		t.Errorf("the six were asked by %v", looks)
	}
	placed := w.machine().Status.Condition("Placed")
	if placed == nil || placed.Reason != "ClustersUnanswered" || !strings.HasSuffix(placed.Message, "c3, c7") {
		t.Errorf("Placed is %+v", placed)
	}
	w.manager.LiveFunc = nil
	w.mustSettle(chain())
	w.run("c1")
	w.mustSettle(chain())
	w.manager.LiveFunc = func(config string) (client.Reader, error) {
		t.Errorf("%s is asked about a Machine that is placed", config)
		return w.clients[config], nil
	}
	w.mustSettle(chain())
}

// TestFacts gathers what strategies need, and no more.
func TestFacts(t *testing.T) {
	quantity := func(cpu, memory string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu),
			corev1.ResourceMemory: resource.MustParse(memory)}
	}
	node := func(name string, ready corev1.ConditionStatus) *corev1.Node {
		return &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Status: corev1.NodeStatus{Allocatable: quantity("8", "32Gi"),
				Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready}}},
		}
	}
	pod := func(name, node string, phase corev1.PodPhase) *corev1.Pod {
		container := corev1.Container{Resources: corev1.ResourceRequirements{Requests: quantity("500m", "2Gi")}}
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "any", Name: name},
			Spec: corev1.PodSpec{NodeName: node, Containers: []corev1.Container{container, container},
				InitContainers: []corev1.Container{container}},
			Status: corev1.PodStatus{Phase: phase},
		}
	}
	w := newWorld(t, []string{east, west},
		newMachine(annotated("placement.vitistack.io/hint", "x", "example.com/secret", "y")),
		newMachine(func(m *vitistackv1alpha1.Machine) {
			m.Name, m.UID = "other", anotherUID
			ledger := vitistackv1alpha1.Ledger{Config: west, Namespace: namespace, VMName: "vm-other", Nonce: "n"}
			annotated(vitistackv1alpha1.AnnotationPlacement, ledger.String())(m)
		}))
	for _, object := range []client.Object{
		node("n1", corev1.ConditionTrue), node("n2", corev1.ConditionFalse),
		pod("runs", "n1", corev1.PodRunning), pod("ended", "n1", corev1.PodSucceeded),
		pod("elsewhere", "n2", corev1.PodRunning),
	} {
		w.put(east, object)
	}
	w.manager.LiveFunc = func(config string) (client.Reader, error) {
		if config == west { // its kubeconfig may not list nodes
			return nodeless{w.clients[config]}, nil
		}
		return w.clients[config], nil
	}
	var got placement.Request
	nosy := placement.NewFunc("nosy", placement.Needs{Capacity: true},
		func(_ context.Context, req placement.Request) (placement.Decision, error) {
			got = req
			return placement.Decision{Config: east, Reason: "test"}, nil
		})
	if _, err := w.reconcile(machine.WithPlacement(placement.Chain{{Strategy: nosy}}),
		machine.WithFreshness(freshness(true))); err != nil {
		t.Fatal(err)
	}
	want := placement.Request{
		Machine: placement.Machine{
			Namespace: namespace, Name: "web", UID: string(machineUID), InstanceType: "medium",
			Annotations: map[string]string{"placement.vitistack.io/hint": "x"},
			Requests:    placement.Resources{MilliCPU: new(int64(2000)), MemoryBytes: new(int64(2 << 30))},
		},
		Candidates: []placement.Candidate{
			{Name: east, Reachable: true, Capacity: placement.Capacity{
				Machines: new(int64(0)), Free: placement.Resources{MilliCPU: new(int64(7000)), MemoryBytes: new(int64(28 << 30))},
			}},
			{Name: west, Reachable: true, Capacity: placement.Capacity{Machines: new(int64(1))}},
		},
		ConfigNamespace: "kubevirt-configs",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the request (-want +got):\n%s", diff)
	}
}

// nodeless is a client that may not list nodes.
type nodeless struct{ client.Client }

func (f nodeless) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	if _, nodes := list.(*corev1.NodeList); nodes {
		return errConflict
	}
	return f.Client.List(ctx, list, opts...)
}
