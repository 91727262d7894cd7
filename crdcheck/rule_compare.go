package crdcheck

// The rules of Compare and Fleet about versions and about the definition as a whole.
const (
	RuleCRDAdded                  RuleID = "crd-added"
	RuleVersionRemoved            RuleID = "version-removed"
	RuleVersionAdded              RuleID = "version-added"
	RuleVersionUnserved           RuleID = "version-unserved"
	RuleVersionServed             RuleID = "version-served"
	RuleVersionUndeprecated       RuleID = "version-undeprecated"
	RuleDeprecationWarningChanged RuleID = "deprecation-warning-changed"
	RuleStorageVersionChanged     RuleID = "storage-version-changed"
	RuleStorageVersionJumped      RuleID = "storage-version-jumped"
	RuleStoredVersionRemoved      RuleID = "stored-version-removed"
	RuleStoredVersionsChanged     RuleID = "stored-versions-changed"
	RuleVersionMayBeStored        RuleID = "version-may-be-stored"
	RuleConversionChanged         RuleID = "conversion-changed"
	RuleConversionWebhookChanged  RuleID = "conversion-webhook-changed"
	RuleUnknownFieldsSwitched     RuleID = "unknown-fields-switched"
	RuleSchemaRemoved             RuleID = "schema-removed"
	RuleSchemaAdded               RuleID = "schema-added"
	RuleSubresourceRemoved        RuleID = "subresource-removed"
	RuleSubresourceAdded          RuleID = "subresource-added"
	RuleStatusSubresourceAdded    RuleID = "status-subresource-added"
	RuleScaleChanged              RuleID = "scale-changed"
	RuleSelectableFieldRemoved    RuleID = "selectable-field-removed"
	RuleSelectableFieldAdded      RuleID = "selectable-field-added"
	RuleKindChanged               RuleID = "kind-changed"
	RuleListKindChanged           RuleID = "list-kind-changed"
	RuleSingularChanged           RuleID = "singular-changed"
	RuleShortNameRemoved          RuleID = "short-name-removed"
	RuleShortNameAdded            RuleID = "short-name-added"
	RuleCategoryRemoved           RuleID = "category-removed"
	RuleCategoryAdded             RuleID = "category-added"
	RulePrintColumnRemoved        RuleID = "print-column-removed"
	RulePrintColumnAdded          RuleID = "print-column-added"
	RulePrintColumnChanged        RuleID = "print-column-changed"
)

// The rules of Compare and Fleet about one path of a schema.
const (
	RuleFieldRemoved            RuleID = "field-removed"
	RuleFieldAdded              RuleID = "field-added"
	RuleRequiredFieldAdded      RuleID = "required-field-added"
	RuleFieldUnlisted           RuleID = "field-unlisted"
	RuleFieldListed             RuleID = "field-listed"
	RuleRequiredAdded           RuleID = "required-added"
	RuleRequiredDefaulted       RuleID = "required-defaulted"
	RuleRequiredRemoved         RuleID = "required-removed"
	RuleUnknownFieldsPruned     RuleID = "unknown-fields-pruned"
	RuleUnknownFieldsKept       RuleID = "unknown-fields-kept"
	RuleNotCheckable            RuleID = "not-checkable"
	RuleTypeChanged             RuleID = "type-changed"
	RuleTypeNarrowed            RuleID = "type-narrowed"
	RuleTypeWidened             RuleID = "type-widened"
	RuleFormatNarrowed          RuleID = "format-narrowed"
	RuleFormatWidened           RuleID = "format-widened"
	RuleFormatChanged           RuleID = "format-changed"
	RuleNullableAdded           RuleID = "nullable-added"
	RuleNullableRemoved         RuleID = "nullable-removed"
	RuleEnumAdded               RuleID = "enum-added"
	RuleEnumRemoved             RuleID = "enum-removed"
	RuleEnumValueAdded          RuleID = "enum-value-added"
	RuleEnumValueRemoved        RuleID = "enum-value-removed"
	RulePatternAdded            RuleID = "pattern-added"
	RulePatternRemoved          RuleID = "pattern-removed"
	RulePatternChanged          RuleID = "pattern-changed"
	RuleDefaultAdded            RuleID = "default-added"
	RuleDefaultChanged          RuleID = "default-changed"
	RuleDefaultRemoved          RuleID = "default-removed"
	RuleRequiredDefaultRemoved  RuleID = "required-default-removed"
	RuleListTypeNarrowed        RuleID = "list-type-narrowed"
	RuleListTypeChanged         RuleID = "list-type-changed"
	RuleListMapKeysChanged      RuleID = "list-map-keys-changed"
	RuleMapTypeChanged          RuleID = "map-type-changed"
	RuleEmbeddedResourceAdded   RuleID = "embedded-resource-added"
	RuleEmbeddedResourceRemoved RuleID = "embedded-resource-removed"
	RuleCELRuleAdded            RuleID = "cel-rule-added"
	RuleCELRuleRemoved          RuleID = "cel-rule-removed"
	RuleCELRuleChanged          RuleID = "cel-rule-changed"
	RuleAllOfAdded              RuleID = "all-of-added"
	RuleAllOfRemoved            RuleID = "all-of-removed"
	RuleAnyOfNarrowed           RuleID = "any-of-narrowed"
	RuleAnyOfWidened            RuleID = "any-of-widened"
	RuleAnyOfChanged            RuleID = "any-of-changed"
	RuleOneOfAdded              RuleID = "one-of-added"
	RuleOneOfRemoved            RuleID = "one-of-removed"
	RuleOneOfChanged            RuleID = "one-of-changed"
	RuleNotAdded                RuleID = "not-added"
	RuleNotRemoved              RuleID = "not-removed"
	RuleNotChanged              RuleID = "not-changed"
	RuleMultipleOfTightened     RuleID = "multiple-of-tightened"
	RuleMultipleOfLoosened      RuleID = "multiple-of-loosened"
	RuleMultipleOfChanged       RuleID = "multiple-of-changed"
)

