package evacuation

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func drain(change func(*vitistackv1alpha1.EvacuationSpec)) *vitistackv1alpha1.Evacuation {
	evacuation := &vitistackv1alpha1.Evacuation{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kubevirt-configs", Name: "east", UID: "e", Generation: 1},
		Spec:       vitistackv1alpha1.EvacuationSpec{Config: "east", MaxInFlight: 2},
	}
	if change != nil {
		change(&evacuation.Spec)
	}
	return evacuation
}

// in is a Machine that is placed in a cluster. It is Ready.
func in(config, name string) *vitistackv1alpha1.Machine {
	m := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{
		Namespace: "team-a", Name: name, UID: types.UID("uid-" + name), CreationTimestamp: metav1.NewTime(noon.Add(-time.Hour)),
		Annotations: map[string]string{vitistackv1alpha1.AnnotationPlacement: vitistackv1alpha1.Ledger{
			Config: config, Namespace: "team-a", VMName: "vm-" + name, Nonce: "n"}.String()},
	}}
	m.Status.SetCondition(metav1.Condition{Type: vitistackv1alpha1.ConditionReady, Status: metav1.ConditionTrue})
	return m
}

func notReady(m *vitistackv1alpha1.Machine) *vitistackv1alpha1.Machine {
	m.Status.SetCondition(metav1.Condition{Type: vitistackv1alpha1.ConditionReady, Status: metav1.ConditionFalse})
	return m
}

func deleted(m *vitistackv1alpha1.Machine) *vitistackv1alpha1.Machine {
	m.DeletionTimestamp = &metav1.Time{Time: noon}
	return m
}

func sized(m *vitistackv1alpha1.Machine, age time.Duration, gib ...int64) *vitistackv1alpha1.Machine {
	m.CreationTimestamp = metav1.NewTime(noon.Add(-age))
	for _, each := range gib {
		m.Spec.Disks = append(m.Spec.Disks, vitistackv1alpha1.MachineSpecDisk{SizeGB: each})
	}
	return m
}

// is is the Evacuation's MachineMove of a Machine, in a phase.
func is(
	evacuation *vitistackv1alpha1.Evacuation, name string, phase vitistackv1alpha1.MovePhase,
	steps ...vitistackv1alpha1.MovePhase,
) *vitistackv1alpha1.MachineMove {
	move := MoveFor(evacuation, in("east", name))
	move.UID = types.UID("move-" + name)
	move.Status.Phase = phase
	for _, step := range steps {
		move.Status.Steps = append(move.Status.Steps, vitistackv1alpha1.MoveStep{Phase: step})
	}
	return move
}

// saying gives a move its conditions.
func saying(
	move *vitistackv1alpha1.MachineMove, reason, message string, isStalled bool,
) *vitistackv1alpha1.MachineMove {
	status := metav1.ConditionFalse
	if isStalled {
		status = metav1.ConditionTrue
	}
	move.Status.Conditions = []metav1.Condition{
		{Type: vitistackv1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: reason, Message: message,
			LastTransitionTime: metav1.NewTime(noon)},
		{Type: vitistackv1alpha1.ConditionStalled, Status: status, Reason: reason, Message: message},
	}
	return move
}

func others(move *vitistackv1alpha1.MachineMove) *vitistackv1alpha1.MachineMove {
	move.Name, move.Labels = "by-hand-"+move.Spec.MachineName, nil
	return move
}

// seen is what a test compares of a Decision.
type seen struct {
	Phase                      vitistackv1alpha1.EvacuationPhase
	Reason                     string
	Begin                      []string
	Total, Moved, Moving, Left int32
	Stays                      []string
	Stalled, Settling          bool
}

func seenOf(d Decision) seen {
	s := seen{Phase: d.Status.Phase, Reason: d.Reason, Total: d.Status.Total, Moved: d.Status.Moved,
		Moving: d.Status.Moving, Left: d.Status.Left, Stalled: d.Stalled(), Settling: d.Settling}
	for _, machine := range d.Queue[:d.Room] {
		s.Begin = append(s.Begin, machine.Name)
	}
	for _, left := range d.Status.Stays {
		s.Stays = append(s.Stays, left.Machine+" "+left.Reason)
	}
	return s
}

