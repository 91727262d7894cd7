package crdcheck

import (
	"fmt"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// all is who is asked about what belongs to no path.
func (c *comparison) all() []Direction { return c.rolesOf("") }

// definitions compares everything but schemas.
func (c *comparison) definitions(was, is *definition) {
	c.differs(RuleScopeDiffers, was.scope, is.scope)
	c.differs(RuleKindChanged, was.names.Kind, is.names.Kind)
	c.differs(RuleListKindChanged, listKind(was.names), listKind(is.names))
	c.differs(RuleSingularChanged, singular(was.names), singular(is.names))
	c.sets(RuleShortNameRemoved, RuleShortNameAdded, was.names.ShortNames, is.names.ShortNames)
	c.sets(RuleCategoryRemoved, RuleCategoryAdded, was.names.Categories, is.names.Categories)
	c.differs(RuleConversionChanged, string(was.conversion), string(is.conversion))
	if was.conversion == is.conversion {
		c.differs(RuleConversionWebhookChanged, was.webhook, is.webhook)
	}
	if was.keepsUnknown != is.keepsUnknown {
		c.tell(RuleUnknownFieldsSwitched, "", keeping(was.keepsUnknown), keeping(is.keepsUnknown))
	}
	c.versions(was, is)
	c.storage(was, is)
}

func (c *comparison) differs(rule RuleID, old, found string) {
	if old != found {
		c.tell(rule, "", old, found)
	}
}

func (c *comparison) sets(removed, added RuleID, old, found []string) {
	for _, name := range missing(old, found) {
		c.tell(removed, "", name, absentValue)
	}
	for _, name := range missing(found, old) {
		c.harmless(added, absentValue, name)
	}
}

// harmless reports an addition to the definition. A typed client that does not know it erases
// nothing.
func (c *comparison) harmless(rule RuleID, old, found string) {
	asked := slices.DeleteFunc(slices.Clone(c.all()), func(d Direction) bool { return d == Roundtrip })
	c.tellAmong(asked, rule, "", old, found)
}

// missing returns what is in all and not in some, sorted.
func missing(all, some []string) []string {
	var left []string
	for _, name := range all {
		if !slices.Contains(some, name) {
			left = append(left, name)
		}
	}
	slices.Sort(left)
	return slices.Compact(left)
}

// listKind and singular are what the server fills in.
func listKind(names apiextensionsv1.CustomResourceDefinitionNames) string {
	if names.ListKind == "" {
		return names.Kind + "List"
	}
	return names.ListKind
}

func singular(names apiextensionsv1.CustomResourceDefinitionNames) string {
	if names.Singular == "" {
		return strings.ToLower(names.Kind)
	}
	return names.Singular
}

func keeping(keeps bool) string {
	if keeps {
		return "unknown fields are kept"
	}
	return "unknown fields are dropped"
}

func (c *comparison) versions(was, is *definition) {
	for _, name := range was.ordered() {
		c.version = name
		if is.versions[name] == nil && c.speaks(name) {
			c.removed(was, name)
		}
	}
	for _, name := range is.ordered() {
		c.version = name
		old, found := was.versions[name], is.versions[name]
		switch {
		case !c.speaks(name):
		case old == nil:
			c.harmless(RuleVersionAdded, absentValue, strings.TrimSpace(found.marks()))
		default:
			c.versionMarks(old, found)
			if old.served && found.served {
				c.versionParts(old, found)
			}
		}
	}
	c.version = ""
}

// speaks reports whether the program uses a version; without a usage every version is used.
func (c *comparison) speaks(version string) bool {
	return c.usage == nil || c.usage.Version == "" || c.usage.Version == version
}

func (c *comparison) removed(was *definition, name string) {
	switch {
	case slices.Contains(was.stored, name):
		c.tell(RuleStoredVersionRemoved, "", strings.TrimSpace(was.versions[name].marks()), absentValue)
	case was.versions[name].served:
		c.tell(RuleVersionRemoved, "", strings.TrimSpace(was.versions[name].marks()), absentValue)
	case len(was.stored) == 0:
		c.tell(RuleVersionMayBeStored, "", strings.TrimSpace(was.versions[name].marks()), absentValue)
	}
}

func (c *comparison) versionMarks(old, found *version) {
	const served, unserved = "served", "unserved"
	switch {
	case old.served && !found.served:
		c.tell(RuleVersionUnserved, "", served, unserved)
	case !old.served && found.served:
		c.harmless(RuleVersionServed, unserved, served)
	}
	switch {
	case !old.deprecated && found.deprecated:
		c.tell(RuleVersionDeprecated, "", "current", "deprecated")
	case old.deprecated && !found.deprecated:
		c.tell(RuleVersionUndeprecated, "", "deprecated", "current")
	default:
		c.differs(RuleDeprecationWarningChanged, old.warning, found.warning)
	}
}

func (c *comparison) versionParts(old, found *version) {
	switch {
	case old.nodes != nil && found.nodes == nil:
		c.tell(RuleSchemaRemoved, "", "a schema", absentValue)
	case old.nodes == nil && found.nodes != nil:
		c.tell(RuleSchemaAdded, "", absentValue, "a schema")
	}
	switch {
	case old.status && !found.status:
		c.tell(RuleSubresourceRemoved, "", "status", absentValue)
	case !old.status && found.status && old.keepsStatus():
		c.tell(RuleStatusSubresourceAdded, "", absentValue, "status")
	case !old.status && found.status:
		c.harmless(RuleSubresourceAdded, absentValue, "status")
	}
	switch {
	case old.scale != "" && found.scale == "":
		c.tell(RuleSubresourceRemoved, "", "scale", absentValue)
	case old.scale == "" && found.scale != "":
		c.harmless(RuleSubresourceAdded, absentValue, "scale")
	default:
		c.differs(RuleScaleChanged, old.scale, found.scale)
	}
	c.sets(RuleSelectableFieldRemoved, RuleSelectableFieldAdded, old.selectable, found.selectable)
	c.columns(old.columns, found.columns)
}

// keepsStatus reports whether a status that is written with an object is kept by a version without
// the subresource.
func (v *version) keepsStatus() bool {
	root := v.nodes.at("")
	return root == nil || root.open || v.nodes.at("status") != nil
}

func (c *comparison) columns(old, found []apiextensionsv1.CustomResourceColumnDefinition) {
	was, is := columnsByName(old), columnsByName(found)
	for _, name := range sortedKeys(was) {
		switch text, there := is[name]; {
		case !there:
			c.tell(RulePrintColumnRemoved, "", was[name], absentValue)
		case text != was[name]:
			c.tell(RulePrintColumnChanged, "", was[name], text)
		}
	}
	for _, name := range sortedKeys(is) {
		if _, there := was[name]; !there {
			c.tell(RulePrintColumnAdded, "", absentValue, is[name])
		}
	}
}

func columnsByName(columns []apiextensionsv1.CustomResourceColumnDefinition) map[string]string {
	byName := map[string]string{}
	for _, column := range columns {
		name := column.Name
		for n := 2; byName[name] != ""; n++ {
			name = fmt.Sprintf("%s (%d)", column.Name, n)
		}
		byName[name], _ = canonical(column) // strings and numbers always encode
	}
	return byName
}

// storage compares what objects are stored as.
func (c *comparison) storage(was, is *definition) {
	before, after := was.storedAs(), is.storedAs()
	if before != after && before != "" && after != "" {
		rule := RuleStorageVersionChanged
		if v := was.versions[after]; v == nil || !v.served {
			rule = RuleStorageVersionJumped
		}
		asked := slices.DeleteFunc(slices.Clone(c.all()), func(d Direction) bool { return d != Storage })
		c.tellAmong(asked, rule, "", before, after)
		c.storedObjects(was, is, before, after)
	}
	if was.conversion != apiextensionsv1.NoneConverter {
		for _, name := range was.ordered() { // nobody translates what is stored in another version any more
			if name != before && name != after && after != "" && was.mayBeStored(name) {
				c.storedObjects(was, is, name, after)
			}
		}
	}
	if len(was.stored) > 0 && len(is.stored) > 0 && !slices.Equal(was.stored, is.stored) {
		c.tell(RuleStoredVersionsChanged, "", strings.Join(was.stored, ", "), strings.Join(is.stored, ", "))
	}
}

// storedObjects compares the version in which objects were stored with the one in which they will
// be. Without a webhook the server gives them the new version's name, and drops what it does not
// know.
func (c *comparison) storedObjects(was, is *definition, before, after string) {
	old, next := was.versions[before], is.versions[after]
	if is.conversion != apiextensionsv1.NoneConverter || old.hash == next.hash || !c.speaks(before) && !c.speaks(after) {
		return
	}
	c.version, c.only = before+" stored as "+after, []Direction{Storage}
	c.trees(old.nodes, next.nodes)
	c.version, c.only = "", nil
}

// mayBeStored reports whether objects may be stored in a version. Files do not tell.
func (d *definition) mayBeStored(version string) bool {
	return len(d.stored) == 0 || slices.Contains(d.stored, version)
}

func (d *definition) storedAs() string {
	for _, name := range d.ordered() {
		if d.versions[name].storage {
			return name
		}
	}
	return ""
}