var compared = []string{askCompare, askFleet}

func versionRules() []Rule {
	rule := func(id RuleID, effect Effect, why string) Rule { return Rule{id, effect, compared, why, nil} }
	only := func(id RuleID, effect Effect, why string, also ...string) Rule {
		return Rule{id, effect, []string{askCompare}, why, also}
	}
	return []Rule{
		only(RuleCRDAdded, Adds, "a new kind takes nothing from who does not know it"),
		only(RuleVersionRemoved, Drops, "every call that names the version fails", "crd-version-checker: removed versions"),
		only(RuleVersionAdded, Adds, "a version more takes nothing from who speaks another one"),
		only(RuleVersionUnserved, Drops, "every call that names the version fails", "crd-version-checker: served changes"),
		only(RuleVersionServed, Adds, "a version more takes nothing from who speaks another one"),
		{
			RuleVersionDeprecated,
			Alters,
			[]string{askCompare, askRequire},
			"the version will go away with a later release, and each call is answered with a warning",
			nil,
		},
		only(RuleVersionUndeprecated, Cosmetic, "the warning on each call goes away"),
		only(RuleDeprecationWarningChanged, Cosmetic, "each call is answered with another warning"),
		only(
			RuleStorageVersionChanged, Alters,
			"what is stored is converted when it is next written; to go back needs the older version served",
			"crd-version-checker: storage changes",
		),
		only(
			RuleStorageVersionJumped, Drops,
			"an older release that is rolled back to, or still running, "+
				"cannot read what is stored in a version that it does not know",
			"crd-version-checker: storage version was not served before",
		),
		only(
			RuleStoredVersionRemoved, Drops,
			"the API server refuses the definition while status.storedVersions names the version",
			"crdify: storedVersionRemoval",
		),
		only(RuleStoredVersionsChanged, Cosmetic, "objects may be stored in other versions"),
		only(
			RuleVersionMayBeStored, Unknown,
			"files do not tell in which versions objects are stored; "+
				"the API server refuses the definition while status.storedVersions names this one",
		),
		rule(RuleConversionChanged, Alters, "objects are translated between versions in another way, or no longer"),
		rule(RuleConversionWebhookChanged, Cosmetic, "another server translates objects between versions"),
		rule(
			RuleUnknownFieldsSwitched, Incomparable, "fields that no schema names are dropped on one side and kept on the other",
		),
		rule(RuleSchemaRemoved, Unknown, "without a schema nobody can tell what is accepted"),
		rule(RuleSchemaAdded, Narrows, "what was kept unseen is now checked"),
		rule(RuleSubresourceRemoved, Drops, "calls to the subresource fail"),
		rule(RuleSubresourceAdded, Adds, "a subresource more takes nothing from who does not call it"),
		rule(RuleStatusSubresourceAdded, Drops, "a status that is written with the object is dropped from now on"),
		rule(RuleScaleChanged, Alters, "scaling reads or writes another field"),
		rule(RuleSelectableFieldRemoved, Drops, "lists and watches with this field selector fail"),
		rule(RuleSelectableFieldAdded, Adds, "a selector more takes nothing from who does not use it"),
	}
}

