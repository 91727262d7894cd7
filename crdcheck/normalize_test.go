package crdcheck_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// TestNormalize compares the definition of widgets with a rewritten one: what means the same must
// agree, what does not must not.
func TestNormalize(t *testing.T) {
	cases := map[string]struct {
		reason       string
		replacements []string
		agree        bool
	}{
		"Description":   {"texts are for people", []string{"description: A widget.", "description: Another text."}, true},
		"NoDescription": {"texts are for people", []string{"        description: A widget.\n", ""}, true},
		"RequiredOrder": {"required is a set", []string{"[size, colour]", "[colour, size]"}, true},
		"RequiredLess":  {"an object without colour is accepted here", []string{"[size, colour]", "[size]"}, false},
		"EnumOrder":     {"an enumeration is a set", []string{"[red, green]", "[green, red]"}, true},
		"EnumMore":      {"blue is accepted here", []string{"[red, green]", "[red, green, blue]"}, false},
		"AllOfOnce": {
			"one branch is another way to write it",
			[]string{"{type: string, enum: [red, green]}", "{type: string, allOf: [{enum: [red, green]}]}"},
			true,
		},
		"AllOfTwice": {
			"a generator repeats the enumeration of a type at its field",
			[]string{
				"{type: string, enum: [red, green]}",
				"{type: string, allOf: [{enum: [red, green]}, {enum: [green, red]}]}",
			},
			true,
		},
		"AllOfNarrower": {
			"the second branch takes green away",
			[]string{"{type: string, enum: [red, green]}", "{type: string, allOf: [{enum: [red, green]}, {enum: [red]}]}"},
			false,
		},
		"IntOrString": {
			"the extension says it already",
			[]string{", anyOf: [{type: integer}, {type: string}]", ""},
			true,
		},
		"IntOrStringOrder": {
			"branches are a set",
			[]string{"[{type: integer}, {type: string}]", "[{type: string}, {type: integer}]"},
			true,
		},
		"IntOrStringAllOf": {
			"the form for more constraints",
			[]string{"anyOf: [{type: integer}, {type: string}]", "allOf: [{anyOf: [{type: integer}, {type: string}]}]"},
			true,
		},
		"IntOrStringMore": {
			"the pattern counts",
			[]string{"anyOf: [{type: integer}, {type: string}]", "anyOf: [{type: integer}, {type: string}], pattern: a"},
			false,
		},
		"Atomic": {
			"atomic is what a list is by default",
			[]string{"type: array", "type: array\n                x-kubernetes-list-type: atomic"},
			true,
		},
		"ListType": {
			"owners of a map's items are not owners of an atomic list",
			[]string{"type: array", "type: array\n                x-kubernetes-list-type: set"},
			false,
		},
		"NotNullable": {
			"false is the default",
			[]string{"phase: {type: string}", "phase: {type: string, nullable: false}"},
			true,
		},
		"Nullable": {
			"null is accepted here",
			[]string{"phase: {type: string}", "phase: {type: string, nullable: true}"},
			false,
		},
		"MinLengthZero": {
			"no string is shorter",
			[]string{"phase: {type: string}", "phase: {type: string, minLength: 0}"},
			true,
		},
		"MinLengthOne": {
			"the empty string is refused here",
			[]string{"phase: {type: string}", "phase: {type: string, minLength: 1}"},
			false,
		},
		"DefaultEmpty": {
			"an empty default is one",
			[]string{"phase: {type: string}", `phase: {type: string, default: ""}`},
			false,
		},
		"DefaultList": {
			"an empty list as default is one",
			[]string{"type: array", "type: array\n                default: []"},
			false,
		},
		"Minimum": {"another bound", []string{"minimum: 1", "minimum: 0"}, false},
		"BigBounds": {
			"bounds that a float64 cannot tell apart",
			[]string{"minimum: 1", "minimum: 1, default: 9007199254740993"},
			false,
		},
		"Closed": {
			"it prunes here",
			[]string{"free: {type: object, x-kubernetes-preserve-unknown-fields: true", "free: {type: object"},
			false,
		},
		"PropertyNames": {
			"a property may be called like a keyword",
			[]string{"phase: {type: string}", "description: {type: string}"},
			false,
		},
	}
	for label, tc := range cases {
		t.Run(label, func(t *testing.T) {
			report := crdcheck.Fleet([]crdcheck.Snapshot{
				crdcheck.Observed("east", widget(t)), crdcheck.Observed("west", widget(t, tc.replacements...)),
			}, []string{"widgets.example.com"})
			if report.OK() != tc.agree {
				t.Errorf("%s: agree is %t\n%+v", tc.reason, report.OK(), report.Findings)
			}
			diff := cmp.Diff(normal(t, new(widget(t))), normal(t, new(widget(t, tc.replacements...))))
			if (diff == "") != tc.agree {
				t.Errorf("%s: equal when normalised is %t, -one +other:\n%s", tc.reason, diff == "", diff)
			}
		})
	}
}

// normal is the normalised schema of a definition's first version. Normalising once must be enough,
// and change nothing in the argument.
func normal(t *testing.T, crd *apiextensionsv1.CustomResourceDefinition) *apiextensionsv1.JSONSchemaProps {
	t.Helper()
	given := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
	before := given.DeepCopy()
	once, err := crdcheck.Normalize(given)
	if err != nil {
		t.Fatal(err)
	}
	twice, err := crdcheck.Normalize(once)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(once, twice); diff != "" {
		t.Errorf("normalised once and twice: -once +twice:\n%s", diff)
	}
	if diff := cmp.Diff(before, given); diff != "" {
		t.Errorf("the argument was changed: -before +after:\n%s", diff)
	}
	return once
}

// TestNormalizeRules compares a field's CEL rules in pairs.
func TestNormalizeRules(t *testing.T) {
	cases := map[string]struct {
		reason     string
		one, other string
		agree      bool
	}{
		"Order": {"all of them must hold, in whatever order", "{rule: a}, {rule: b}", "{rule: b}, {rule: a}", true},
		"Message": {
			"a message decides nothing",
			"{rule: a, message: no}",
			"{rule: a, message: never, reason: FieldValueInvalid}",
			true,
		},
		"Rule":    {"another rule", "{rule: a}", "{rule: b}", false},
		"More":    {"one rule more", "{rule: a}", "{rule: a}, {rule: b}", false},
		"OldSelf": {"a rule for creations too", "{rule: a}", "{rule: a, optionalOldSelf: true}", false},
	}
	for label, tc := range cases {
		t.Run(label, func(t *testing.T) {
			with := func(cluster, rules string) crdcheck.Snapshot {
				return crdcheck.Observed(
					cluster, widget(t, "phase: {type: string}", "phase: {type: string, x-kubernetes-validations: ["+rules+"]}"),
				)
			}
			report := crdcheck.Fleet(
				[]crdcheck.Snapshot{with("east", tc.one), with("west", tc.other)}, []string{"widgets.example.com"},
			)
			if report.OK() != tc.agree {
				t.Errorf("%s: agree is %t\n%+v", tc.reason, report.OK(), report.Findings)
			}
		})
	}
}
