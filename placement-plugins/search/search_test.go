package search_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/placementtest"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/search"
)

func TestConformance(t *testing.T) { placementtest.Run(t, search.Strategy{}) }

var (
	absent     = placement.VM{Presence: placement.Absent}
	ours       = placement.VM{Presence: placement.Present, Owner: placement.Ours, UID: "1"}
	unlabelled = placement.VM{Presence: placement.Present, Owner: placement.Unlabelled, UID: "2"}
	foreign    = placement.VM{Presence: placement.Present, Owner: placement.Foreign, UID: "3"}
	unjudged   = placement.VM{Presence: placement.Present, UID: "4"}
	silent     = placement.VM{Presence: placement.Unreachable, Cause: "no route to host"}
	unasked    = placement.VM{}
)

func hold(count, of int, names string) error {
	return placement.Hold{
		Reason: placement.ReasonPresenceUnknown,
		Message: fmt.Sprintf("%d of %d clusters have not said whether they hold the virtual machine of machine ns/n: %s",
			count, of, names),
	}
}

func duplicate(names string) error {
	return placement.Refusal{
		Reason:  placement.ReasonDuplicateVM,
		Message: "the virtual machine of machine ns/n was found in 2 clusters: " + names,
	}
}

func TestPlace(t *testing.T) {
	var (
		ourB  = placement.Decision{Config: "b", Reason: "its virtual machine is there"}
		someB = placement.Decision{Config: "b", Reason: "a virtual machine of its name is there"}
	)
	cases := map[string]struct {
		reason string
		vms    []placement.VM // of clusters a, b, c
		want   placement.Decision
		err    error
	}{
		"in no cluster": {
			reason: "a new Machine has no VM yet, so the next strategy may choose",
			vms:    []placement.VM{absent, absent, absent},
			want:   placement.Decision{Reason: "its virtual machine is in none of 3 clusters"},
		},
		"no clusters": {
			reason: "without clusters there is nothing to search",
			want:   placement.Decision{Reason: "its virtual machine is in none of 0 clusters"},
		},
		"ours in one": {
			reason: "a VM with this Machine's UID is found and taken (Option 3 of the specification)",
			vms:    []placement.VM{absent, ours, absent},
			want:   ourB,
		},
		"unlabelled in one": {
			reason: "a VM that was made by hand is found, for adoption",
			vms:    []placement.VM{absent, unlabelled, absent},
			want:   someB,
		},
		"ours in one and the others silent": {
			reason: "a VM with our UID can be in one place only, so there is no need to wait",
			vms:    []placement.VM{silent, ours, silent}, want: ourB,
		},
		"unlabelled in one and another silent": {
			reason: "the real VM may be in the cluster that does not answer",
			vms:    []placement.VM{silent, unlabelled, absent}, err: hold(1, 3, "a"),
		},
		"found nowhere and one silent": {
			reason: "the VM may be in the silent cluster, and placing the Machine would make a second one",
			vms:    []placement.VM{absent, silent, absent}, err: hold(1, 3, "b"),
		},
		"all silent": {
			reason: "the message names the silent clusters, sorted",
			vms:    []placement.VM{silent, silent, silent},
			err:    hold(3, 3, "a, b, c"),
		},
		"one was not asked": {
			reason: "a cluster that was not asked has not answered",
			vms:    []placement.VM{absent, unasked, absent},
			err:    hold(1, 3, "b"),
		},
		"found and not judged": {
			reason: "a VM whose owner the host cannot tell is not an answer",
			vms:    []placement.VM{absent, unjudged, absent},
			err:    hold(1, 3, "b"),
		},
		"ours in two": {
			reason: "two VMs are one too many, so a person must choose",
			vms:    []placement.VM{ours, absent, ours},
			err:    duplicate("a, c"),
		},
		"ours in one and unlabelled in another": {
			reason: "two finds are ambiguous, whoever made the other VM",
			vms:    []placement.VM{ours, unlabelled, absent},
			err:    duplicate("a, b"),
		},
		"ours in two and one silent": {
			reason: "two VMs are too many, whatever the third cluster would say",
			vms:    []placement.VM{ours, silent, ours},
			err:    duplicate("a, c"),
		},
		"foreign in one": {
			reason: "a foreign VM of the same name is not a find",
			vms:    []placement.VM{foreign, absent, absent},
			want:   placement.Decision{Reason: "its virtual machine is in none of 3 clusters"},
		},
		"foreign in one and ours in another": {
			reason: "a foreign VM of the same name does not make ours ambiguous",
			vms:    []placement.VM{foreign, ours, absent},
			want:   ourB,
		},
		"foreign in one and another silent": {
			reason: "a foreign VM must not be adopted because the right cluster is down",
			vms:    []placement.VM{foreign, silent, absent}, err: hold(1, 3, "b"),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			req := placement.Request{Machine: placement.Machine{Namespace: "ns", Name: "n"}}
			for i, vm := range tc.vms {
				req.Candidates = append(req.Candidates, placement.Candidate{Name: string(rune('a' + i)), VM: vm})
			}
			got, err := search.Strategy{}.Place(t.Context(), req)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nPlace(): -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.err, err); diff != "" {
				t.Errorf("\n%s\nPlace(): -want error, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestPlaceNamesAFew(t *testing.T) {
	req := placement.Request{Machine: placement.Machine{Namespace: "ns", Name: "n"}}
	for i := range 12 {
		req.Candidates = append(req.Candidates, placement.Candidate{Name: fmt.Sprintf("c%02d", i), VM: silent})
	}
	_, err := search.Strategy{}.Place(t.Context(), req)
	want := hold(12, 12, "c00, c01, c02, c03, c04, c05, c06, c07, c08, c09 and 2 more")
	if diff := cmp.Diff(want, err); diff != "" {
		t.Errorf("Place(): -want error, +got:\n%s", diff)
	}
}