func presentationRules() []Rule {
	rule := func(id RuleID, effect Effect, why string) Rule { return Rule{id, effect, compared, why, nil} }
	return []Rule{
		rule(RuleKindChanged, Incomparable, "objects of the former kind are refused"),
		rule(RuleListKindChanged, Incomparable, "clients that decode the list's kind do not know it"),
		rule(RuleSingularChanged, Cosmetic, "people type another name"),
		rule(RuleShortNameRemoved, Alters, "scripts that use the short name fail"),
		rule(RuleShortNameAdded, Cosmetic, "people may type a shorter name"),
		rule(RuleCategoryRemoved, Alters, "scripts that list the category no longer see the kind"),
		rule(RuleCategoryAdded, Cosmetic, "lists of the category show the kind too"),
		rule(RulePrintColumnRemoved, Cosmetic, "kubectl get shows less; scripts that cut columns break"),
		rule(RulePrintColumnAdded, Cosmetic, "kubectl get shows more"),
		rule(RulePrintColumnChanged, Cosmetic, "kubectl get shows something else"),
	}
}

func fieldRules() []Rule {
	rule := func(id RuleID, effect Effect, why string, also ...string) Rule {
		return Rule{id, effect, compared, why, also}
	}
	return []Rule{
		rule(
			RuleFieldRemoved, Drops, "the server drops the field from what is written, and it is never read",
			"crdify: existingFieldRemoval", "crd-schema-checker: NoFieldRemoval",
		),
		rule(
			RuleFieldAdded, Adds, "who reads an object, changes it and writes it back as a type without the field erases it",
		),
		rule(
			RuleRequiredFieldAdded, Narrows, "objects without the field are refused", "crdify: required",
			"crd-schema-checker: NoNewRequiredFields",
		),
		rule(RuleFieldUnlisted, Widens, "the field is kept, but no longer checked"),
		rule(RuleFieldListed, Narrows, "what was kept unseen in this field is now checked"),
		rule(
			RuleRequiredAdded, Narrows, "objects without the field are refused", "crdify: required",
			"crd-schema-checker: NoNewRequiredFields",
		),
		rule(RuleRequiredDefaulted, Cosmetic, "the server fills the field in where it is missing"),
		rule(RuleRequiredRemoved, Widens, "who reads may meet objects without the field", "crdify: required"),
		rule(RuleUnknownFieldsPruned, Drops, "fields that the schema does not name are dropped from now on"),
		rule(RuleUnknownFieldsKept, Widens, "fields that the schema does not name are kept from now on"),
		rule(
			RuleNotCheckable, Unknown,
			"the schema uses what the API server refuses in a definition; nobody can tell what it means",
		),
		rule(RuleEmbeddedResourceAdded, Narrows, "the value must be a whole Kubernetes object from now on"),
		rule(RuleEmbeddedResourceRemoved, Widens, "the value need not be a whole Kubernetes object any more"),
		rule(
			RuleListTypeNarrowed, Narrows,
			"entries that are there twice are refused, and appliers own entries instead of the list",
		),
		rule(RuleListTypeChanged, Alters, "appliers own the whole list instead of their entries, and overwrite each other's"),
		rule(RuleListMapKeysChanged, Incomparable, "other entries count as the same"),
		rule(RuleMapTypeChanged, Alters, "appliers own the whole map instead of their keys, or the other way round"),
	}
}

