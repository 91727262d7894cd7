package plugins_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/placementtest"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/labels"
	"github.com/vitistack/kubevirt-multicluster/placement-plugins/search"
	"github.com/vitistack/kubevirt-multicluster/placement-plugins/spread"
)

// TestConformanceOfProcesses runs the suite on the programs as processes of a host, and on one of
// each kind as side-cars; each package runs it on its strategy.
func TestConformanceOfProcesses(t *testing.T) {
	hosts := map[string]*plugin.Host{
		"Exec":   newHost(t, slices.Concat(strategies, others)),
		"Socket": sidecars(t, []placement.Strategy{search.Strategy{}, &spread.Strategy{}}),
	}
	for transport, host := range hosts {
		if err := host.WaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, status := range host.Status() {
			t.Run(transport+"/"+status.Name, func(t *testing.T) { placementtest.Run(t, host.Strategy(status.Name)) })
		}
	}
}

// TestAssignment holds the chain to docs/specification.md ("Automatic KubevirtConfig Assignment"),
// in one process and in five.
func TestAssignment(t *testing.T) {
	const named = "machine default/my-machine has no KubevirtConfig reference and "
	var (
		absent = placement.VM{Presence: placement.Absent}
		here   = placement.VM{Presence: placement.Present, Owner: placement.Ours, UID: "1"}
		other  = placement.VM{Presence: placement.Present, Owner: placement.Unlabelled, UID: "2"}
		silent = placement.VM{Presence: placement.Unreachable, Cause: "no route to host"}
	)
	cases := map[string]struct {
		reason string
		edit   func(req *placement.Request)
		vms    map[string]placement.VM
		want   placement.Decision
		err    error
	}{
		"annotation and default": {
			reason: "the annotation comes first and wins over all other strategies",
			edit: func(req *placement.Request) {
				req.Machine.Reference.Annotation, req.Default = "cluster-west", "cluster-east"
			},
			vms:  map[string]placement.VM{"cluster-east": absent, "cluster-west": absent},
			want: placement.Decision{Config: "cluster-west", Reason: "named by annotation vitistack.io/kubevirt-config"},
		},
		"annotation names no cluster": {
			reason: "the default does not override a wish that cannot be met",
			edit: func(req *placement.Request) {
				req.Machine.Reference.Annotation, req.Default = "cluster-wets", "cluster-east"
			},
			vms: map[string]placement.VM{"cluster-east": absent},
			err: placement.Refusal{
				Reason:  placement.ReasonUnknownCluster,
				Message: `KubevirtConfig cluster-wets not found in namespace kubevirt-configs (chosen by strategy "annotation")`,
			},
		},
		"default": {
			reason: "the default comes second",
			edit:   func(req *placement.Request) { req.Default = "cluster-east" },
			vms:    map[string]placement.VM{"cluster-east": absent, "cluster-west": absent},
			want:   placement.Decision{Config: "cluster-east", Reason: "named by DEFAULT_KUBEVIRT_CONFIG"},
		},
		"one cluster": {
			reason: "the only cluster comes third",
			vms:    map[string]placement.VM{"cluster-east": absent},
			want:   placement.Decision{Config: "cluster-east", Reason: "the only KubevirtConfig"},
		},
		"VM in one cluster": {
			reason: "the cluster that has the VM comes fourth",
			vms:    map[string]placement.VM{"cluster-east": absent, "cluster-west": other},
			want:   placement.Decision{Config: "cluster-west", Reason: "a virtual machine of its name is there"},
		},
		"VM in one cluster and another silent": {
			reason: "a cluster that does not answer has not said that it lacks the VM, so the Machine waits",
			vms:    map[string]placement.VM{"cluster-east": other, "cluster-west": silent},
			err: placement.Hold{
				Reason: placement.ReasonPresenceUnknown,
				Message: "1 of 2 clusters have not said whether they hold the virtual machine of machine default/my-machine: " +
					"cluster-west",
			},
		},
		"VM in two clusters": {
			reason: "a VM that was found in two clusters needs a person",
			vms:    map[string]placement.VM{"cluster-east": here, "cluster-west": here},
			err: placement.Refusal{
				Reason:  placement.ReasonDuplicateVM,
				Message: "the virtual machine of machine default/my-machine was found in 2 clusters: cluster-east, cluster-west",
			},
		},
		"VM in no cluster": {
			reason: "people search for this sentence of the specification, so its words stay",
			vms:    map[string]placement.VM{"cluster-east": absent, "cluster-west": absent},
			err: placement.Refusal{
				Reason: placement.ReasonCannotDetermine,
				Message: named + "2 configs are available - cannot determine placement. Please set annotation " +
					"'vitistack.io/kubevirt-config' or DEFAULT_KUBEVIRT_CONFIG env var",
			},
		},
		"no clusters": {
			reason: "people search for this sentence of the specification, so its words stay",
			err: placement.Refusal{
				Reason:  placement.ReasonNoneAvailable,
				Message: named + "no KubevirtConfigs are available in namespace kubevirt-configs",
			},
		},
	}
	for transport, chain := range map[string]placer{"InProcess": inProcess(), "Exec": execd(t)} {
		for name, tc := range cases {
			t.Run(transport+"/"+name, func(t *testing.T) {
				req := placement.Request{
					Machine:         placement.Machine{Namespace: "default", Name: "my-machine", UID: "u"},
					ConfigNamespace: "kubevirt-configs",
				}
				for config, vm := range tc.vms {
					req.Candidates = append(req.Candidates, placement.Candidate{Name: config, Reachable: true, VM: vm})
				}
				if tc.edit != nil {
					tc.edit(&req)
				}
				got, trace, err := chain.Place(t.Context(), placement.Given(req))
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("\n%s\nPlace(): -want, +got:\n%s\n%v", tc.reason, diff, trace)
				}
				if diff := cmp.Diff(tc.err, err); diff != "" {
					t.Errorf("\n%s\nPlace(): -want error, +got:\n%s\n%v", tc.reason, diff, trace)
				}
			})
		}
	}
}

// TestFirstQuestion asks labels right after the start of its host, before it can be known what
// labels needs: the Machine must not go to a full cluster, where it would stay.
func TestFirstQuestion(t *testing.T) {
	counts := map[string]int64{"cluster-a": 100, "cluster-b": 0, "cluster-c": 100}
	gather := func(_ context.Context, needs placement.Needs) (placement.Request, error) {
		req := placement.Request{Machine: placement.Machine{
			Namespace: "default", Name: "my-machine", UID: "u",
			Annotations: map[string]string{labels.SelectorAnnotation: "zone=a"},
		}}
		for _, name := range slices.Sorted(maps.Keys(counts)) {
			candidate := placement.Candidate{Name: name, Reachable: true, Labels: map[string]string{"zone": "a"}}
			if needs.Machines {
				candidate.Capacity.Machines = new(counts[name])
			}
			req.Candidates = append(req.Candidates, candidate)
		}
		return req, nil
	}
	patient := entry(t, "labels")
	patient.Timeout = plugin.Duration(time.Minute) // for its start on a loaded machine
	host := startHost(t, []plugin.Entry{patient}, tempDir(t))
	got, trace, err := host.Place(t.Context(), gather)
	if err != nil || got.Config != "cluster-b" {
		t.Errorf("Place(): want the empty cluster, got %v, %v (%v)", got, err, trace)
	}
}
