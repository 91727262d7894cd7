package machine_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// chain has the four strategies of the specification, as short as they can be: the real ones are
// processes of another module.
func chain() machine.Option {
	return machine.WithPlacement(placement.Chain{
		{Strategy: placement.Explicit{}},
		{Strategy: strategy("default", false, func(r placement.Request) string { return r.Default })},
		{Strategy: strategy("single", false, func(r placement.Request) string {
			if len(r.Candidates) == 1 {
				return r.Candidates[0].Name
			}
			return ""
		})},
		{Strategy: strategy("search", true, func(r placement.Request) string {
			for _, c := range r.Candidates {
				if c.VM.Presence == placement.Present && c.VM.Owner != placement.Foreign {
					return c.Name
				}
			}
			return ""
		})},
	})
}

func strategy(name string, presence bool, choose func(placement.Request) string) placement.Strategy {
	place := func(_ context.Context, r placement.Request) (placement.Decision, error) {
		return placement.Decision{Config: choose(r), Reason: "test"}, nil
	}
	return placement.NewFunc(name, placement.Needs{Presence: presence}, place)
}

func withDefault(config string) machine.Option {
	return machine.WithSettings(machine.Settings{
		Desired: desired.Options{SupervisorUID: supervisorID}, VMNamePrefix: "vm-", DefaultConfig: config,
		ConfigsNamespace: "kubevirt-configs",
	})
}

// outcome is what people see of a Machine, and where its VirtualMachine is.
type outcome struct {
	Phase   vitistackv1alpha1.MachinePhase
	Placed  string
	Ready   string
	Message string // of Ready; "" in a case where it does not matter
	VMs     string
}

func (w *world) outcome() outcome {
	w.t.Helper()
	status := w.machine().Status
	o := outcome{Phase: status.Phase, Placed: w.condition("Placed"), Ready: w.condition("Ready"), VMs: w.where()}
	if ready := status.Condition("Ready"); ready != nil {
		o.Message = ready.Message
	}
	return o
}

// without leaves out the message where the case wants none.
func (o outcome) without(want outcome) outcome {
	if want.Message == "" {
		o.Message = ""
	}
	return o
}

func at(config string) outcome {
	return outcome{
		Phase: vitistackv1alpha1.MachinePhaseCreating, Placed: "True/Placed", Ready: "False/Creating",
		VMs: config + "/vm-web of " + string(machineUID),
	}
}

func failed(reason, message string) outcome {
	return outcome{Phase: vitistackv1alpha1.MachinePhaseFailed, Placed: "False/" + reason, Ready: "False/" + reason,
		Message: message}
}

func pending(reason string) outcome {
	return outcome{Phase: vitistackv1alpha1.MachinePhasePending, Placed: "False/" + reason, Ready: "False/" + reason}
}

func byField(config string) func(*vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) {
		m.Spec.KubevirtConfigRef = &vitistackv1alpha1.KubevirtConfigReference{Name: config}
	}
}