func valueRules() []Rule {
	rule := func(id RuleID, effect Effect, why string, also ...string) Rule {
		return Rule{id, effect, compared, why, also}
	}
	const refused, unseen = "values that were accepted are refused", "who reads may meet values that were not there before"
	return []Rule{
		rule(RuleTypeChanged, Incomparable, refused+", and "+unseen, "crdify: type", "crd-schema-checker: NoDataTypeChange"),
		rule(RuleTypeNarrowed, Narrows, refused, "crdify: type", "crd-schema-checker: NoDataTypeChange"),
		rule(RuleTypeWidened, Widens, unseen, "crdify: type", "crd-schema-checker: NoDataTypeChange"),
		rule(RuleFormatNarrowed, Narrows, refused),
		rule(RuleFormatWidened, Widens, unseen+": a program that holds 32 bits overflows"),
		rule(RuleFormatChanged, Incomparable, refused+", and "+unseen),
		rule(RuleNullableAdded, Widens, unseen, "crdify: nullable"),
		rule(RuleNullableRemoved, Narrows, "null is dropped or refused", "crdify: nullable"),
		rule(RuleEnumAdded, Narrows, refused, "crdify: enum"),
		rule(RuleEnumRemoved, Widens, unseen, "crdify: enum", "crd-schema-checker: NoEnumRemoval"),
		rule(RuleEnumValueAdded, Widens, unseen, "crdify: enum"),
		rule(RuleEnumValueRemoved, Narrows, refused, "crdify: enum", "crd-schema-checker: NoEnumRemoval"),
		rule(RulePatternAdded, Narrows, refused, "crdify: pattern"),
		rule(RulePatternRemoved, Widens, unseen, "crdify: pattern"),
		rule(RulePatternChanged, Incomparable, refused+", and "+unseen, "crdify: pattern"),
		rule(RuleDefaultAdded, Alters, "the server fills in what was left out", "crdify: default"),
		rule(RuleDefaultChanged, Alters, "the server fills in another value", "crdify: default"),
		rule(RuleDefaultRemoved, Alters, "the server no longer fills in what is left out", "crdify: default"),
		rule(
			RuleRequiredDefaultRemoved, Narrows, "objects that leave the field out were filled in and are refused now",
			"crdify: default",
		),
		rule(RuleCELRuleAdded, Narrows, refused),
		rule(RuleCELRuleChanged, Narrows, "values that the former rule accepted may be refused; no program can tell"),
		rule(RuleCELRuleRemoved, Widens, unseen),
		rule(RuleAllOfAdded, Narrows, refused),
		rule(RuleAllOfRemoved, Widens, unseen),
		rule(RuleAnyOfNarrowed, Narrows, refused),
		rule(RuleAnyOfWidened, Widens, unseen),
		rule(RuleAnyOfChanged, Incomparable, refused+", and "+unseen),
		rule(RuleOneOfAdded, Narrows, refused),
		rule(RuleOneOfRemoved, Widens, unseen),
		rule(RuleOneOfChanged, Incomparable, refused+", and "+unseen),
		rule(RuleNotAdded, Narrows, refused),
		rule(RuleNotRemoved, Widens, unseen),
		rule(RuleNotChanged, Incomparable, refused+", and "+unseen),
		rule(RuleMultipleOfTightened, Narrows, refused),
		rule(RuleMultipleOfLoosened, Widens, unseen),
		rule(RuleMultipleOfChanged, Incomparable, refused+", and "+unseen),
	}
}

// bound is a limit of a value, and whether a greater number is the stricter one.
type bound struct {
	key, name string // of JSON schema, of the rules
	lower     bool
}

var bounds = []bound{
	{
		"maxItems",
		"max-items",
		false,
	}, {"maxLength", "max-length", false}, {"maxProperties", "max-properties", false}, {"maximum", "maximum", false},
	{
		"minItems",
		"min-items",
		true,
	}, {"minLength", "min-length", true}, {"minProperties", "min-properties", true}, {"minimum", "minimum", true},
}

func (b bound) tightened() RuleID { return RuleID(b.name + "-tightened") }
func (b bound) loosened() RuleID  { return RuleID(b.name + "-loosened") }

func boundRules() []Rule {
	var rules []Rule
	for _, b := range bounds {
		also := []string{"crdify: " + b.key}
		rules = append(rules,
			Rule{b.tightened(), Narrows, compared, "values that were accepted are refused", also},
			Rule{b.loosened(), Widens, compared, "who reads may meet values that were not there before", also})
	}
	return rules
}
