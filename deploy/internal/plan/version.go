package plan

import (
	"fmt"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// whyNoVersion says why the version of a module can be no tag, or "".
func whyNoVersion(m Module) string {
	if m.Version != semver.Canonical(m.Version) {
		return fmt.Sprintf("%s: %q in versions.yaml is no semantic version such as v0.1.0", m.Folder, m.Version)
	}
	_, major, _ := module.SplitPathVersion(m.Path)
	if err := module.CheckPathMajor(m.Version, major); err != nil {
		return fmt.Sprintf("%s: the module's path %s is not one for %s: %v", m.Folder, m.Path, m.Version, err)
	}
	return ""
}

// whyNoStep says why the version of a module is no step from its last one, or "". Nothing is asked
// of the version of a module that did not change.
func whyNoStep(m Module) string {
	if m.Last == "" {
		return ""
	}
	switch order := semver.Compare(m.Version, m.Last); {
	case order < 0:
		return fmt.Sprintf("%s: %s in versions.yaml is lower than %s, which is released", m.Folder, m.Version, m.Last)
	case order == 0 && m.Changed():
		return fmt.Sprintf("%s: %s, and versions.yaml still gives it %s, which is released: raise that to %s or more",
			m.Folder, m.Why(), m.Version, smallest(m))
	case order > 0 && semver.Compare(core(m.Version), smallest(m)) < 0:
		return fmt.Sprintf("%s: from %s to %s is too small a step for what changed, %s: the next version is %s or more",
			m.Folder, m.Last, m.Version, m.largest(), smallest(m))
	}
	return ""
}

// core is a version without what a pre-release appends: v0.2.0 of v0.2.0-rc.1.
func core(version string) string { return strings.TrimSuffix(version, semver.Prerelease(version)) }

// smallest is the lowest version that a module may get after its last one. Before v1 a break needs a
// new minor version, and what is added a new patch; from v1 on a break needs a new major version,
// and what is added a new minor one. What a pre-release showed may change until its release.
func smallest(m Module) string {
	if semver.Prerelease(m.Last) != "" {
		return core(m.Last)
	}
	var major, minor, patch int
	if _, err := fmt.Sscanf(m.Last, "v%d.%d.%d", &major, &minor, &patch); err != nil {
		return m.Last // impossible: tags that are no versions are passed over
	}
	switch stable := major > 0; {
	case len(m.API.Breaks) > 0 && stable:
		return fmt.Sprintf("v%d.0.0", major+1)
	case len(m.API.Breaks) > 0, len(m.API.Adds) > 0 && stable:
		return fmt.Sprintf("v%d.%d.0", major, minor+1)
	default:
		return fmt.Sprintf("v%d.%d.%d", major, minor, patch+1)
	}
}

// largest is the change that asks for the largest step.
func (m Module) largest() string {
	switch {
	case len(m.API.Breaks) > 0:
		return fmt.Sprintf("%q among %d that break programs", m.API.Breaks[0], len(m.API.Breaks))
	case len(m.API.Adds) > 0:
		return fmt.Sprintf("%q among %d that add to the API", m.API.Adds[0], len(m.API.Adds))
	default:
		return m.Why()
	}
}