func TestDecide(t *testing.T) {
	const (
		pending, stopping = vitistackv1alpha1.MovePhasePending, vitistackv1alpha1.MovePhaseStopping
		copying, starting = vitistackv1alpha1.MovePhaseCopying, vitistackv1alpha1.MovePhaseStarting
		succeeded         = vitistackv1alpha1.MovePhaseSucceeded
		broken            = vitistackv1alpha1.MovePhaseFailed
		moving            = vitistackv1alpha1.EvacuationMoving
		paused            = vitistackv1alpha1.EvacuationPaused
	)
	plain := drain(nil)
	of := func(change func(*vitistackv1alpha1.EvacuationSpec)) *vitistackv1alpha1.Evacuation {
		return drain(change)
	}
	unavailable := func(most intstr.IntOrString) *vitistackv1alpha1.Evacuation {
		return of(func(s *vitistackv1alpha1.EvacuationSpec) { s.MaxInFlight, s.MaxUnavailable = 10, &most })
	}
	machines := func(names ...string) (all []*vitistackv1alpha1.Machine) {
		for _, name := range names {
			all = append(all, in("east", name))
		}
		return all
	}
	type list = []*vitistackv1alpha1.MachineMove
	cases := map[string]struct {
		reason string
		facts  Facts
		want   seen
	}{
		"none": {
			reason: "an empty cluster is evacuated",
			facts:  Facts{Evacuation: plain},
			want:   seen{Phase: vitistackv1alpha1.EvacuationSucceeded, Reason: vitistackv1alpha1.ReasonEvacuated},
		},
		"first": {
			reason: "two of three may go at once",
			facts:  Facts{Evacuation: plain, Here: machines("c", "b", "a")},
			want: seen{Phase: moving, Reason: vitistackv1alpha1.ReasonEvacuating, Begin: []string{"a", "b"}, Total: 3,
				Left: 3},
		},
		"one at a time": {
			reason: "one is on its way, so one more may go",
			facts:  Facts{Evacuation: plain, Here: machines("a", "b", "c"), Moves: list{is(plain, "a", copying)}},
			want: seen{Phase: moving, Reason: vitistackv1alpha1.ReasonEvacuating, Begin: []string{"b"}, Total: 3, Moving: 1,
				Left: 3},
		},
		"at the target": {
			reason: "a guest that starts at the target is not there yet, and keeps its turn",
			facts: Facts{Evacuation: plain, Here: machines("b", "c"),
				Moves: list{is(plain, "a", starting), is(plain, "b", stopping)}},
			want: seen{Phase: moving, Reason: vitistackv1alpha1.ReasonEvacuating, Total: 3, Moving: 2, Left: 2},
		},
		"the last cleans up": {
			reason: "it is over when its moves are",
			facts:  Facts{Evacuation: plain, Moves: list{is(plain, "a", vitistackv1alpha1.MovePhaseCleaning)}},
			want:   seen{Phase: moving, Reason: vitistackv1alpha1.ReasonEvacuating, Total: 1, Moving: 1},
		},
		"done": {
			reason: "what was moved counts also when its Machine is gone since",
			facts:  Facts{Evacuation: plain, Moves: list{is(plain, "a", succeeded), is(plain, "b", succeeded)}},
			want: seen{Phase: vitistackv1alpha1.EvacuationSucceeded, Reason: vitistackv1alpha1.ReasonEvacuated, Total: 2,
				Moved: 2},
		},
		"moved by hand": {
			reason: "a person's move takes a turn, and gets no second one beside it",
			facts: Facts{Evacuation: plain, Here: machines("a", "b", "c"),
				Moves: list{others(is(plain, "a", copying)), others(is(plain, "z", copying))}},
			want: seen{Phase: moving, Reason: vitistackv1alpha1.ReasonEvacuating, Begin: []string{"b"}, Total: 3, Moving: 1,
				Left: 3},
		},
		"refused by hand": {
			reason: "a person's move that cannot begin leaves its turn to another Machine",
			facts: Facts{Evacuation: plain, Here: machines("a", "b", "c"),
				Moves: list{saying(others(is(plain, "a", pending)), "CannotMove", "gpu", true)}},
			want: seen{Phase: moving, Reason: vitistackv1alpha1.ReasonEvacuating, Begin: []string{"b", "c"}, Total: 3, Left: 3,
				Stays: []string{"team-a/a CannotMove"}},
		},
		"paused": {
			reason: "those under way go on",
			facts: Facts{Evacuation: of(func(s *vitistackv1alpha1.EvacuationSpec) { s.Paused = true }),
				Here: machines("a", "b"), Moves: list{is(plain, "a", copying)}},
			want: seen{Phase: paused, Reason: vitistackv1alpha1.ReasonEvacuationPaused, Total: 2, Moving: 1, Left: 2,
				Stalled: true},
		},
		"one broke off": {
			reason: "something was done to it, so nothing else begins before a person has looked",
			facts: Facts{Evacuation: plain, Here: machines("a", "b"),
				Moves: list{saying(is(plain, "a", broken, stopping, copying), "TimedOut", "slow", true)}},
			want: seen{Phase: paused, Reason: vitistackv1alpha1.ReasonMoveFailed, Total: 2, Left: 2, Stalled: true,
				Stays: []string{"team-a/a TimedOut"}},
		},
		"one broke off and went": {
			reason: "its Machine is not here any more, so that there is nothing to look at",
			facts: Facts{Evacuation: plain, Here: machines("b"),
				Moves: list{saying(is(plain, "a", broken, stopping), "TimedOut", "slow", true)}},
			want: seen{Phase: moving, Reason: vitistackv1alpha1.ReasonEvacuating, Begin: []string{"b"}, Total: 1, Left: 1},
		},
		"one broke off, and go on": {
			reason: "pauseOnFailure is false",
			facts: Facts{Evacuation: of(func(s *vitistackv1alpha1.EvacuationSpec) { s.PauseOnFailure = new(false) }),
				Here:  machines("a", "b"),
				Moves: list{saying(is(plain, "a", broken, stopping), "TimedOut", "slow", true)}},
			want: seen{Phase: moving, Reason: vitistackv1alpha1.ReasonEvacuating, Begin: []string{"b"}, Total: 2, Left: 2,
				Stays: []string{"team-a/a TimedOut"}},
		},
		"all others are done": {
			reason: "nothing is left that could go, so it is no pause",
			facts: Facts{Evacuation: plain, Here: machines("a"),
				Moves: list{saying(is(plain, "a", broken, stopping), "TimedOut", "slow", true), is(plain, "b", succeeded)}},
			want: seen{Phase: vitistackv1alpha1.EvacuationIncomplete, Reason: vitistackv1alpha1.ReasonMachinesStay, Total: 2,
				Moved: 1, Left: 1, Stalled: true, Stays: []string{"team-a/a TimedOut"}},
		},
		"one cannot go": {
			reason: "nothing was done to it, so the others go",
			facts: Facts{Evacuation: plain, Here: machines("a", "b", "c"),
				Moves: list{saying(is(plain, "a", pending), "CannotMove", "gpu", true)}},
			want: seen{Phase: moving, Reason: vitistackv1alpha1.ReasonEvacuating, Begin: []string{"b", "c"}, Total: 3, Left: 3,
				Stays: []string{"team-a/a CannotMove"}},
		},
		"one could not go": {
			reason: "a move that ended before it began broke nothing",
			facts: Facts{Evacuation: plain, Here: machines("a", "b"),
				Moves: list{saying(is(plain, "a", broken, pending), "NoTarget", "full", true)}},
			want: seen{Phase: moving, Reason: vitistackv1alpha1.ReasonEvacuating, Begin: []string{"b"}, Total: 2, Left: 2,
				Stays: []string{"team-a/a NoTarget"}},
		},
		"one was given up": {
			reason: "a person wants that Machine to stay",
			facts: Facts{Evacuation: plain, Here: machines("a", "b"),
				Moves: list{saying(is(plain, "a", broken, stopping), "MoveAborted", "", true)}},
			want: seen{Phase: moving, Reason: vitistackv1alpha1.ReasonEvacuating, Begin: []string{"b"}, Total: 2, Left: 2,
				Stays: []string{"team-a/a MoveAborted"}},
		},
		"one was given up, and a person moves it": {
			reason: "the person's move counts",
			facts: Facts{Evacuation: plain, Here: machines("a"),
				Moves: list{saying(is(plain, "a", broken, stopping), "MoveAborted", "", true),
					others(is(plain, "a", copying))}},
			want: seen{Phase: moving, Reason: vitistackv1alpha1.ReasonEvacuating, Total: 1, Moving: 1, Left: 1},
		},
		"one waits for a person": {
			reason: "it has begun, so it keeps its turn, and is told",
			facts: Facts{Evacuation: plain, Here: machines("a", "b", "c"),
				Moves: list{saying(is(plain, "a", copying), "SourceStarted", "stop it", true)}},
			want: seen{Phase: moving, Reason: vitistackv1alpha1.ReasonEvacuating, Begin: []string{"b"}, Total: 3, Moving: 1,
				Left: 3, Stays: []string{"team-a/a SourceStarted"}},
		},
		"none can go": {
			reason: "it ends, and says which",
			facts: Facts{Evacuation: plain, Here: machines("a"),
				Moves: list{saying(is(plain, "a", pending), "NoTarget", "full", true)}},
			want: seen{Phase: vitistackv1alpha1.EvacuationIncomplete, Reason: vitistackv1alpha1.ReasonMachinesStay, Total: 1,
				Left: 1, Stalled: true, Stays: []string{"team-a/a NoTarget"}},
		},
		"one is being deleted": {
			reason: "it goes by itself, and takes no turn",
			facts:  Facts{Evacuation: plain, Here: append(machines("b"), deleted(in("east", "a")))},
			want: seen{Phase: moving, Reason: vitistackv1alpha1.ReasonEvacuating, Begin: []string{"b"}, Total: 2,
				Left: 2},
		},
		"two watches": {
			reason: "its move is over, and its Machine is still to be heard of",
			facts: Facts{Evacuation: plain, Here: machines("a"), Now: noon.Add(time.Second),
				Moves: list{saying(is(plain, "a", succeeded), "Moved", "", false)}},
			want: seen{Phase: moving, Reason: vitistackv1alpha1.ReasonEvacuating, Total: 1, Left: 1, Settling: true},
		},
		"back again": {
			reason: "somebody moved it back; it is not moved twice without being asked",
			facts: Facts{Evacuation: plain, Here: machines("a"), Now: noon.Add(time.Hour),
				Moves: list{saying(is(plain, "a", succeeded), "Moved", "", false)}},
			want: seen{Phase: vitistackv1alpha1.EvacuationIncomplete, Reason: vitistackv1alpha1.ReasonMachinesStay, Total: 1,
				Left: 1, Stalled: true, Stays: []string{"team-a/a Moved"}},
		},
		"made anew": {
			reason: "the Machine of the move is gone; one of its name is another one",
			facts: Facts{Evacuation: plain, Here: []*vitistackv1alpha1.Machine{func() *vitistackv1alpha1.Machine {
				m := in("east", "a")
				m.UID = "another"
				return m
			}()}, Moves: list{is(plain, "a", succeeded)}},
			want: seen{Phase: moving, Reason: vitistackv1alpha1.ReasonEvacuating, Begin: []string{"a"}, Total: 2, Moved: 1,
				Left: 1},
		},
		"refused by the server": {
			reason: "a namespace that takes no MachineMove keeps no other from going",
			facts: Facts{Evacuation: plain, Here: machines("a", "b"),
				Refused: map[types.UID]string{"uid-a": "no"}},
			want: seen{Phase: moving, Reason: vitistackv1alpha1.ReasonEvacuating, Begin: []string{"b"}, Total: 2, Left: 2,
				Stays: []string{"team-a/a SupervisorRefused"}},
		},
		"few may be down": {
			reason: "one is down for another cause, so that one more may go",
			facts: Facts{Evacuation: unavailable(intstr.FromInt32(2)),
				Here: append(machines("b", "c"), notReady(in("east", "z")))},
			want: seen{Phase: moving, Reason: vitistackv1alpha1.ReasonEvacuating, Begin: []string{"b"}, Total: 3, Left: 3},
		},
		"a share may be down": {
			reason: "a third of four is rounded up, and those that were moved count too",
			facts: Facts{Evacuation: unavailable(intstr.FromString("33%")), Here: machines("b", "c", "d"),
				Away: []*vitistackv1alpha1.Machine{notReady(in("west", "a"))}, Moves: list{is(plain, "a", succeeded)}},
			want: seen{Phase: moving, Reason: vitistackv1alpha1.ReasonEvacuating, Begin: []string{"b"}, Total: 4, Moved: 1,
				Left: 3},
		},
		"too many are down": {
			reason: "none goes, and it says why; it goes on when they are Ready",
			facts: Facts{Evacuation: unavailable(intstr.FromInt32(1)),
				Here: append(machines("b"), notReady(in("east", "z")))},
			want: seen{Phase: moving, Reason: vitistackv1alpha1.ReasonEvacuating, Total: 2, Left: 2},
		},
		"about to be down": {
			reason: "a move that has not begun yet takes its Machine down soon",
			facts: Facts{Evacuation: unavailable(intstr.FromInt32(1)), Here: machines("a", "b"),
				Moves: list{is(plain, "a", "")}},
			want: seen{Phase: moving, Reason: vitistackv1alpha1.ReasonEvacuating, Total: 2, Moving: 1, Left: 2},
		},
		"none may be down": {
			reason: "no move can ever begin, and a person must say so",
			facts:  Facts{Evacuation: unavailable(intstr.FromInt32(0)), Here: machines("a")},
			want: seen{Phase: paused, Reason: vitistackv1alpha1.ReasonEvacuationPaused, Total: 1, Left: 1,
				Stalled: true},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.facts.Now.IsZero() {
				tc.facts.Now = noon
			}
			d := Decide(tc.facts)
			if diff := cmp.Diff(tc.want, seenOf(d)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
			if d.Message == "" {
				t.Error("it does not say what is so")
			}
		})
	}
}

