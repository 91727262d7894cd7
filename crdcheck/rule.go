package crdcheck

import (
	"slices"
	"strings"
)

// RuleID names a rule; it never changes once released.
type RuleID string

// The rules about whole clusters and definitions, and which question they belong to; those of
// Compare are in rule_compare.go.
const (
	// RuleClusterUnknown (all): the cluster could not be read.
	RuleClusterUnknown RuleID = "cluster-unknown"
	// RuleCRDMissing (all): the cluster has no such CRD.
	RuleCRDMissing RuleID = "crd-missing"
	// RuleVersionNotServed (Require): the version that is spoken is not served.
	RuleVersionNotServed RuleID = "version-not-served"
	// RuleVersionDeprecated (Require, Compare): the version is served, but deprecated.
	RuleVersionDeprecated RuleID = "version-deprecated"
	// RuleFieldMissing (Require): neither the field nor one of its alternatives is in the schema.
	RuleFieldMissing RuleID = "field-missing"
	// RuleFieldUnchecked (Require): the schema says nothing about the field, and the server keeps
	// it unseen.
	RuleFieldUnchecked RuleID = "field-unchecked"
	// RuleScopeDiffers (Fleet, Compare): namespaced here, cluster-scoped there.
	RuleScopeDiffers RuleID = "scope-differs"
	// RuleVersionsDiffer (Fleet): versions, or what is served, stored or deprecated of them,
	// differ.
	RuleVersionsDiffer RuleID = "versions-differ"
)

// Rule is what a rule looks for and why.
type Rule struct {
	ID RuleID
	// Effect of its findings.
	Effect Effect
	// Questions that it belongs to: "admit", "compare", "fleet", "require".
	Questions []string
	// Why it matters.
	Why string
	// Also are the checks of other tools that look for the same: "crdify: enum".
	Also []string
}

const (
	askRequire = "require"
	askCompare = "compare"
	askFleet   = "fleet"
	askAdmit   = "admit"
)

// Rules returns all rules, sorted by ID.
func Rules() []Rule {
	rules := slices.Concat(
		clusterRules(), versionRules(), presentationRules(), fieldRules(), valueRules(), boundRules(), objectRules(),
	)
	slices.SortFunc(rules, func(a, b Rule) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return rules
}

func clusterRules() []Rule {
	return []Rule{
		{
			RuleClusterUnknown,
			Unknown,
			[]string{askAdmit, askCompare, askFleet, askRequire},
			"what cannot be read is neither equal nor absent",
			nil,
		},
		{
			RuleCRDMissing,
			Drops,
			[]string{askAdmit, askCompare, askFleet, askRequire},
			"objects of this kind cannot exist in the cluster",
			nil,
		},
		{
			RuleFieldMissing,
			Drops,
			[]string{askRequire},
			"the server drops the field from what is written, and it is never read",
			nil,
		},
		{
			RuleFieldUnchecked,
			Unknown,
			[]string{askRequire},
			"the schema keeps unknown fields, so that it does not tell whether anybody knows this one",
			nil,
		},
		{
			RuleScopeDiffers,
			Incomparable,
			[]string{askCompare, askFleet},
			"a path to an object that works in one cluster is not found in the other",
			[]string{"crdify: scope"},
		},
		{RuleVersionNotServed, Drops, []string{askAdmit, askRequire}, "every call fails", nil},
		{
			RuleVersionsDiffer,
			Incomparable,
			[]string{askFleet},
			"the clusters run different releases; objects may not move between them",
			nil,
		},
	}
}

// The rules of package admit, about one object.
const (
	// RuleObjectRefused: the server refuses the object.
	RuleObjectRefused RuleID = "object-refused"
	// RuleObjectPruned: the server drops a field of it.
	RuleObjectPruned RuleID = "object-pruned"
	// RuleObjectDefaulted: the server fills a field in.
	RuleObjectDefaulted RuleID = "object-defaulted"
	// RuleObjectUnchecked: a part of it is not looked at.
	RuleObjectUnchecked RuleID = "object-unchecked"
	// RuleObjectWarned: the server accepts it with a warning.
	RuleObjectWarned RuleID = "object-warned"
)

func objectRules() []Rule {
	only := []string{askAdmit}
	return []Rule{
		{RuleObjectRefused, Narrows, only, "the server refuses the object", []string{"kubectl apply --dry-run=server"}},
		{
			RuleObjectPruned,
			Drops,
			only,
			"the server drops the field without a word",
			[]string{"kubectl apply --validate=strict"},
		},
		{RuleObjectDefaulted, Cosmetic, only, "the server fills the field in", nil},
		{RuleObjectUnchecked, Unknown, only, "the schema does not say what is accepted here", nil},
		{RuleObjectWarned, Alters, only, "the server accepts the object and warns", nil},
	}
}

// Finding starts a finding of this rule, for packages that ask questions of their own.
func (id RuleID) Finding(direction Direction) Finding { return id.finding(direction) }

// catalogue is Rules by ID. It is built once and never changed.
var catalogue = func() map[RuleID]Rule {
	byID := map[RuleID]Rule{}
	for _, rule := range Rules() {
		byID[rule.ID] = rule
	}
	return byID
}()

// finding starts a finding of this rule; Cluster and CRD are filled in by who asks the question.
func (id RuleID) finding(direction Direction) Finding {
	rule := catalogue[id]
	return Finding{Rule: id, Direction: direction, Effect: rule.Effect, Why: rule.Why}
}
