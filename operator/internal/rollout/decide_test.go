package rollout

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// seen is what a test compares of a Decision.
type seen struct {
	Phase                            vitistackv1alpha1.RolloutPhase
	Reason                           string
	Begin, InFlight, Stays, Doubtful []string
	Total, Updated, Unavailable      int32
	Again                            time.Duration
}

func seenOf(d Decision) seen {
	s := seen{Phase: d.Status.Phase, Reason: d.Reason, Begin: d.Begin, Total: d.Status.Total, Updated: d.Status.Updated,
		Unavailable: d.Status.Unavailable}
	for _, entry := range d.Status.InFlight {
		s.InFlight = append(s.InFlight, entry.Machine)
	}
	for _, left := range d.Status.Stays {
		s.Stays = append(s.Stays, left.Machine+" "+left.Reason)
	}
	for uid := range d.Doubtful {
		s.Doubtful = append(s.Doubtful, string(uid))
	}
	if !d.Again.IsZero() {
		s.Again = d.Again.Sub(noon)
	}
	return s
}

// entry is what status.inFlight has of a Machine that was begun so long ago.
func entry(name string, ago time.Duration, isAsked bool) vitistackv1alpha1.RolloutInFlight {
	return vitistackv1alpha1.RolloutInFlight{Machine: "team-a/" + name, UID: types.UID("uid-" + name),
		Since: metav1.NewTime(noon.Add(-ago)), Asked: isAsked}
}

func flying(
	rollout *vitistackv1alpha1.MachineRollout, entries ...vitistackv1alpha1.RolloutInFlight,
) *vitistackv1alpha1.MachineRollout {
	rollout.Status.InFlight = entries
	return rollout
}

func classes() Sizes {
	of := func(name string, cores int64, memory string) vitistackv1alpha1.MachineClass {
		c := vitistackv1alpha1.MachineClass{ObjectMeta: metav1.ObjectMeta{Name: name}}
		c.Spec.CPU.Cores = cores
		c.Spec.Memory.Quantity.Set(map[string]int64{"2Gi": 2 << 30, "8Gi": 8 << 30}[memory])
		return c
	}
	edited, disabled := of("edited", 8, "8Gi"), of("disabled", 2, "2Gi")
	disabled.Spec.Enabled = new(false)
	return NewSizes([]vitistackv1alpha1.MachineClass{edited, disabled}, desired.Options{})
}

func class(name string) func(*vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) { m.Spec.MachineClass = name }
}

func owned(m *vitistackv1alpha1.Machine) {
	m.OwnerReferences = []metav1.OwnerReference{{Kind: "MachinePool", Name: "pool", UID: "o", Controller: new(true)}}
}

func rightless(m *vitistackv1alpha1.Machine) {
	says(m, metav1.ConditionFalse, vitistackv1alpha1.ReasonGuestRightMissing)
}

func because(reason string) func(*vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) { says(m, metav1.ConditionTrue, reason) }
}