func TestPlace(t *testing.T) {
	unchanged := func(*vitistackv1alpha1.Machine) {}
	cases := map[string]struct {
		reason  string
		configs []string
		machine func(*vitistackv1alpha1.Machine)
		options []machine.Option
		want    outcome
	}{
		"Annotation": {
			reason:  "the annotation names the cluster (rule 1 of the specification)",
			configs: []string{east, west}, machine: in(west), want: at(west),
		},
		"Field": {
			reason:  "the field names the cluster, as the annotation does",
			configs: []string{east, west}, machine: byField(west), want: at(west),
		},
		"Both": {
			reason: "field and annotation that differ are refused", configs: []string{east, west},
			machine: func(m *vitistackv1alpha1.Machine) { in(east)(m); byField(west)(m) },
			want:    failed("ReferencesDiffer", ""),
		},
		"Unknown": {
			reason:  "a reference to a cluster that does not exist is refused by name (integration test 5 of the specification)",
			configs: []string{east}, machine: in("nowhere"),
			want: failed("ConfigNotFound", `KubevirtConfig nowhere not found in namespace kubevirt-configs (chosen by strategy "annotation")`),
		},
		"None": {
			reason: "without any cluster the refusal has the specification's words", machine: unchanged,
			want: failed("NoKubevirtConfigs", "machine team-a/web has no KubevirtConfig reference and no KubevirtConfigs are available in namespace kubevirt-configs"),
		},
		"Several": {
			reason: "with several clusters and no default the refusal has the specification's words", configs: []string{east, west},
			machine: unchanged,
			want: failed("CannotDeterminePlacement",
				"machine team-a/web has no KubevirtConfig reference and 2 configs are available - "+
					"cannot determine placement. Please set annotation 'vitistack.io/kubevirt-config' or DEFAULT_KUBEVIRT_CONFIG env var"),
		},
		"Default": {
			reason:  "the default takes Machines that name no cluster (rule 2 of the specification)",
			configs: []string{east, west}, machine: unchanged, options: []machine.Option{withDefault(west)}, want: at(west),
		},
		"Single": {
			reason:  "a single cluster takes Machines that name none (rule 3 of the specification)",
			configs: []string{east}, machine: unchanged, want: at(east),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tc.configs, newMachine(tc.machine))
			w.mustSettle(append([]machine.Option{chain()}, tc.options...)...)
			if diff := cmp.Diff(tc.want, w.outcome().without(tc.want)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if tc.want.VMs != "" && w.machine().Annotations[annotationRef] != w.ledger().Config {
				t.Error("the annotation does not tell where the Machine is")
			}
		})
	}
}

// placed is a world in which the Machine web is in cluster-east.
func placed(t testing.TB, change ...func(*vitistackv1alpha1.Machine)) *world {
	t.Helper()
	w := newWorld(t, []string{east, west}, newMachine(append([]func(*vitistackv1alpha1.Machine){in(east)}, change...)...))
	w.mustSettle()
	return w
}

func TestPlaceIsSticky(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*vitistackv1alpha1.Machine)
		ready  string
	}{
		"Annotation": {
			reason: "a change of the reference is refused, nothing moves",
			change: in(west), ready: "False/ReferenceChanged",
		},
		"Field": {
			reason: "a change of the reference by the field is refused, nothing moves",
			change: byField(west), ready: "False/ReferenceChanged",
		},
		"Removed": {
			reason: "a reference that is taken away is no other reference",
			change: func(m *vitistackv1alpha1.Machine) { delete(m.Annotations, annotationRef) }, ready: "False/Creating",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := placed(t)
			w.editMachine(tc.change)
			w.mustSettle(chain())
			want := at(east)
			want.Ready = tc.ready
			if diff := cmp.Diff(want, w.outcome().without(want)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestLedgerThatCannotBeTrusted(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*vitistackv1alpha1.Machine)
		want   string
	}{
		"Garbage": {
			reason: "a ledger that is half understood is not understood",
			change: annotated(vitistackv1alpha1.AnnotationPlacement, "{}"), want: "False/LedgerInvalid",
		},
		"Differs": {
			reason: "a ledger and a status that name two places hold the Machine",
			change: func(m *vitistackv1alpha1.Machine) {
				ledger, _ := vitistackv1alpha1.ParseLedger(m.Annotations[vitistackv1alpha1.AnnotationPlacement])
				ledger.Config = west
				annotated(vitistackv1alpha1.AnnotationPlacement, ledger.String())(m)
			},
			want: "False/LedgerConflict",
		},
		"Copied": {
			reason: "a ledger that came with a manifest of another namespace places nothing here",
			change: func(m *vitistackv1alpha1.Machine) {
				ledger, _ := vitistackv1alpha1.ParseLedger(m.Annotations[vitistackv1alpha1.AnnotationPlacement])
				ledger.Namespace = "team-b"
				annotated(vitistackv1alpha1.AnnotationPlacement, ledger.String())(m)
			},
			want: "False/LedgerConflict",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := placed(t)
			before := w.where()
			w.editMachine(tc.change)
			w.mustSettle()
			if diff := cmp.Diff([]string{tc.want, before}, []string{w.condition("Ready"), w.where()}); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
