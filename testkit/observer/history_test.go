package observer

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// TestRestored: a list tells whether the cluster was restored since the last look.
func TestRestored(t *testing.T) {
	generation := func(n *tale, of int64) *unstructured.Unstructured {
		return n.object("shop", "vm-web", webVM, map[string]any{"metadata": map[string]any{"generation": of}})
	}
	for name, c := range map[string]struct {
		reason string
		list   func(n *tale) ([]unstructured.Unstructured, string)
		want   bool
	}{
		"nothing changed": {
			reason: "the API server was only away",
			list: func(n *tale) ([]unstructured.Unstructured, string) {
				return []unstructured.Unstructured{*generation(n, 2)}, "999"
			},
		},
		"something is gone": {
			reason: "it may have been deleted while nobody looked",
			list:   func(*tale) ([]unstructured.Unstructured, string) { return nil, "999" },
		},
		"a lower revision": {
			reason: "revisions only grow",
			list: func(n *tale) ([]unstructured.Unstructured, string) {
				return []unstructured.Unstructured{*generation(n, 2)}, "50"
			},
			want: true,
		},
		"a lower generation": {
			reason: "a backup was restored with its revision bumped",
			list: func(n *tale) ([]unstructured.Unstructured, string) {
				return []unstructured.Unstructured{*generation(n, 1)}, "999"
			},
			want: true,
		},
		"back from the dead": {
			reason: "no UID comes twice",
			list: func(n *tale) ([]unstructured.Unstructured, string) {
				n.history.saw(east, virtualMachines, generation(n, 2), true, at(3))
				return []unstructured.Unstructured{*generation(n, 2)}, "999"
			},
			want: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := newTale(t)
			n.history.saw(east, virtualMachines, generation(n, 2), false, at(1))
			objects, revision := c.list(n)
			n.history.lost(east, virtualMachines, at(4))
			n.history.listed(east, virtualMachines, objects, revision, at(5))
			if got := n.seen(10).wasRestored(east, at(0), at(10)); got != c.want {
				t.Errorf("%s: restored is %t", c.reason, got)
			}
		})
	}
}

func TestTroubleOf(t *testing.T) {
	for name, c := range map[string]struct {
		reason     string
		state      fleet.State
		fault      faults.Fault
		is, silent bool
	}{
		"well":         {reason: "nothing is wrong", state: fleet.Running},
		"killed":       {reason: "nothing listens", state: fleet.Killed, is: true, silent: true},
		"frozen":       {reason: "nothing answers", state: fleet.Frozen, is: true, silent: true},
		"black-holed":  {reason: "nothing comes through", state: fleet.Running, fault: faults.Fault{Kind: faults.Blackhole}, is: true, silent: true},
		"slow":         {reason: "it answers", state: fleet.Running, fault: faults.Fault{Kind: faults.Latency}, is: true},
		"writes alone": {reason: "reads are answered", state: fleet.Running, fault: faults.Fault{Kind: faults.Reset, On: faults.Write}, is: true},
		"unauthorized": {reason: "no answer is an authorised one", state: fleet.Running, fault: faults.Fault{Kind: faults.Unauthorized, On: faults.All}, is: true, silent: true},
	} {
		t.Run(name, func(t *testing.T) {
			if is, silent := troubleOf(c.state, c.fault); is != c.is || silent != c.silent {
				t.Errorf("%s: it is in trouble: %t, silent: %t", c.reason, is, silent)
			}
		})
	}
}

func TestOutside(t *testing.T) {
	s := func(from, until float64) span { return span{From: at(from), Until: at(until)} }
	for name, c := range map[string]struct {
		reason string
		spans  []span
		want   float64
	}{
		"nothing":     {reason: "all of it is left", want: 10},
		"the middle":  {reason: "both ends are left", spans: []span{s(2, 4)}, want: 8},
		"overlapping": {reason: "what is covered twice counts once", spans: []span{s(3, 6), s(2, 4)}, want: 6},
		"around":      {reason: "nothing is left", spans: []span{s(-5, 20)}},
		"not ended":   {reason: "it goes on", spans: []span{{From: at(7)}}, want: 7},
		"elsewhere":   {reason: "it was over before", spans: []span{s(-5, -1), s(11, 12)}, want: 10},
	} {
		t.Run(name, func(t *testing.T) {
			if got := outside(c.spans, at(0), at(10)); got != time.Duration(c.want*float64(time.Second)) {
				t.Errorf("%s: %s", c.reason, got)
			}
		})
	}
}

// TestPersonsWish: what the operator writes into a Machine is no wish, and what people write is.
func TestPersonsWish(t *testing.T) {
	plain := &vitistackv1alpha1.Machine{}
	placed := plain.DeepCopy()
	placedIn(east, webVM)(placed)
	asked := placed.DeepCopy()
	asked.Annotations[vitistackv1alpha1.AnnotationRestart] = "now"
	if wishOf(plain) != wishOf(placed) || wishOf(placed) == wishOf(asked) {
		t.Errorf("wishes: %s, %s, %s", wishOf(plain), wishOf(placed), wishOf(asked))
	}
}

// TestForget: a Machine that changes for hours takes no more memory than one that changes for minutes,
// and no rule takes the gap for a change.
func TestForget(t *testing.T) {
	n := newTale(t)
	n.machine(0, placedIn(east, webVM))
	for i := range 10 * states {
		n.machine(float64(i), all(placedIn(west, "other"), phase(vitistackv1alpha1.MachinePhase(fmt.Sprint(i)))))
	}
	s := n.seen(10 * states)
	if got := len(s.machines[web].States); got > 2*states+1 {
		t.Errorf("%d sights are kept", got)
	}
	if found := displaced(s); len(found) > 0 {
		t.Errorf("%v", found)
	}
}
