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
		"all fields are there": {
			reason: "every shape of path is found", snapshot: observed, version: "v1",
			fields: []crdcheck.Field{
				crdcheck.Reads(
					"spec",
				), crdcheck.Reads("spec.size"), crdcheck.Reads("spec.parts[]"), crdcheck.Reads("spec.parts[].name"),
				crdcheck.Reads("spec.tags[*]"), crdcheck.Reads(`spec["dotted.name"].inner`), crdcheck.Reads("spec.free.known"),
				crdcheck.Writes("status.phase"), crdcheck.Writes("spec.tags.owner"),
			},
		},
		"field of metadata": {
			reason: "schemas say nothing of metadata, which is there nevertheless", snapshot: observed, version: "v1",
			fields: []crdcheck.Field{
				crdcheck.Writes(`metadata.annotations["a.b/c"]`),
				crdcheck.Reads("kind"),
				crdcheck.Reads("apiVersion"),
			},
		},
		"any version": {
			reason: "without a version the served one counts that has most", snapshot: observed,
			fields: []crdcheck.Field{crdcheck.Writes("spec.size")},
		},
		"no version has it": {
			reason: "of those that lack the same the newest is told", snapshot: observed,
			fields: []crdcheck.Field{crdcheck.Writes("spec.weight")},
			want:   []brief{in(crdcheck.RuleFieldMissing, "v1", "spec.weight", crdcheck.Write, crdcheck.Error)},
		},
		"one of two names is there": {
			reason: "one of the names that a field had is enough", snapshot: observed, version: "v1",
			fields: []crdcheck.Field{crdcheck.Reads("spec.weight", "spec.size"), crdcheck.Reads("spec.size", "spec.weight")},
		},
		"none of two names is there": {
			reason: "all names are told where none is there", snapshot: observed, version: "v1",
			fields: []crdcheck.Field{crdcheck.Reads("spec.weight", "spec.mass")},
			want:   []brief{in(crdcheck.RuleFieldMissing, "v1", "spec.weight|spec.mass", crdcheck.Read, crdcheck.Error)},
		},
		"field is missing": {
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
		"subtree that keeps unknown fields": {
			reason:   "a subtree that keeps what it does not know is neither a yes nor a no",
			snapshot: observed, version: "v1", fields: []crdcheck.Field{crdcheck.Writes("spec.free.other.deep")},
			want: []brief{in(crdcheck.RuleFieldUnchecked, "v1", "spec.free.other.deep", crdcheck.Write, crdcheck.Unsettled)},
		},
		"version without a schema": {
			reason: "a version without a schema must not panic and must not pass",
			snapshot: crdcheck.Observed(
				"supervisor", noSchema,
			), version: "v1", fields: []crdcheck.Field{crdcheck.Writes("spec.size")},
			want: []brief{in(crdcheck.RuleFieldUnchecked, "v1", "spec.size", crdcheck.Write, crdcheck.Unsettled)},
		},
		"deprecated version": {
			reason: "a deprecated version works for now, and is told", snapshot: observed, version: "v1beta1",
			want: []brief{in(crdcheck.RuleVersionDeprecated, "v1beta1", "", crdcheck.Roundtrip, crdcheck.Warning)},
		},
		"version that is not served": {
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
		"version that does not exist": {
			reason: "a version that does not exist is not served", snapshot: observed, version: "v2",
			want: []brief{{
				Rule: crdcheck.RuleVersionNotServed, Cluster: "supervisor", CRD: name, Version: "v2", Direction: crdcheck.Roundtrip,
				Old: "v2 served", New: "v1 served storage, v1beta1 served deprecated, v1alpha1 unserved; stored: v1, v1beta1",
				Severity: crdcheck.Error,
			}},
		},
		"missing CRD": {
			reason:   "a missing CRD is one finding, and not one for each field",
			snapshot: crdcheck.Observed("supervisor"), version: "v1",
			fields: []crdcheck.Field{crdcheck.Reads("spec.size"), crdcheck.Reads("spec.colour")},
			want:   []brief{in(crdcheck.RuleCRDMissing, "", "", crdcheck.Roundtrip, crdcheck.Error)},
		},
		"cluster that does not answer": {
			reason:   "the silence of a cluster does not mean that the CRD is absent",
			snapshot: crdcheck.Unobserved("supervisor", "no answer in time"), version: "v1",
			fields: []crdcheck.Field{crdcheck.Reads("spec.size")},
			want:   []brief{in(crdcheck.RuleClusterUnknown, "", "", crdcheck.Roundtrip, crdcheck.Unsettled)},
		},
		"definition given twice": {
			reason:   "of two definitions of one name it is unknown which one holds",
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
