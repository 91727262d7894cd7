package crdcheck

// RuleID names a rule; it never changes once released.
type RuleID string

// The rules, and which question they belong to.
const (
	// RuleClusterUnknown (both): the cluster could not be read.
	RuleClusterUnknown RuleID = "cluster-unknown"
	// RuleCRDMissing (both): the cluster has no such CRD.
	RuleCRDMissing RuleID = "crd-missing"
	// RuleVersionNotServed (Require): the version that is spoken is not served.
	RuleVersionNotServed RuleID = "version-not-served"
	// RuleVersionDeprecated (Require): the version that is spoken is served, but deprecated.
	RuleVersionDeprecated RuleID = "version-deprecated"
	// RuleFieldMissing (Require): neither the field nor one of its alternatives is in the schema.
	RuleFieldMissing RuleID = "field-missing"
	// RuleFieldUnchecked (Require): the schema says nothing about the field, and the server keeps it unseen.
	RuleFieldUnchecked RuleID = "field-unchecked"
	// RuleScopeDiffers (Fleet): namespaced here, cluster-scoped there.
	RuleScopeDiffers RuleID = "scope-differs"
	// RuleVersionsDiffer (Fleet): versions, or what is served, stored or deprecated of them, differ.
	RuleVersionsDiffer RuleID = "versions-differ"
	// RuleSchemaFieldAbsent (Fleet): the baseline has a field that the cluster lacks.
	RuleSchemaFieldAbsent RuleID = "schema-field-absent"
	// RuleSchemaFieldExtra (Fleet): the cluster has a field that the baseline lacks.
	RuleSchemaFieldExtra RuleID = "schema-field-extra"
	// RuleSchemaFieldDiffers (Fleet): type, bounds, default or rules of a field differ.
	RuleSchemaFieldDiffers RuleID = "schema-field-differs"
)

// Rule is what a rule looks for and why.
type Rule struct {
	ID RuleID
	// Effect of its findings.
	Effect Effect
	// Why it matters.
	Why string
}

// Rules returns all rules, sorted by ID.
func Rules() []Rule {
	return []Rule{
		{RuleClusterUnknown, Unknown, "what cannot be read is neither equal nor absent"},
		{RuleCRDMissing, Drops, "objects of this kind cannot exist in the cluster"},
		{RuleFieldMissing, Drops, "the server drops the field from what is written, and it is never read"},
		{RuleFieldUnchecked, Unknown, "the schema keeps unknown fields, so that it does not tell whether anybody knows this one"},
		{RuleSchemaFieldAbsent, Drops, "what other clusters keep is dropped here"},
		{RuleSchemaFieldDiffers, Incomparable, "what other clusters accept may be refused here, or be read differently"},
		{RuleSchemaFieldExtra, Widens, "what is kept here is dropped when the object moves to another cluster"},
		{RuleScopeDiffers, Incomparable, "a path to an object that works in one cluster is not found in the other"},
		{RuleVersionDeprecated, Narrows, "the version will go away with a later release"},
		{RuleVersionNotServed, Drops, "every call fails"},
		{RuleVersionsDiffer, Incomparable, "the clusters run different releases; objects may not move between them"},
	}
}

// finding starts a finding of this rule; Cluster and CRD are filled in by who asks the question.
func (id RuleID) finding(direction Direction) Finding {
	f := Finding{Rule: id, Direction: direction}
	for _, rule := range Rules() {
		if rule.ID == id {
			f.Effect, f.Why = rule.Effect, rule.Why
		}
	}
	return f
}
