package machine_test

import (
	"context"
	"slices"
	"testing"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness"
	"github.com/vitistack/kubevirt-multicluster/placement"
)

// questions are the calls to remote clusters that readiness alone makes.
func (w *world) questions() []string {
	return w.called(func(c call) bool {
		return c.cluster != supervisor && slices.Contains([]string{"NodeList", "PodList", "ResourceQuotaList", "LimitRangeList", "KubeVirtList"}, c.kind)
	})
}

// TestReadinessForStrategies: clusters are asked only where a strategy needs to know, and it is
// told of each.
func TestReadinessForStrategies(t *testing.T) {
	for name, needs := range map[string]placement.Needs{
		"no strategy needs it": {Presence: true, Machines: true}, "a strategy needs it": {Ready: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, []string{east, west}, newMachine(func(*vitistackv1alpha1.Machine) {}))
			var told []placement.Candidate
			asking := placement.NewFunc("asking", needs, func(_ context.Context, req placement.Request) (placement.Decision, error) {
				told = req.Candidates
				return placement.Decision{Config: west}, nil
			})
			if _, err := w.reconcile(machine.WithPlacement(placement.Chain{{Strategy: asking}})); err != nil {
				t.Fatal(err)
			}
			if asked := len(w.questions()) > 0; asked != needs.Ready {
				t.Errorf("clusters were asked: %t: %v", asked, w.questions())
			}
			for _, c := range told {
				if known := c.Ready.Verdict != placement.ReadyNotAsked; known != needs.Ready {
					t.Errorf("%s: %+v", c.Name, c.Ready)
				}
			}
			// These clusters have neither KubeVirt nor nodes.
			if needs.Ready && (told[0].Ready.Verdict != placement.ReadyNo || told[0].Ready.Reason != readiness.ReasonKubeVirt) {
				t.Errorf("%+v", told[0].Ready)
			}
		})
	}
}

// TestReadinessOfWhatCannotBe: a Machine of which nobody can tell what it needs is ready nowhere, and
// the other strategies are asked all the same.
func TestReadinessOfWhatCannotBe(t *testing.T) {
	w := newWorld(t, []string{east}, newMachine(func(m *vitistackv1alpha1.Machine) { m.Spec.RunStrategy = "Sometimes" }))
	var told placement.Ready
	asking := placement.NewFunc("asking", placement.Needs{Ready: true},
		func(_ context.Context, req placement.Request) (placement.Decision, error) {
			told = req.Candidates[0].Ready
			return placement.Decision{Config: east}, nil
		})
	if _, err := w.reconcile(machine.WithPlacement(placement.Chain{{Strategy: asking}})); err != nil {
		t.Fatal(err)
	}
	if told.Verdict != placement.ReadyUnknown || told.Reason != vitistackv1alpha1.ReasonInvalidSpec {
		t.Errorf("%+v", told)
	}
}

// TestFits asks about a Machine that exists, and about one that does not, and writes nothing but the
// questions that are creations.
func TestFits(t *testing.T) {
	w := newWorld(t, []string{east, west}, newMachine(in(east)))
	for range 2 {
		if err := w.create(); err != nil {
			t.Fatal(err)
		}
	}
	w.forget()
	r := w.reconciler()
	fitting, err := r.Fits(t.Context(), webKey)
	if err != nil || len(fitting.Reports) != 2 {
		t.Fatalf("%+v, %v", fitting, err)
	}
	for _, report := range fitting.Reports {
		if report.Here != (report.Config == east) {
			t.Errorf("it is in %s: %+v", east, report)
		}
	}
	wanted := newMachine(func(m *vitistackv1alpha1.Machine) { m.Name, m.UID = "new", "" })
	fitting, err = r.FitsWanted(t.Context(), wanted)
	if err != nil || len(fitting.Reports) != 2 || fitting.Reports[0].Here {
		t.Errorf("%+v, %v", fitting, err)
	}
	for _, write := range w.called(func(c call) bool { return c.writes() && c.kind != "SelfSubjectAccessReview" }) {
		if write != west+": create VirtualMachine" && write != east+": create VirtualMachine" {
			t.Errorf("it wrote: %s", write)
		}
	}
	elsewhere := newMachine(func(m *vitistackv1alpha1.Machine) { m.Name, m.Spec.Provider = "else", "proxmox" })
	if _, err := r.FitsWanted(t.Context(), elsewhere); err == nil {
		t.Error("it answers for a Machine of another provider")
	}
}
