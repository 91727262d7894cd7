package crdcheck_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

func TestCompare(t *testing.T) {
	const name = "widgets.example.com"
	usage := func(k crdcheck.KindUsage) crdcheck.Options {
		k.CRD = name
		return crdcheck.Options{Usage: &crdcheck.Usage{Kinds: []crdcheck.KindUsage{k}}}
	}
	red := map[string]any{"kind": "Widget", "spec": map[string]any{"colour": "red", "size": int64(1)}}
	cases := map[string]struct {
		reason  string
		edits   []string
		options crdcheck.Options
		want    []string // rule path direction
	}{
		"no usage": {
			reason: "without a usage, spec counts as written and status as read",
			edits:  []string{"[red, green]", "[red, blue]", "phase: {type: string}", "phase: {type: string, nullable: true}"},
			want: []string{
				"enum-value-added spec.colour roundtrip",
				"enum-value-removed spec.colour write",
				"nullable-added status.phase read",
			},
		},
		"profile storage": {
			reason: "an object that is stored and no longer valid is told", edits: []string{"[red, green]", "[red, blue]"},
			options: crdcheck.Options{
				Directions: crdcheck.ProfileStorage.Directions(),
			}, want: []string{"enum-value-removed spec.colour storage"},
		},
		"field that is not used": {
			reason:  "a field that the program does not use may go",
			edits:   []string{"              parts:", "              pieces:"},
			options: usage(crdcheck.KindUsage{Writes: []string{"spec.size"}}),
		},
		"parent of a written field": {
			reason: "a change of the object around a written field is felt",
			edits:  []string{"              parts:", "              pieces:"},
			options: usage(
				crdcheck.KindUsage{Writes: []string{"spec.parts[].name"}},
			), want: []string{"field-removed spec.parts write"},
		},
		"program that writes whole objects back": {
			reason: "a program that writes whole objects back erases a field that it does not know",
			edits:  []string{"              parts:", "              extra: {type: string}\n              parts:"},
			options: usage(
				crdcheck.KindUsage{Writes: []string{"spec.size"}, Roundtrips: true},
			), want: []string{"field-added spec.extra roundtrip"},
		},
		"path with three dots": {
			reason: "three dots stand for every field below",
			edits:  []string{"properties: {name: {type: string}}", "properties: {name: {type: integer}}"},
			options: usage(
				crdcheck.KindUsage{Reads: []string{"spec.parts..."}},
			), want: []string{"type-changed spec.parts[].name read"},
		},
		"key of a map": {
			reason: "a key that is written is a value of its map",
			edits:  []string{"additionalProperties: {type: string}", "additionalProperties: {type: integer}"},
			options: usage(
				crdcheck.KindUsage{Writes: []string{"spec.tags.owner"}},
			), want: []string{"type-changed spec.tags[*] write"},
		},
		"optional field becomes required": {
			reason: "an object that leaves a field out is refused when the field becomes required",
			edits:  []string{"[size, colour]", "[size, colour, port]"},
			options: usage(
				crdcheck.KindUsage{Writes: []string{"spec.size", "spec.port"}},
			), want: []string{"required-added spec.port write"},
		},
		"every example sets the field": {
			reason:  "a field that every example sets may become required",
			edits:   []string{"[size, colour]", "[size, colour, port]"},
			options: usage(crdcheck.KindUsage{Objects: []map[string]any{{"spec": map[string]any{"port": int64(1)}}}}),
		},
		"one example leaves the field out": {
			reason: "a field that one example leaves out must not become required",
			edits:  []string{"[size, colour]", "[size, colour, port]"},
			options: usage(
				crdcheck.KindUsage{Objects: []map[string]any{{"spec": map[string]any{"port": int64(1)}}, red}},
			), want: []string{"required-added spec.port write"},
		},
		"definition that the usage does not name": {
			reason: "a definition that the program does not name does not concern it", edits: []string{"[red, green]", "[red]"},
			options: crdcheck.Options{Usage: &crdcheck.Usage{}},
		},
		"required field in a new optional one": {
			reason: "a field that is required inside a new and optional one refuses nothing",
			edits: []string{
				"              parts:",
				"              extra: {type: object, required: [x], properties: {x: {type: string}}}\n              parts:",
			},
			want: []string{"field-added spec.extra roundtrip"},
		},
		"type changes": {
			reason: "a field below a type that became another one is not told again",
			edits:  []string{"tags: {type: object, additionalProperties: {type: string}}", "tags: {type: string}"},
			want:   []string{"type-changed spec.tags write"},
		},
		"version comes to be served": {
			reason: "versions that are served side by side drop the fields of each other",
			edits:  []string{"- name: v1alpha1\n    served: false", "- name: v1alpha1\n    served: true"},
			want: []string{
				"version-served  write", "field-added spec roundtrip", "field-added status roundtrip",
				"unknown-fields-kept  roundtrip",
			},
		},
	}
	for label, tc := range cases {
		t.Run(label, func(t *testing.T) {
			report := crdcheck.Compare(
				crdcheck.Observed("old", widget(t)), crdcheck.Observed("new", widget(t, tc.edits...)), tc.options,
			)
			var got []string
			for _, f := range report.Findings {
				got = append(got, strings.Join([]string{string(f.Rule), f.Path, string(f.Direction)}, " "))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s%+v", tc.reason, diff, report.Findings)
			}
		})
	}
}