func TestOrder(t *testing.T) {
	machines := []*vitistackv1alpha1.Machine{
		sized(in("east", "small-old"), 3*time.Hour, 5), sized(in("east", "large"), time.Hour, 40, 20),
		sized(in("east", "unsized"), 2*time.Hour), sized(in("east", "also-ten"), 2*time.Hour, 10),
	}
	for order, want := range map[vitistackv1alpha1.EvacuationOrder][]string{
		"":                                      {"small-old", "also-ten", "unsized", "large"},
		vitistackv1alpha1.EvacuateSmallestFirst: {"small-old", "also-ten", "unsized", "large"},
		vitistackv1alpha1.EvacuateLargestFirst:  {"large", "also-ten", "unsized", "small-old"},
		vitistackv1alpha1.EvacuateOldestFirst:   {"small-old", "also-ten", "unsized", "large"},
		vitistackv1alpha1.EvacuateByName:        {"also-ten", "large", "small-old", "unsized"},
	} {
		var got []string
		for _, machine := range ordered(machines, order) {
			got = append(got, machine.Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", order, diff)
		}
	}
}

// TestListIsBounded: a status has no more than 50 Machines and messages of their length, however many
// cannot go.
func TestListIsBounded(t *testing.T) {
	f := Facts{Evacuation: drain(nil), Now: noon}
	long := ""
	for len(long) < 2*maxListedMessage {
		long += "ä"
	}
	for i := range 60 {
		name := fmt.Sprintf("m%02d", i)
		f.Here = append(f.Here, in("east", name))
		f.Moves = append(f.Moves, saying(is(f.Evacuation, name, vitistackv1alpha1.MovePhasePending), "NoTarget", long, true))
	}
	d := Decide(f)
	if len(d.Status.Stays) != maxListed || d.Status.Left != 60 || len(d.Message) > 200 {
		t.Errorf("%d listed of %d, in %q", len(d.Status.Stays), d.Status.Left, d.Message)
	}
	for _, left := range d.Status.Stays {
		if len(left.Message) > maxListedMessage {
			t.Fatalf("a message of %d bytes", len(left.Message))
		}
	}
	if want := "team-a/m00, team-a/m01, team-a/m02, team-a/m03, team-a/m04 and others cannot be moved: status.stays says why"; d.Message != want {
		t.Errorf("the message is %q", d.Message)
	}
}

func TestNameOf(t *testing.T) {
	evacuation, other := drain(nil), drain(nil)
	other.UID = "other"
	names := map[string]bool{}
	long := in("east", "a-very-long-name-of-a-machine-that-ends-in-a-point-at-x.and-goes-on")
	again := in("east", "web")
	again.UID = "again"
	for _, m := range []*vitistackv1alpha1.Machine{in("east", "web"), again, long} {
		for _, e := range []*vitistackv1alpha1.Evacuation{evacuation, other} {
			name := NameOf(e, m)
			if names[name] || len(name) > 63 {
				t.Errorf("%q is long or another one's", name)
			}
			names[name] = true
			if name != NameOf(e, m) {
				t.Errorf("%q changes", name)
			}
		}
	}
}
