package crdcheck_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

func TestRequire(t *testing.T) {
	const name = "widgets.example.com"
	in := func(
		rule crdcheck.RuleID, version, path string, direction crdcheck.Direction, severity crdcheck.Severity,
	) brief {
		return brief{
			Rule:      rule,
			Cluster:   "supervisor",
			CRD:       name,
			Version:   version,
			Path:      path,
			Direction: direction,
			Severity:  severity,
		}
	}
	observed := crdcheck.Observed("supervisor", widget(t))
	noSchema := widget(t)
	noSchema.Spec.Versions[0].Schema = nil
	cases := map[string]struct {
		reason   string
		snapshot crdcheck.Snapshot
		version  string
		fields   []crdcheck.Field
		want     []brief
	}{
		"All": {
			reason: "every shape of path is found", snapshot: observed, version: "v1",
			fields: []crdcheck.Field{
				crdcheck.Reads(
					"spec",
				), crdcheck.Reads("spec.size"), crdcheck.Reads("spec.parts[]"), crdcheck.Reads("spec.parts[].name"),
				crdcheck.Reads("spec.tags[*]"), crdcheck.Reads(`spec["dotted.name"].inner`), crdcheck.Reads("spec.free.known"),
				crdcheck.Writes("status.phase"), crdcheck.Writes("spec.tags.owner"),
			},
		},
		"Implicit": {
			reason: "schemas say nothing of metadata, which is there nevertheless", snapshot: observed, version: "v1",
			fields: []crdcheck.Field{
				crdcheck.Writes(`metadata.annotations["a.b/c"]`),
				crdcheck.Reads("kind"),
				crdcheck.Reads("apiVersion"),
			},
		},
		"Alternative": {
			reason: "one of the names that a field had is enough", snapshot: observed, version: "v1",
			fields: []crdcheck.Field{crdcheck.Reads("spec.weight", "spec.size"), crdcheck.Reads("spec.size", "spec.weight")},
		},
		"NoAlternative": {
			reason: "all names are told where none is there", snapshot: observed, version: "v1",
			fields: []crdcheck.Field{crdcheck.Reads("spec.weight", "spec.mass")},
			want:   []brief{in(crdcheck.RuleFieldMissing, "v1", "spec.weight|spec.mass", crdcheck.Read, crdcheck.Error)},
		},
		"Missing": {
			reason: "a similar name, a wrong level and a name below a leaf are not the field", snapshot: observed, version: "v1",
			fields: []crdcheck.Field{
				crdcheck.Writes(
					"spec.siz",
				), crdcheck.Writes("size"), crdcheck.Writes("spec.size.unit"), crdcheck.Writes("spec.parts.name"),
				crdcheck.Writes("spec.dotted.name"),
			},
			want: []brief{
				in(crdcheck.RuleFieldMissing, "v1", "size", crdcheck.Write, crdcheck.Error),
				in(crdcheck.RuleFieldMissing, "v1", "spec.dotted.name", crdcheck.Write, crdcheck.Error),
				in(crdcheck.RuleFieldMissing, "v1", "spec.parts.name", crdcheck.Write, crdcheck.Error),
				in(crdcheck.RuleFieldMissing, "v1", "spec.siz", crdcheck.Write, crdcheck.Error),
				in(crdcheck.RuleFieldMissing, "v1", "spec.size.unit", crdcheck.Write, crdcheck.Error),
			},
		},
		"Open": {
			reason:   "a subtree that keeps what it does not know is neither a yes nor a no",
			snapshot: observed, version: "v1", fields: []crdcheck.Field{crdcheck.Writes("spec.free.other.deep")},
			want: []brief{in(crdcheck.RuleFieldUnchecked, "v1", "spec.free.other.deep", crdcheck.Write, crdcheck.Unsettled)},
		},
		"NoSchema": {
			reason: "a version without a schema must not panic and must not pass",
			snapshot: crdcheck.Observed(
				"supervisor", noSchema,
			), version: "v1", fields: []crdcheck.Field{crdcheck.Writes("spec.size")},
			want: []brief{in(crdcheck.RuleFieldUnchecked, "v1", "spec.size", crdcheck.Write, crdcheck.Unsettled)},
		},
		"Deprecated": {
			reason: "it works, for now", snapshot: observed, version: "v1beta1",
			want: []brief{in(crdcheck.RuleVersionDeprecated, "v1beta1", "", crdcheck.Roundtrip, crdcheck.Warning)},
		},
		"Unserved": {
			reason: "a version that is there but not served is of no use", snapshot: observed, version: "v1alpha1",
			fields: []crdcheck.Field{crdcheck.Reads("spec.size")},
			want: []brief{{
				Rule: crdcheck.RuleVersionNotServed, Cluster: "supervisor", CRD: name, Version: "v1alpha1",
				Direction: crdcheck.Roundtrip,
				Old:       "v1alpha1 served",
				New:       "v1 served storage, v1beta1 served deprecated, v1alpha1 unserved; stored: v1, v1beta1",
				Severity:  crdcheck.Error,
			}},
		},
		"NoVersion": {
			reason: "a version that is not there is not served", snapshot: observed, version: "v2",
			want: []brief{{
				Rule: crdcheck.RuleVersionNotServed, Cluster: "supervisor", CRD: name, Version: "v2", Direction: crdcheck.Roundtrip,
				Old: "v2 served", New: "v1 served storage, v1beta1 served deprecated, v1alpha1 unserved; stored: v1, v1beta1",
				Severity: crdcheck.Error,
			}},
		},
		"NoCRD": {
			reason: "one finding, not one for each field", snapshot: crdcheck.Observed("supervisor"), version: "v1",
			fields: []crdcheck.Field{crdcheck.Reads("spec.size"), crdcheck.Reads("spec.colour")},
			want:   []brief{in(crdcheck.RuleCRDMissing, "", "", crdcheck.Roundtrip, crdcheck.Error)},
		},
		"Unknown": {
			reason: "silence is not absence", snapshot: crdcheck.Unobserved("supervisor", "no answer in time"), version: "v1",
			fields: []crdcheck.Field{crdcheck.Reads("spec.size")},
			want:   []brief{in(crdcheck.RuleClusterUnknown, "", "", crdcheck.Roundtrip, crdcheck.Unsettled)},
		},
		"Twice": {
			reason:   "of two definitions of one name nobody knows which one holds",
			snapshot: crdcheck.Observed("supervisor", widget(t), widget(t)), version: "v1",
			want: []brief{in(crdcheck.RuleClusterUnknown, "", "", crdcheck.Roundtrip, crdcheck.Unsettled)},
		},
	}
	for label, tc := range cases {
		t.Run(label, func(t *testing.T) {
			report := crdcheck.Require(tc.snapshot, []crdcheck.Requirement{{CRD: name, Version: tc.version, Fields: tc.fields}})
			if diff := cmp.Diff(tc.want, briefs(report)); diff != "" {
				t.Errorf("\n%s\n-want +got:\n%s", tc.reason, diff)
			}
			subjects := []crdcheck.Subject{{CRD: name, Cluster: "supervisor", Version: tc.version}}
			if diff := cmp.Diff(subjects, report.Subjects); diff != "" {
				t.Errorf("subjects: -want +got:\n%s", diff)
			}
			if diff := cmp.Diff(report.Findings, report.About(subjects[0])); diff != "" {
				t.Errorf("a finding belongs to no subject: -all +about:\n%s", diff)
			}
			if report.OK() != (len(tc.want) == 0) {
				t.Errorf("OK() = %t with %d findings", report.OK(), len(tc.want))
			}
		})
	}
}
