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
		"equal clusters": {
			reason: "equal clusters agree", baseline: "east",
			snapshots: []crdcheck.Snapshot{east, observed("west", widget(t)), observed("north", widget(t))},
		},
		"one cluster": {reason: "one cluster agrees with itself", baseline: "east", snapshots: []crdcheck.Snapshot{east}},
		"no clusters": {reason: "without clusters there is nothing to compare"},
		"one cluster does not answer": {
			reason:    "the baseline is the first cluster that answers, and a silent one is unknown and never equal",
			baseline:  "east",
			snapshots: []crdcheck.Snapshot{crdcheck.Unobserved("a", "no answer in time"), east, observed("west", widget(t))},
			want:      []brief{in("a", crdcheck.RuleClusterUnknown, crdcheck.Unsettled)},
		},
		"no cluster answers": {
			reason:    "clusters of which none answers do not agree",
			snapshots: []crdcheck.Snapshot{crdcheck.Unobserved("east", "no answer"), crdcheck.Unobserved("west", "no answer")},
			want: []brief{
				in("east", crdcheck.RuleClusterUnknown, crdcheck.Unsettled),
				in("west", crdcheck.RuleClusterUnknown, crdcheck.Unsettled),
			},
		},
		"two snapshots of one cluster": {
			reason: "of two snapshots of one cluster it is unknown which one holds", baseline: "east",
			snapshots: []crdcheck.Snapshot{observed("west", widget(t)), east, observed("west")},
			want:      []brief{in("west", crdcheck.RuleClusterUnknown, crdcheck.Unsettled)},
		},
		"one cluster lacks the CRD": {
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
		"all clusters lack the CRD": {
			reason:    "a CRD that all clusters lack is missing and not equal",
			snapshots: []crdcheck.Snapshot{observed("a"), observed("b")},
			want: []brief{
				in("a", crdcheck.RuleCRDMissing, crdcheck.Error),
				in("b", crdcheck.RuleCRDMissing, crdcheck.Error),
			},
		},
		"storage version differs": {
			reason: "the storage version is a part of what must be equal", baseline: "east",
			snapshots: []crdcheck.Snapshot{
				east,
				observed("west", widget(t, "storedVersions: [v1beta1, v1]", "storedVersions: [v1]")),
			},
			want: []brief{
				versions("west", set, "v1 served storage, v1beta1 served deprecated, v1alpha1 unserved; stored: v1"),
			},
		},
		"deprecation differs": {
			reason: "a deprecation is a part of what must be equal", baseline: "east",
			snapshots: []crdcheck.Snapshot{east, observed("west", widget(t, "deprecated: true", "deprecated: false"))},
			want: []brief{
				versions("west", set, "v1 served storage, v1beta1 served, v1alpha1 unserved; stored: v1, v1beta1"),
			},
		},
		"served versions differ": {
			reason: "the served versions must be equal, and schemas are compared where both serve them", baseline: "east",
			snapshots: []crdcheck.Snapshot{
				east,
				observed("west", widget(t, "served: true", "served: false", "minimum: 1", "minimum: 2")),
			},
			want: []brief{
				versions("west", set, "v1 unserved storage, v1beta1 served deprecated, v1alpha1 unserved; stored: v1, v1beta1"),
			},
		},
		"values differ": {
			reason: "each difference is told to who feels it worst: " +
				"an object that goes to the other cluster is one that is written there",
			baseline: "east",
			snapshots: []crdcheck.Snapshot{east, observed("west", widget(
				t, "format: int32, minimum: 1", "format: int64, minimum: 1, maximum: 4294967295, multipleOf: 2",
				"phase: {type: string}", "phase: {type: string, maxLength: 9}",
			))},
			want: []brief{
				at(crdcheck.RuleFormatWidened, "spec.size", crdcheck.Roundtrip, "int32", "absent", crdcheck.Warning),
				at(crdcheck.RuleMultipleOfTightened, "spec.size", crdcheck.Write, "absent", "2", crdcheck.Error),
				at("max-length-tightened", "status.phase", crdcheck.Storage, "absent", "9", crdcheck.Warning),
			},
		},
		"subtree on one side": {
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
