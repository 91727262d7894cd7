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
		"another description": {
			reason:       "a description is for people and decides nothing",
			replacements: []string{"description: A widget.", "description: Another text."},
			agree:        true,
		},
		"no description": {
			reason:       "a description is for people, so that none is the same as any",
			replacements: []string{"        description: A widget.\n", ""},
			agree:        true,
		},
		"required in another order": {
			reason:       "the order of required fields decides nothing",
			replacements: []string{"[size, colour]", "[colour, size]"},
			agree:        true,
		},
		"field is no longer required": {
			reason:       "an object without the field is accepted by one side only",
			replacements: []string{"[size, colour]", "[size]"},
			agree:        false,
		},
		"enumeration in another order": {
			reason:       "the order of an enumeration decides nothing",
			replacements: []string{"[red, green]", "[green, red]"},
			agree:        true,
		},
		"one more value": {
			reason:       "the added value is accepted by one side only",
			replacements: []string{"[red, green]", "[red, green, blue]"},
			agree:        false,
		},
		"allOf with one branch": {
			reason:       "an allOf with one branch is another way to write that branch",
			replacements: []string{"{type: string, enum: [red, green]}", "{type: string, allOf: [{enum: [red, green]}]}"},
			agree:        true,
		},
		"allOf with a branch twice": {
			reason: "generators repeat the enumeration of a type at its field, which changes nothing",
			replacements: []string{
				"{type: string, enum: [red, green]}",
				"{type: string, allOf: [{enum: [red, green]}, {enum: [green, red]}]}",
			},
			agree: true,
		},
		"allOf that narrows": {
			reason: "a branch of allOf that takes a value away counts",
			replacements: []string{
				"{type: string, enum: [red, green]}",
				"{type: string, allOf: [{enum: [red, green]}, {enum: [red]}]}",
			},
			agree: false,
		},
		"both forms of int-or-string": {
			reason:       "the extension int-or-string says what anyOf repeats",
			replacements: []string{", anyOf: [{type: integer}, {type: string}]", ""},
			agree:        true,
		},
		"anyOf of int-or-string in another order": {
			reason:       "the order of branches decides nothing",
			replacements: []string{"[{type: integer}, {type: string}]", "[{type: string}, {type: integer}]"},
			agree:        true,
		},
		"int-or-string inside allOf": {
			reason: "int-or-string has a second form, for more constraints, which means the same",
			replacements: []string{
				"anyOf: [{type: integer}, {type: string}]",
				"allOf: [{anyOf: [{type: integer}, {type: string}]}]",
			},
			agree: true,
		},
		"int-or-string with one more type": {
			reason: "a pattern beside int-or-string counts",
			replacements: []string{
				"anyOf: [{type: integer}, {type: string}]",
				"anyOf: [{type: integer}, {type: string}], pattern: a",
			},
			agree: false,
		},
		"list type that is the default": {
			reason:       "a list is atomic by default",
			replacements: []string{"type: array", "type: array\n                x-kubernetes-list-type: atomic"},
			agree:        true,
		},
		"list type that is not the default": {
			reason:       "owners of single items are not owners of an atomic list",
			replacements: []string{"type: array", "type: array\n                x-kubernetes-list-type: set"},
			agree:        false,
		},
		"nullable is false": {
			reason:       "a keyword that is false by default may be left out",
			replacements: []string{"phase: {type: string}", "phase: {type: string, nullable: false}"},
			agree:        true,
		},
		"nullable is true": {
			reason:       "null is accepted by one side only",
			replacements: []string{"phase: {type: string}", "phase: {type: string, nullable: true}"},
			agree:        false,
		},
		"minLength of zero": {
			reason:       "a minimum length of zero refuses nothing",
			replacements: []string{"phase: {type: string}", "phase: {type: string, minLength: 0}"},
			agree:        true,
		},
		"minLength of one": {
			reason:       "the empty string is refused by one side only",
			replacements: []string{"phase: {type: string}", "phase: {type: string, minLength: 1}"},
			agree:        false,
		},
		"default that is empty": {
			reason:       "an empty default is filled in, so it counts",
			replacements: []string{"phase: {type: string}", `phase: {type: string, default: ""}`},
			agree:        false,
		},
		"default that is a list": {
			reason:       "an empty list as a default is filled in, so it counts",
			replacements: []string{"type: array", "type: array\n                default: []"},
			agree:        false,
		},
		"another minimum": {
			reason:       "another bound accepts other values",
			replacements: []string{"minimum: 1", "minimum: 0"},
			agree:        false,
		},
		"bounds beyond floating point": {
			reason:       "bounds that floating point cannot tell apart are different",
			replacements: []string{"minimum: 1", "minimum: 1, default: 9007199254740993"},
			agree:        false,
		},
		"additionalProperties is false": {
			reason:       "a closed object drops what an open one keeps",
			replacements: []string{"free: {type: object, x-kubernetes-preserve-unknown-fields: true", "free: {type: object"},
			agree:        false,
		},
		"property named like a keyword": {
			reason:       "a property may have the name of a keyword and is not one",
			replacements: []string{"phase: {type: string}", "description: {type: string}"},
			agree:        false,
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
		"rules in another order": {
			reason: "all rules must hold, so their order decides nothing",
			one:    "{rule: a}, {rule: b}",
			other:  "{rule: b}, {rule: a}",
			agree:  true,
		},
		"another message": {
			reason: "a message is for people and decides nothing",
			one:    "{rule: a, message: not so}",
			other:  "{rule: a, message: never, reason: FieldValueInvalid}",
			agree:  true,
		},
		"another rule": {reason: "another rule refuses other objects", one: "{rule: a}", other: "{rule: b}", agree: false},
		"one more rule": {
			reason: "one more rule refuses more objects",
			one:    "{rule: a}",
			other:  "{rule: a}, {rule: b}",
			agree:  false,
		},
		"rule with optionalOldSelf": {
			reason: "a rule that holds for creations too refuses more objects",
			one:    "{rule: a}",
			other:  "{rule: a, optionalOldSelf: true}",
			agree:  false,
		},
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
