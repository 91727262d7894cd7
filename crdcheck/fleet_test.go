package crdcheck_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

func TestFleet(t *testing.T) {
	const (
		name = "widgets.example.com"
		set  = "v1 served storage, v1beta1 served deprecated, v1alpha1 unserved; stored: v1, v1beta1"
	)
	in := func(cluster string, rule crdcheck.RuleID, severity crdcheck.Severity) brief {
		return brief{Rule: rule, Cluster: cluster, CRD: name, Direction: crdcheck.Roundtrip, Severity: severity}
	}
	versions := func(cluster, old, found string) brief {
		b := in(cluster, crdcheck.RuleVersionsDiffer, crdcheck.Warning)
		b.Old, b.New = old, found
		return b
	}
	at := func(
		rule crdcheck.RuleID, path string, direction crdcheck.Direction, old, found string, severity crdcheck.Severity,
	) brief {
		return brief{
			Rule:      rule,
			Cluster:   "west",
			CRD:       name,
			Version:   "v1",
			Path:      path,
			Direction: direction,
			Old:       old,
			New:       found,
			Severity:  severity,
		}
	}
	east, observed := crdcheck.Observed("east", widget(t)), crdcheck.Observed
	cases := map[string]struct {
		reason    string
		snapshots []crdcheck.Snapshot
		baseline  string
		want      []brief
	}{
		"Agree": {
			reason: "equal clusters agree", baseline: "east",
			snapshots: []crdcheck.Snapshot{east, observed("west", widget(t)), observed("north", widget(t))},
		},
		"Alone": {reason: "one cluster agrees with itself", baseline: "east", snapshots: []crdcheck.Snapshot{east}},
		"None":  {reason: "no clusters, nothing to say"},
		"Unreachable": {
			reason: "the baseline is the first that answers; who does not is unknown, never equal", baseline: "east",
			snapshots: []crdcheck.Snapshot{crdcheck.Unobserved("a", "no answer in time"), east, observed("west", widget(t))},
			want:      []brief{in("a", crdcheck.RuleClusterUnknown, crdcheck.Unsettled)},
		},
		"AllUnreachable": {
			reason:    "nobody agrees where nobody answers",
			snapshots: []crdcheck.Snapshot{crdcheck.Unobserved("east", "no answer"), crdcheck.Unobserved("west", "no answer")},
			want: []brief{
				in("east", crdcheck.RuleClusterUnknown, crdcheck.Unsettled),
				in("west", crdcheck.RuleClusterUnknown, crdcheck.Unsettled),
			},
		},
		"SameName": {
			reason: "of two snapshots of one cluster nobody knows which one holds", baseline: "east",
			snapshots: []crdcheck.Snapshot{observed("west", widget(t)), east, observed("west")},
			want:      []brief{in("west", crdcheck.RuleClusterUnknown, crdcheck.Unsettled)},
		},
		"Missing": {
			reason: "a cluster without the CRD is told, and is no baseline for the others", baseline: "b",
			snapshots: []crdcheck.Snapshot{
				observed("a"),
				observed("b", widget(t)),
				observed("c", widget(t, "scope: Namespaced", "scope: Cluster")),
			},
			want: []brief{
				in("a", crdcheck.RuleCRDMissing, crdcheck.Error),
				{
					Rule:      crdcheck.RuleScopeDiffers,
					Cluster:   "c",
					CRD:       name,
					Direction: crdcheck.Write,
					Old:       "Namespaced",
					New:       "Cluster",
					Severity:  crdcheck.Error,
				},
			},
		},
		"Nowhere": {
			reason:    "a CRD that all lack is missing, not equal",
			snapshots: []crdcheck.Snapshot{observed("a"), observed("b")},
			want: []brief{
				in("a", crdcheck.RuleCRDMissing, crdcheck.Error),
				in("b", crdcheck.RuleCRDMissing, crdcheck.Error),
			},
		},
		"Stored": {
			reason: "what is stored is a part of the version", baseline: "east",
			snapshots: []crdcheck.Snapshot{
				east,
				observed("west", widget(t, "storedVersions: [v1beta1, v1]", "storedVersions: [v1]")),
			},
			want: []brief{
				versions("west", set, "v1 served storage, v1beta1 served deprecated, v1alpha1 unserved; stored: v1"),
			},
		},
		"Deprecated": {
			reason: "so is what is deprecated", baseline: "east",
			snapshots: []crdcheck.Snapshot{east, observed("west", widget(t, "deprecated: true", "deprecated: false"))},
			want: []brief{
				versions("west", set, "v1 served storage, v1beta1 served, v1alpha1 unserved; stored: v1, v1beta1"),
			},
		},
		"Unserved": {
			reason: "so is what is served; schemas are compared where both serve them", baseline: "east",
			snapshots: []crdcheck.Snapshot{
				east,
				observed("west", widget(t, "served: true", "served: false", "minimum: 1", "minimum: 2")),
			},
			want: []brief{
				versions("west", set, "v1 unserved storage, v1beta1 served deprecated, v1alpha1 unserved; stored: v1, v1beta1"),
			},
		},
		"Values": {
			reason: "each difference is told to who feels it worst: " +
				"an object that goes to the other cluster is one that is written there",
			baseline: "east",
			snapshots: []crdcheck.Snapshot{east, observed("west", widget(
				t, "format: int32, minimum: 1", "format: int64, minimum: 1, maximum: 4294967295, multipleOf: 2",
				"phase: {type: string}", "phase: {type: string, maxLength: 9}",
			))},
			want: []brief{
				at(crdcheck.RuleFormatWidened, "spec.size", crdcheck.Roundtrip, "int32", "int64", crdcheck.Warning),
				at(crdcheck.RuleMultipleOfTightened, "spec.size", crdcheck.Write, "absent", "2", crdcheck.Error),
				at("max-length-tightened", "status.phase", crdcheck.Storage, "absent", "9", crdcheck.Warning),
			},
		},
		"Subtree": {
			reason: "a subtree that only one side has is told once, at its top", baseline: "east",
			snapshots: []crdcheck.Snapshot{east, observed("west", widget(t, "              parts:", "              pieces:"))},
			want: []brief{
				at(crdcheck.RuleFieldRemoved, "spec.parts", crdcheck.Write, `{"type":"array"}`, "absent", crdcheck.Error),
				at(crdcheck.RuleFieldAdded, "spec.pieces", crdcheck.Roundtrip, "absent", `{"type":"array"}`, crdcheck.Warning),
			},
		},
	}
	for label, tc := range cases {
		t.Run(label, func(t *testing.T) {
			report := crdcheck.Fleet(tc.snapshots, []string{name, name})
			if diff := cmp.Diff(tc.want, briefs(report)); diff != "" {
				t.Errorf("\n%s\n-want +got:\n%s", tc.reason, diff)
			}
			for _, subject := range report.Subjects {
				if diff := cmp.Diff(tc.baseline, subject.Baseline); diff != "" {
					t.Errorf("baseline of %s: -want +got:\n%s", subject.Cluster, diff)
				}
			}
			if report.OK() != (len(tc.want) == 0) {
				t.Errorf("OK() = %t with %d findings", report.OK(), len(tc.want))
			}
		})
	}
}
