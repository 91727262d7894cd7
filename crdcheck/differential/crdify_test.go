package differential

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/crdify/pkg/config"
	"sigs.k8s.io/crdify/pkg/runner"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

func crdify(t testing.TB) *runner.Runner {
	t.Helper()
	r, err := runner.New(&config.Config{}, runner.DefaultRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// waived are checks of crdify whose complaints need not be found, with the reason.
var waived = map[string]string{
	"description": "texts are for people",
}

// mistaken are complaints of crdify, by check and property, that are not right: nothing that was
// accepted is refused.
var mistaken = map[string]string{
	"minLength ^.spec.validation.wellKnownCACertificates":              "the only accepted value, System, is long enough",
	"maxLength ^.spec.validation.wellKnownCACertificates":              "the only accepted value, System, is short enough",
	"pattern ^.spec.validation.wellKnownCACertificates":                "the only accepted value, System, fits it",
	"maximum ^.status.VSOCKCID":                                        outgrown,
	"maximum ^.status.kernelBootStatus.kernelInfo.checksum":            outgrown,
	"maximum ^.status.kernelBootStatus.initrdInfo.checksum":            outgrown,
	"maximum ^.status.volumeStatus.items.containerDiskVolume.checksum": outgrown,
}

const outgrown = "int32, which it was before, ends far below the new maximum"

// answers are the rules that say what a check of crdify complains of; those of other checks are in
// crdcheck.Rules.
func answers(check string) []crdcheck.RuleID {
	rules := []crdcheck.RuleID{
		crdcheck.RuleFieldRemoved,
		crdcheck.RuleFieldUnlisted,
	} // a property that is gone has no type, no enum
	for _, rule := range crdcheck.Rules() {
		if slices.Contains(rule.Also, "crdify: "+check) {
			rules = append(rules, rule.ID)
		}
	}
	return rules
}

// TestCrdifyFindsNoMore compares every pair with crdify too: what it complains of, at a path or in
// the definition, is found there or above it, by a rule that answers that check.
func TestCrdifyFindsNoMore(t *testing.T) {
	theirs := crdify(t)
	complaints, missing := 0, 0
	for _, p := range pairs(t) {
		ours := compare(p).Findings
		results := theirs.Run(p.old, p.new)
		for _, check := range results.CRDValidation {
			for _, complaint := range check.Errors {
				for _, path := range removed(complaint) {
					complaints++
					if !found(ours, answers(check.Name), path) {
						missing++
						t.Errorf("%s: %s: %s", p.label, check.Name, complaint)
					}
				}
			}
		}
		for _, version := range results.SameVersionValidation {
			for _, property := range version.PropertyComparisons {
				for _, check := range property.ComparisonResults {
					if len(check.Errors) == 0 || waived[check.Name]+mistaken[check.Name+" "+property.Property] != "" {
						continue
					}
					complaints++
					rules := answers(check.Name)
					if check.Name == "unhandled" {
						rules = nil // anything at this path
					}
					if !found(ours, rules, pathOf(property.Property)) {
						missing++
						t.Errorf("%s %s: %s of %s: %v", p.label, version.Version, check.Name, property.Property, check.Errors)
					}
				}
			}
		}
	}
	t.Logf("%d complaints of crdify, %d not found", complaints, missing)
	if complaints < 30 {
		t.Errorf("only %d complaints: crdify looked at nothing", complaints)
	}
}

// removed returns the paths in a complaint of existingFieldRemoval: "removed field : v1.^.spec.x",
// or "" for another one.
func removed(complaint string) []string {
	_, path, found := strings.Cut(complaint, "removed field : ")
	if !found {
		return []string{""}
	}
	_, path, _ = strings.Cut(path, ".")
	return []string{pathOf(path)}
}

// pathOf writes crdify's path as ours: ^.spec.list.items.x is spec.list[].x. A field that is called
// items is taken for a list, as crdify does.
func pathOf(property string) string {
	path := strings.TrimPrefix(strings.TrimPrefix(property, "^"), ".")
	path = strings.ReplaceAll(path+".", ".items.", "[].")
	path = strings.ReplaceAll(path, ".items.", "[].")
	path = strings.ReplaceAll(path, ".additionalProperties.", "[*].")
	return strings.TrimSuffix(path, ".")
}

// found reports whether one of the rules, or any where there are none, was broken at the path,
// above it, or right below it (a field that became required).
func found(ours []crdcheck.Finding, rules []crdcheck.RuleID, path string) bool {
	return slices.ContainsFunc(ours, func(f crdcheck.Finding) bool {
		near := f.Path == path || path == "" || strings.HasPrefix(path, f.Path+".") || strings.HasPrefix(path, f.Path+"[") ||
			strings.HasPrefix(f.Path, path+".") || strings.HasPrefix(f.Path, path+"[")
		return near && (rules == nil || slices.Contains(rules, f.Rule))
	})
}

// TestTenTimesFaster compares the pair of VirtualMachine definitions of two releases with both, in
// turn: compiling included, the median of ours is less than a tenth of theirs.
func TestTenTimesFaster(t *testing.T) {
	p := find(t, "kubevirt", "v1.8.2", "virtualmachines.kubevirt.io")
	theirs := crdify(t)
	const rounds = 7
	var ours, others []time.Duration
	for range rounds {
		began := time.Now()
		compare(p)
		ours = append(ours, time.Since(began))
		began = time.Now()
		theirs.Run(p.old, p.new)
		others = append(others, time.Since(began))
	}
	slices.Sort(ours)
	slices.Sort(others)
	ratio := float64(others[rounds/2]) / float64(ours[rounds/2])
	t.Logf("ours %v, crdify %v: %.0f times", ours[rounds/2], others[rounds/2], ratio)
	if ratio < 10 {
		t.Errorf("only %.1f times faster than crdify", ratio)
	}
}

func BenchmarkCompareVirtualMachine(b *testing.B) {
	p := find(b, "kubevirt", "v1.8.2", "virtualmachines.kubevirt.io")
	b.Run("crdcheck", func(b *testing.B) {
		for b.Loop() {
			compare(p)
		}
	})
	theirs := crdify(b)
	b.Run("crdify", func(b *testing.B) {
		for b.Loop() {
			theirs.Run(p.old, p.new)
		}
	})
}