func TestDecide(t *testing.T) {
	const (
		progressing, paused = vitistackv1alpha1.RolloutProgressing, vitistackv1alpha1.RolloutPaused
		succeeded           = vitistackv1alpha1.RolloutSucceeded
		incomplete          = vitistackv1alpha1.RolloutIncomplete
		rolling             = vitistackv1alpha1.ReasonRollingOut
		deadline            = 10 * time.Minute
	)
	type list = []*vitistackv1alpha1.Machine
	resize := func(change func(*spec)) *vitistackv1alpha1.MachineRollout {
		return restart(func(s *spec) {
			s.Action = vitistackv1alpha1.RolloutResize
			if change != nil {
				change(s)
			}
		})
	}
	to := func(name string) *vitistackv1alpha1.MachineRollout {
		return resize(func(s *spec) { s.Resize = &vitistackv1alpha1.RolloutNewSize{Class: name} })
	}
	most := func(value intstr.IntOrString) *vitistackv1alpha1.MachineRollout {
		return restart(func(s *spec) { s.MaxUnavailable = &value })
	}
	finished := []func(*vitistackv1alpha1.Machine){token("r"), record("rollout/r", noon, true)}
	cases := map[string]struct {
		reason   string
		rollout  *vitistackv1alpha1.MachineRollout
		machines list
		others   []*vitistackv1alpha1.MachineRollout
		want     seen
	}{
		"nothing": {
			reason: "a rollout that chooses no Machine is through", rollout: restart(nil),
			want: seen{Phase: succeeded, Reason: vitistackv1alpha1.ReasonRolledOut},
		},
		"first": {
			reason: "two of three may be unavailable", rollout: restart(nil), machines: list{ready("c"), ready("b"), ready("a")},
			want: seen{Phase: progressing, Reason: rolling, Begin: []string{"team-a/a", "team-a/b"},
				InFlight: []string{"team-a/a", "team-a/b"}, Total: 3, Unavailable: 2, Again: deadline},
		},
		"one at a time where nothing is said": {
			reason: "the least that can be unavailable", rollout: restart(func(s *spec) { s.MaxUnavailable = nil }),
			machines: list{ready("a"), ready("b")},
			want: seen{Phase: progressing, Reason: rolling, Begin: []string{"team-a/a"}, InFlight: []string{"team-a/a"},
				Total: 2, Unavailable: 1, Again: deadline},
		},
		"a share": {
			reason: "20% of 9 are one", rollout: most(intstr.FromString("20%")),
			machines: list{ready("a"), ready("b"), ready("c"), ready("d"), ready("e"), ready("f"), ready("g"), ready("h"), ready("i")},
			want: seen{Phase: progressing, Reason: rolling, Begin: []string{"team-a/a"}, InFlight: []string{"team-a/a"},
				Total: 9, Unavailable: 1, Again: deadline},
		},
		"none may be unavailable": {
			reason: "nothing would ever begin", rollout: most(intstr.FromInt32(0)), machines: list{ready("a")},
			want: seen{Phase: paused, Reason: vitistackv1alpha1.ReasonRolloutPaused, Total: 1},
		},
		"a share of 0": {
			reason: "a share of nothing is not rounded up", rollout: most(intstr.FromString("0%")), machines: list{ready("a")},
			want: seen{Phase: paused, Reason: vitistackv1alpha1.ReasonRolloutPaused, Total: 1},
		},
		"a share of 200": {
			reason: "nobody can tell what was meant", rollout: most(intstr.FromString("200%")), machines: list{ready("a")},
			want: seen{Phase: paused, Reason: vitistackv1alpha1.ReasonRolloutInvalid, Total: 1},
		},
		"more than there are": {
			reason: "all at once is what was asked for", rollout: most(intstr.FromInt32(9)), machines: list{ready("a"), ready("b")},
			want: seen{Phase: progressing, Reason: rolling, Begin: []string{"team-a/a", "team-a/b"},
				InFlight: []string{"team-a/a", "team-a/b"}, Total: 2, Unavailable: 2, Again: deadline},
		},
		"others are not healthy": {
			reason:  "who is not Ready by itself counts, and is not begun itself",
			rollout: restart(nil), machines: list{ready("a", notReady), ready("b"), ready("c")},
			want: seen{Phase: progressing, Reason: rolling, Begin: []string{"team-a/b"}, InFlight: []string{"team-a/b"},
				Stays: []string{"team-a/a MachinesNotHealthy"}, Total: 3, Unavailable: 2, Again: deadline},
		},
		"a silent cluster": {
			reason: "Ready is Unknown: unavailable, and nothing is begun on silence", rollout: restart(nil),
			machines: list{ready("b"), ready("a", unknown), ready("c", unknown)},
			want: seen{Phase: progressing, Reason: vitistackv1alpha1.ReasonMachinesNotHealthy,
				Stays: []string{"team-a/a MachinesNotHealthy", "team-a/c MachinesNotHealthy"}, Total: 3, Unavailable: 2},
		},
		"only sick ones are left": {
			reason: "they go on by themselves when they are healthy; until then it is no progress", rollout: restart(nil),
			machines: list{ready("a", finished...), ready("b", notReady)},
			want: seen{Phase: incomplete, Reason: vitistackv1alpha1.ReasonMachinesLeft,
				Stays: []string{"team-a/b MachinesNotHealthy"}, Total: 2, Updated: 1, Unavailable: 1},
		},
		"under way": {
			reason:   "whatever Ready says, until the record says that the guest was restarted",
			rollout:  flying(restart(func(s *spec) { s.MaxUnavailable = new(intstr.FromInt32(1)) }), entry("a", 0, true)),
			machines: list{ready("a", token("r")), ready("b")},
			want: seen{Phase: progressing, Reason: rolling, InFlight: []string{"team-a/a"}, Total: 2, Unavailable: 1,
				Again: deadline},
		},
		"recorded, not done": {
			reason:   "the guest is still the old one",
			rollout:  flying(restart(func(s *spec) { s.MaxUnavailable = new(intstr.FromInt32(1)) }), entry("a", 0, true)),
			machines: list{ready("a", token("r"), record("rollout/r", noon, false)), ready("b")},
			want: seen{Phase: progressing, Reason: rolling, InFlight: []string{"team-a/a"}, Total: 2, Unavailable: 1,
				Again: deadline},
		},
		"restarted, of an older generation": {
			reason:  "Ready speaks of what the Machine was",
			rollout: flying(restart(func(s *spec) { s.MaxUnavailable = new(intstr.FromInt32(1)) }), entry("a", 0, true)),
			machines: list{ready("a", append(finished, func(m *vitistackv1alpha1.Machine) { m.Generation = 2 })...),
				ready("b")},
			want: seen{Phase: progressing, Reason: rolling, InFlight: []string{"team-a/a"}, Total: 2, Unavailable: 1,
				Again: deadline},
		},
		"restarted and Ready": {
			reason:   "the next one begins",
			rollout:  flying(restart(func(s *spec) { s.MaxUnavailable = new(intstr.FromInt32(1)) }), entry("a", 0, true)),
			machines: list{ready("a", finished...), ready("b")},
			want: seen{Phase: progressing, Reason: rolling, Begin: []string{"team-a/b"}, InFlight: []string{"team-a/b"},
				Total: 2, Updated: 1, Unavailable: 1, Again: deadline},
		},
		"not healthy by an annotation": {
			reason: "an operator of Kubernetes clusters holds it until its node is Ready",
			rollout: flying(restart(func(s *spec) {
				s.Healthy = &vitistackv1alpha1.RolloutHealthy{
					Annotation: &vitistackv1alpha1.RolloutAnnotation{Name: "example.com/node", Value: "Ready"}}
			}), entry("a", 0, true)),
			machines: list{ready("a", finished...), ready("b")},
			want: seen{Phase: progressing, Reason: rolling, InFlight: []string{"team-a/a"}, Total: 2, Unavailable: 2,
				Stays: []string{"team-a/b MachinesNotHealthy"}, Again: deadline},
		},
		"healthy by a condition": {
			reason: "a condition of somebody else's", rollout: flying(restart(func(s *spec) {
				s.Healthy = &vitistackv1alpha1.RolloutHealthy{ConditionType: "NodeReady"}
			}), entry("a", 0, true)),
			machines: list{ready("a", append(finished, func(m *vitistackv1alpha1.Machine) {
				m.Status.SetCondition(metav1.Condition{Type: "NodeReady", Status: metav1.ConditionTrue})
			})...)},
			want: seen{Phase: succeeded, Reason: vitistackv1alpha1.ReasonRolledOut, Total: 1, Updated: 1},
		},
		"healthy for too short": {
			reason:   "it is looked at again when the time is over",
			rollout:  flying(restart(func(s *spec) { s.MinReadySeconds = 30 }), entry("a", 0, true)),
			machines: list{ready("a", finished...)},
			want: seen{Phase: progressing, Reason: rolling, InFlight: []string{"team-a/a"}, Total: 1, Unavailable: 1,
				Again: 30 * time.Second},
		},
		"it needs a person": {
			reason: "what it says of itself is told before the deadline", rollout: flying(restart(nil), entry("a", time.Minute, true)),
			machines: list{ready("a", token("r"), rightless)},
			want: seen{Phase: progressing, Reason: rolling, InFlight: []string{"team-a/a"},
				Stays: []string{"team-a/a " + vitistackv1alpha1.ReasonGuestRightMissing}, Total: 1, Unavailable: 1,
				Again: deadline - time.Minute},
		},
		"it does not come back": {
			reason: "the rollout pauses, and says which", rollout: flying(restart(nil), entry("a", 11*time.Minute, true)),
			machines: list{ready("a", append(finished, notReady)...), ready("b")},
			want: seen{Phase: paused, Reason: vitistackv1alpha1.ReasonNotHealthyInTime, InFlight: []string{"team-a/a"},
				Stays: []string{"team-a/a NotHealthyInTime"}, Total: 2, Unavailable: 1},
		},
		"it does not come back, and others go on": {
			reason: "it still counts as unavailable",
			rollout: flying(restart(func(s *spec) { s.PauseOnFailure = new(false) }),
				entry("a", 11*time.Minute, true)),
			machines: list{ready("a", append(finished, notReady)...), ready("b"), ready("c")},
			want: seen{Phase: progressing, Reason: rolling, Begin: []string{"team-a/b"},
				InFlight: []string{"team-a/a", "team-a/b"}, Stays: []string{"team-a/a NotHealthyInTime"}, Total: 3,
				Unavailable: 2, Again: deadline},
		},
		"as many do not come back as may be unavailable": {
			reason: "nothing can go on, whatever pauseOnFailure says",
			rollout: flying(restart(func(s *spec) { s.PauseOnFailure, s.MaxUnavailable = new(false), new(intstr.FromInt32(1)) }),
				entry("a", 11*time.Minute, true)),
			machines: list{ready("a", append(finished, notReady)...), ready("b")},
			want: seen{Phase: paused, Reason: vitistackv1alpha1.ReasonNotHealthyInTime, InFlight: []string{"team-a/a"},
				Stays: []string{"team-a/a NotHealthyInTime"}, Total: 2, Unavailable: 1},
		},
		"all but one came back": {
			reason: "what is left cannot be done", rollout: flying(restart(func(s *spec) { s.PauseOnFailure = new(false) }),
				entry("a", 11*time.Minute, true)),
			machines: list{ready("a", append(finished, notReady)...), ready("b", finished...)},
			want: seen{Phase: incomplete, Reason: vitistackv1alpha1.ReasonMachinesLeft, InFlight: []string{"team-a/a"},
				Stays: []string{"team-a/a NotHealthyInTime"}, Total: 2, Updated: 1, Unavailable: 1},
		},
		"paused": {
			reason: "those under way go on", rollout: flying(restart(func(s *spec) { s.Paused = true }), entry("a", 0, true)),
			machines: list{ready("a", token("r")), ready("b")},
			want: seen{Phase: paused, Reason: vitistackv1alpha1.ReasonRolloutPaused, InFlight: []string{"team-a/a"},
				Total: 2, Unavailable: 1, Again: deadline},
		},
		"aborting": {
			reason: "those under way end", rollout: flying(restart(func(s *spec) { s.Abort = true }), entry("a", 0, true)),
			machines: list{ready("a", token("r")), ready("b")},
			want: seen{Phase: progressing, Reason: vitistackv1alpha1.ReasonRolloutAborting, InFlight: []string{"team-a/a"},
				Total: 2, Unavailable: 1, Again: deadline},
		},
		"aborted": {
			reason: "one that does not come back does not hold up the end",
			rollout: flying(restart(func(s *spec) { s.Abort = true }),
				entry("a", 11*time.Minute, true)),
			machines: list{ready("a", token("r")), ready("b")},
			want: seen{Phase: vitistackv1alpha1.RolloutAborted, Reason: vitistackv1alpha1.ReasonRolloutAborted,
				InFlight: []string{"team-a/a"}, Stays: []string{"team-a/a NotHealthyInTime"}, Total: 2, Unavailable: 1},
		},
		"the status was lost": {
			reason: "what a Machine shows is under way, also where no record has it", rollout: restart(nil),
			machines: list{ready("a", token("r")), ready("b", token("r"), record("rollout/r", noon, false)), ready("c")},
			want: seen{Phase: progressing, Reason: rolling, InFlight: []string{"team-a/a", "team-a/b"}, Total: 3, Unavailable: 2,
				Again: deadline},
		},
		"the cache has no such Machine": {
			reason: "only a look past it tells that it is gone", rollout: flying(most(intstr.FromInt32(1)), entry("a", 0, true)),
			machines: list{ready("b")},
			want: seen{Phase: progressing, Reason: rolling, InFlight: []string{"team-a/a"}, Doubtful: []string{"uid-a"},
				Total: 2, Unavailable: 1},
		},
		"taken back, perhaps": {
			reason: "only a look past the cache tells", rollout: flying(most(intstr.FromInt32(1)), entry("a", 0, true)),
			machines: list{ready("a"), ready("b")},
			want: seen{Phase: progressing, Reason: rolling, InFlight: []string{"team-a/a"}, Doubtful: []string{"uid-a"},
				Total: 2, Unavailable: 1, Again: deadline},
		},
		"being deleted, or made later": {
			reason: "they are not part of it, and do not count", rollout: flying(most(intstr.FromInt32(1)), entry("a", 0, true)),
			machines: list{ready("a", token("r"), deleted), ready("b", later, notReady), ready("c")},
			want: seen{Phase: progressing, Reason: rolling, Begin: []string{"team-a/c"}, InFlight: []string{"team-a/c"},
				Total: 1, Unavailable: 1, Again: deadline},
		},
		"of another namespace": {
			reason: "a rollout chooses in its own", rollout: restart(nil), machines: list{ready("a", in("team-b"))},
			want: seen{Phase: succeeded, Reason: vitistackv1alpha1.ReasonRolledOut},
		},
		"all namespaces, from anywhere": {
			reason: "who may make rollouts in one namespace has no say in others", rollout: restart(func(s *spec) {
				s.AllNamespaces = true
			}), machines: list{ready("a")},
			want: seen{Phase: paused, Reason: vitistackv1alpha1.ReasonRolloutInvalid},
		},
		"an unreadable selector": {
			reason: "never more than was meant", rollout: restart(func(s *spec) {
				s.Selector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Near"}}}
			}), machines: list{ready("a")},
			want: seen{Phase: paused, Reason: vitistackv1alpha1.ReasonRolloutInvalid},
		},
		"another class": {
			reason: "a rollout of a class leaves others alone", rollout: restart(func(s *spec) { s.Class = "edited" }),
			machines: list{ready("a"), ready("b", class("edited"))},
			want: seen{Phase: progressing, Reason: rolling, Begin: []string{"team-a/b"}, InFlight: []string{"team-a/b"},
				Total: 1, Unavailable: 1, Again: deadline},
		},
		"restarts that are needed": {
			reason: "a change waits for the next start of one of them", rollout: restart(func(s *spec) {
				s.Which = vitistackv1alpha1.RolloutNeeded
			}), machines: list{ready("a"), ready("b", because(vitistackv1alpha1.ReasonRestartRequired))},
			want: seen{Phase: progressing, Reason: rolling, Begin: []string{"team-a/b"}, InFlight: []string{"team-a/b"},
				Total: 1, Unavailable: 1, Again: deadline},
		},
		"paused Machine": {
			reason: "the operator would not restart it", rollout: restart(nil), machines: list{ready("a", left)},
			want: seen{Phase: incomplete, Reason: vitistackv1alpha1.ReasonMachinesLeft, Stays: []string{"team-a/a Paused"},
				Total: 1},
		},
		"moving Machine": {
			reason: "it is begun when it has arrived", rollout: restart(nil), machines: list{ready("a", moving)},
			want: seen{Phase: incomplete, Reason: vitistackv1alpha1.ReasonMachinesLeft, Stays: []string{"team-a/a Moving"},
				Total: 1},
		},
		"an older rollout": {
			reason: "both would restart it", rollout: restart(nil), machines: list{ready("a")},
			others: []*vitistackv1alpha1.MachineRollout{called("first", time.Minute, restart(nil))},
			want: seen{Phase: progressing, Reason: vitistackv1alpha1.ReasonRolloutUnderWay,
				Stays: []string{"team-a/a RolloutUnderWay"}, Total: 1},
		},
		"an older rollout that is through": {
			reason: "what it asked for is over", rollout: restart(nil), machines: list{ready("a")},
			others: []*vitistackv1alpha1.MachineRollout{through(called("first", time.Minute, restart(nil)))},
			want: seen{Phase: progressing, Reason: rolling, Begin: []string{"team-a/a"}, InFlight: []string{"team-a/a"},
				Total: 1, Unavailable: 1, Again: deadline},
		},
		"a younger rollout has it under way": {
			reason: "it was begun while this one could not", rollout: restart(nil), machines: list{ready("a", token("second"))},
			others: []*vitistackv1alpha1.MachineRollout{flying(called("second", -time.Minute, restart(nil)), entry("a", 0, true))},
			want: seen{Phase: progressing, Reason: vitistackv1alpha1.ReasonRolloutUnderWay,
				Stays: []string{"team-a/a RolloutUnderWay"}, Total: 1},
		},
		"restarted since by somebody else": {
			reason: "that is what this rollout was for", rollout: restart(nil),
			machines: list{ready("a", record("by hand", noon.Add(time.Minute), true)), ready("b", record("before", noon.Add(-time.Minute), true))},
			want: seen{Phase: progressing, Reason: rolling, Begin: []string{"team-a/b"}, InFlight: []string{"team-a/b"},
				Total: 2, Updated: 1, Unavailable: 1, Again: deadline},
		},
		"resize those that differ": {
			reason: "the class was edited after they were made", rollout: resize(nil),
			machines: list{ready("a"), ready("b", class("edited"))},
			want: seen{Phase: progressing, Reason: rolling, Begin: []string{"team-a/b"}, InFlight: []string{"team-a/b"},
				Total: 1, Unavailable: 1, Again: deadline},
		},
		"resized, and still of the old size": {
			reason: "a restart alone is not what was asked for", rollout: flying(resize(nil), entry("a", 0, true)),
			machines: list{ready("a", append(finished, class("edited"), resizing)...)},
			want: seen{Phase: progressing, Reason: rolling, InFlight: []string{"team-a/a"}, Total: 1, Unavailable: 1,
				Again: deadline},
		},
		"resized": {
			reason: "it is of the size of its class", rollout: flying(resize(nil), entry("a", 0, true)),
			machines: list{ready("a", append(finished, class("edited"), resizing, func(m *vitistackv1alpha1.Machine) {
				m.Status.CPUs, m.Status.Memory = 8, 8<<30
			})...)},
			want: seen{Phase: succeeded, Reason: vitistackv1alpha1.ReasonRolledOut, Total: 1, Updated: 1},
		},
		"to another class": {
			reason: "who asks for another class differs", rollout: to("large"), machines: list{ready("a")},
			want: seen{Phase: progressing, Reason: rolling, Begin: []string{"team-a/a"}, InFlight: []string{"team-a/a"},
				Total: 1, Unavailable: 1, Again: deadline},
		},
		"to a class that is not there": {
			reason: "each Machine would be refused", rollout: to("huge"), machines: list{ready("a")},
			want: seen{Phase: paused, Reason: vitistackv1alpha1.ReasonRolloutInvalid, Stays: []string{"team-a/a UnknownClass"}, Total: 1},
		},
		"to another class, owned": {
			reason: "its owner would write the class again", rollout: to("large"), machines: list{ready("a", owned)},
			want: seen{Phase: incomplete, Reason: vitistackv1alpha1.ReasonOwnedByController,
				Stays: []string{"team-a/a OwnedByController"}, Total: 1},
		},
		"restart, owned": {
			reason: "annotations are not the owner's", rollout: restart(nil), machines: list{ready("a", owned)},
			want: seen{Phase: progressing, Reason: rolling, Begin: []string{"team-a/a"}, InFlight: []string{"team-a/a"},
				Total: 1, Unavailable: 1, Again: deadline},
		},
		"a class that gives no size": {
			reason: "nobody can tell whether it differs", rollout: resize(nil), machines: list{ready("a", class("disabled"))},
			want: seen{Phase: incomplete, Reason: vitistackv1alpha1.ReasonMachinesLeft, Stays: []string{"team-a/a ClassDisabled"},
				Total: 1},
		},
		"given up": {
			reason: "what was taken back is not asked again", rollout: givenUp(restart(nil)), machines: list{ready("a"), ready("b")},
			want: seen{Phase: paused, Reason: vitistackv1alpha1.ReasonChangeReverted, Stays: []string{"team-a/a ChangeReverted"},
				Total: 2},
		},
		"given up, and restarted after all": {
			reason: "what was asked for has happened", rollout: givenUp(restart(nil)), machines: list{ready("a", finished...)},
			want: seen{Phase: succeeded, Reason: vitistackv1alpha1.ReasonRolledOut, Total: 1, Updated: 1},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			facts := Facts{Rollout: tc.rollout, Machines: tc.machines, Others: append(tc.others, tc.rollout),
				Sizes: classes(), ConfigsNamespace: "configs", Now: noon}
			d := Decide(facts)
			if diff := cmp.Diff(tc.want, seenOf(d)); diff != "" {
				t.Errorf("%s: -want +got:\n%s\n%s", tc.reason, diff, d.Message)
			}
			if stands := stalled(d.Status.Phase); stands && strings.Contains(d.Message, "%!") {
				t.Errorf("the message is %q", d.Message)
			}
		})
	}
}