func TestCompareUnknown(t *testing.T) {
	for label, pair := range map[string][2]crdcheck.Snapshot{
		"old side was not read": {crdcheck.Unobserved("old", "forbidden"), crdcheck.Observed("new", widget(t))},
		"new side was not read": {crdcheck.Observed("old", widget(t)), crdcheck.Unobserved("new", "forbidden")},
	} {
		report := crdcheck.Compare(pair[0], pair[1], crdcheck.Options{CRDs: []string{"widgets.example.com"}})
		if len(report.Findings) != 1 || report.Findings[0].Rule != crdcheck.RuleClusterUnknown || report.OK() {
			t.Errorf("%s: silence is neither equal nor absent: %+v", label, report.Findings)
		}
	}
}

// TestCompareSharedSchema: two versions of one schema change together; that is one finding.
func TestCompareSharedSchema(t *testing.T) {
	old, found := widget(t), widget(t, "[red, green]", "[red]")
	for _, crd := range []*crdDefinition{&old, &found} {
		crd.Spec.Versions[1].Schema = crd.Spec.Versions[0].Schema
	}
	report := crdcheck.Compare(crdcheck.Observed("old", old), crdcheck.Observed("new", found), crdcheck.Options{})
	if len(report.Findings) != 1 || report.Findings[0].Version != "v1, v1beta1" {
		t.Errorf("want one finding for both versions, got %+v", report.Findings)
	}
}

// FuzzCompare: whatever two streams hold, nothing panics, a definition equals itself, and the
// answer is the same twice.
func FuzzCompare(f *testing.F) {
	f.Add(widgets, strings.Replace(widgets, "[red, green]", "[red]", 1))
	f.Add(
		widgets,
		strings.Replace(
			widgets,
			"type: integer, format: int32, minimum: 1",
			"x-kubernetes-int-or-string: true, allOf: [{anyOf: [{}]}]",
			1,
		),
	)
	f.Add(strings.Replace(widgets, "schema: {openAPIV3Schema", "schemas: {openAPIV3Schema", 1), widgets)
	f.Add(strings.Replace(widgets, "type: array", "type: array, items: [{type: string}], minItems: 0", 1), widgets)
	f.Fuzz(func(t *testing.T, old, found string) {
		before, _ := crdcheck.Load(strings.NewReader(old))
		after, _ := crdcheck.Load(strings.NewReader(found))
		one, other := crdcheck.Observed("old", before...), crdcheck.Observed("new", after...)
		first := crdcheck.Compare(one, other, crdcheck.Options{})
		if diff := cmp.Diff(first, crdcheck.Compare(one, other, crdcheck.Options{})); diff != "" {
			t.Errorf("-first +second:\n%s", diff)
		}
		again, _ := crdcheck.Load(strings.NewReader(old))
		for _, same := range crdcheck.Compare(one, crdcheck.Observed("old", again...), crdcheck.Options{}).Findings {
			if same.Rule != crdcheck.RuleClusterUnknown {
				t.Errorf("a definition differs from itself: %+v", same)
			}
		}
		crdcheck.Compare(
			one, other,
			crdcheck.Options{
				Usage: &crdcheck.Usage{
					Kinds: []crdcheck.KindUsage{{CRD: "widgets.example.com", Writes: []string{old}, Reads: []string{"spec..."}}},
				},
			},
		)
	})
}