func unknown(m *vitistackv1alpha1.Machine) {
	says(m, metav1.ConditionUnknown, vitistackv1alpha1.ReasonUnreachable)
}

func deleted(m *vitistackv1alpha1.Machine) { m.DeletionTimestamp = &metav1.Time{Time: noon} }

func later(m *vitistackv1alpha1.Machine) { m.CreationTimestamp = metav1.NewTime(noon.Add(time.Minute)) }

func in(namespace string) func(*vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) { m.Namespace = namespace }
}

func left(m *vitistackv1alpha1.Machine) { m.Annotations[vitistackv1alpha1.AnnotationPaused] = "true" }

func resizing(m *vitistackv1alpha1.Machine) {
	m.Annotations[vitistackv1alpha1.AnnotationResize] = "rollout/r"
}

func moving(m *vitistackv1alpha1.Machine) {
	m.Annotations[vitistackv1alpha1.AnnotationPlacement] = vitistackv1alpha1.Ledger{Config: "east", Namespace: "team-a",
		VMName: "vm", Nonce: "n", Move: "move"}.String()
}

func through(rollout *vitistackv1alpha1.MachineRollout) *vitistackv1alpha1.MachineRollout {
	rollout.Status.Phase = vitistackv1alpha1.RolloutSucceeded
	return rollout
}

func givenUp(rollout *vitistackv1alpha1.MachineRollout) *vitistackv1alpha1.MachineRollout {
	rollout.Status.Failed = []vitistackv1alpha1.RolloutFailed{{Machine: "team-a/a", UID: "uid-a",
		Reason: vitistackv1alpha1.ReasonChangeReverted, Message: "sync took it back"}}
	return rollout
}

// TestOver: what is over does nothing more, whatever changes.
func TestOver(t *testing.T) {
	rollout := through(restart(nil))
	rollout.Generation = 7
	d := Decide(Facts{Rollout: rollout, Machines: []*vitistackv1alpha1.Machine{ready("a")}, Now: noon})
	if len(d.Begin) > 0 || d.Status.Phase != vitistackv1alpha1.RolloutSucceeded || d.Status.ObservedGeneration != 7 {
		t.Errorf("%+v", d)
	}
}

// TestOrder: the order is what the rollout says.
func TestOrder(t *testing.T) {
	of := func(name string, age time.Duration, gib int64) *vitistackv1alpha1.Machine {
		return ready(name, func(m *vitistackv1alpha1.Machine) {
			m.CreationTimestamp, m.Status.Memory = metav1.NewTime(noon.Add(-age)), gib<<30
		})
	}
	machines := []*vitistackv1alpha1.Machine{of("b", 1, 2), of("a", 3*time.Hour, 3), of("c", 2*time.Hour, 1)}
	for order, want := range map[vitistackv1alpha1.RolloutOrder]string{
		"": "acb", vitistackv1alpha1.RolloutOldestFirst: "acb", vitistackv1alpha1.RolloutNewestFirst: "bca",
		vitistackv1alpha1.RolloutByName: "abc", vitistackv1alpha1.RolloutSmallestFirst: "cba",
		vitistackv1alpha1.RolloutLargestFirst: "abc",
	} {
		sortBy(machines, order)
		got := ""
		for _, m := range machines {
			got += m.Name
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", order, got, want)
		}
	}
}

// TestListsAreBounded: a status fits in one object, however many Machines there are.
func TestListsAreBounded(t *testing.T) {
	rollout := restart(func(s *spec) { s.MaxUnavailable = new(intstr.FromString("100%")) })
	var machines []*vitistackv1alpha1.Machine
	for i := range 1000 {
		machines = append(machines, ready(fmt.Sprintf("m%d", i)), ready(fmt.Sprintf("ill%d", i), notReady))
	}
	d := Decide(Facts{Rollout: rollout, Machines: machines, Sizes: classes(), Now: noon})
	if len(d.Status.InFlight) != maxInFlight || len(d.Begin) != maxInFlight || len(d.Status.Stays) != maxListed {
		t.Errorf("%d under way, %d listed", len(d.Status.InFlight), len(d.Status.Stays))
	}
}
